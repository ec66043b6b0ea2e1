//! Policies.

use ::android::policy::UPDATE_MASK;
use ::android::{Policy, PolicyName, StatusReportingSettings};
use http::Method;
use serde::Serialize;

use super::Google;
use super::call::Call;
use super::error::Error;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reports<'a> {
    status_reporting_settings: &'a StatusReportingSettings,
}

impl Google {
    /// Makes a policy, or changes it, so that its devices report (`policies.patch`); what else is in it
    /// stays.
    pub async fn set_reports(
        &self,
        name: &PolicyName,
        settings: &StatusReportingSettings,
    ) -> Result<Policy, Error> {
        let call = Call::management(Method::PATCH, name.as_str())
            .query("updateMask", UPDATE_MASK)
            .body(&Reports { status_reporting_settings: settings })?;
        self.ask("a policy", call).await
    }

    /// `policies.get`.
    pub async fn policy(&self, name: &PolicyName) -> Result<Policy, Error> {
        self.ask("a policy", Call::management(Method::GET, name.as_str())).await
    }
}
