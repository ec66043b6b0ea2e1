//! What applies to devices. Remuda asks for reports; all else in a policy is its administrator's.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::int64;

/// The only field of a policy that we set; as `updateMask` it leaves the others as they are.
pub const UPDATE_MASK: &str = "statusReportingSettings";

/// A policy. What we do not know of it is kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// Google's, in answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Grows with every change; Google's, in answers.
    #[serde(with = "int64", skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// What devices report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reporting_settings: Option<StatusReportingSettings>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Policy {
    /// A policy that asks for every report and restricts nothing.
    pub fn reporting() -> Self {
        Self { status_reporting_settings: Some(StatusReportingSettings::everything()), ..Self::default() }
    }
}

/// `statusReportingSettings`: a report that is not asked for does not come, and most fields of a device stay
/// unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "Google's switches")]
pub struct StatusReportingSettings {
    /// `applicationReports`.
    pub application_reports_enabled: bool,
    /// `deviceSettings`.
    pub device_settings_enabled: bool,
    /// `softwareInfo`.
    pub software_info_enabled: bool,
    /// `memoryInfo` and `memoryEvents`.
    pub memory_info_enabled: bool,
    /// `networkInfo`.
    pub network_info_enabled: bool,
    /// `displays`.
    pub display_info_enabled: bool,
    /// `powerManagementEvents`.
    pub power_management_events_enabled: bool,
    /// `hardwareStatusSamples`.
    pub hardware_status_enabled: bool,
    /// `systemProperties`.
    pub system_properties_enabled: bool,
    /// `commonCriteriaModeInfo`.
    pub common_criteria_mode_enabled: bool,
    /// `defaultApplicationInfo`.
    pub default_application_info_reporting_enabled: bool,
}

impl StatusReportingSettings {
    /// All on.
    pub fn everything() -> Self {
        Self {
            application_reports_enabled: true,
            device_settings_enabled: true,
            software_info_enabled: true,
            memory_info_enabled: true,
            network_info_enabled: true,
            display_info_enabled: true,
            power_management_events_enabled: true,
            hardware_status_enabled: true,
            system_properties_enabled: true,
            common_criteria_mode_enabled: true,
            default_application_info_reporting_enabled: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reporting_policy_asks_for_everything_and_says_no_more() {
        let json = serde_json::to_value(Policy::reporting()).unwrap();
        assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), [UPDATE_MASK]);
        let settings = json[UPDATE_MASK].as_object().unwrap();
        assert_eq!(settings.len(), 11);
        assert!(settings.values().all(|value| *value == true));
        assert!(settings.contains_key("powerManagementEventsEnabled"));
    }

    #[test]
    fn what_we_do_not_know_of_a_policy_survives() {
        let json = r#"{"name":"enterprises/E/policies/P","version":"7","statusReportingSettings":
            {"memoryInfoEnabled":true},"cameraDisabled":true,"applications":[{"packageName":"a"}]}"#;
        let policy: Policy = serde_json::from_str(json).unwrap();
        assert_eq!(policy.version, Some(7));
        assert!(policy.status_reporting_settings.as_ref().unwrap().memory_info_enabled);
        let again = serde_json::to_value(&policy).unwrap();
        assert_eq!(again["cameraDisabled"], true);
        assert_eq!(again["version"], "7");
        assert_eq!(again["applications"][0]["packageName"], "a");
    }
}
