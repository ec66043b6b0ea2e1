//! What of its policy a device does not do.

use serde::Deserialize;

use crate::words::words;

words! {
    /// Why a setting is not in force.
    NonComplianceReason {
        ApiLevel = "API_LEVEL",
        ManagementMode = "MANAGEMENT_MODE",
        UserAction = "USER_ACTION",
        InvalidValue = "INVALID_VALUE",
        AppNotInstalled = "APP_NOT_INSTALLED",
        Unsupported = "UNSUPPORTED",
        AppInstalled = "APP_INSTALLED",
        Pending = "PENDING",
        AppIncompatible = "APP_INCOMPATIBLE",
        AppNotUpdated = "APP_NOT_UPDATED",
        DeviceIncompatible = "DEVICE_INCOMPATIBLE",
        AppSigningCertMismatch = "APP_SIGNING_CERT_MISMATCH",
        ProjectNotPermitted = "PROJECT_NOT_PERMITTED",
    }
}

/// One setting that is not in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NonComplianceDetail {
    /// The field of the policy, such as `passwordPolicies`.
    pub setting_name: Option<String>,
    /// Why.
    pub non_compliance_reason: Option<NonComplianceReason>,
    /// The application in question.
    pub package_name: Option<String>,
    /// Which part of a setting with parts.
    pub field_path: Option<String>,
    /// A finer reason, in Google's word.
    pub specific_non_compliance_reason: Option<String>,
}
