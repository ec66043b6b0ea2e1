//! What follows from a device resource: the newest measurement, the last contact, the kind of management.

use std::time::SystemTime;

use super::{
    ApplicationReport, ApplicationState, Device, DeviceState, ManagementMode, MemoryEventType, Ownership,
    PowerEventType,
};
use crate::enrollment::TokenData;

/// How a device is managed, of mode and ownership together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Management {
    /// A work profile on a personal device.
    WorkProfile,
    /// The whole device.
    FullyManaged,
    /// A work profile on a device of the company's.
    CompanyOwnedWorkProfile,
}

impl Device {
    /// How it is managed; `None` while Google does not say.
    pub fn management(&self) -> Option<Management> {
        match (self.management_mode.as_ref()?, self.ownership.as_ref()) {
            (ManagementMode::DeviceOwner, _) => Some(Management::FullyManaged),
            (ManagementMode::ProfileOwner, Some(Ownership::PersonallyOwned)) => Some(Management::WorkProfile),
            (ManagementMode::ProfileOwner, Some(Ownership::CompanyOwned)) => {
                Some(Management::CompanyOwnedWorkProfile)
            }
            _ => None,
        }
    }

    /// The IMEI, or the MEID of a device that has none.
    pub fn imei(&self) -> Option<&str> {
        let network = self.network_info.as_ref()?;
        said(network.imei.as_deref()).or_else(|| said(network.meid.as_deref()))
    }

    /// As Google has it; see [`HardwareInfo::serial_number`](super::HardwareInfo::serial_number) for what it
    /// may be.
    pub fn serial_number(&self) -> Option<&str> {
        said(self.hardware_info.as_ref()?.serial_number.as_deref())
    }

    /// Internal storage, in bytes.
    pub fn storage(&self) -> Option<u64> {
        u64::try_from(self.memory_info.as_ref()?.total_internal_storage?).ok()
    }

    /// What was free of it at the newest measurement, in bytes.
    pub fn free_storage(&self) -> Option<u64> {
        let measured = self
            .memory_events
            .iter()
            .filter(|event| event.event_type == Some(MemoryEventType::InternalStorageMeasured))
            .filter(|event| event.byte_count.is_some());
        u64::try_from(measured.max_by_key(|event| event.create_time)?.byte_count?).ok()
    }

    /// The newest measurement of the battery in percent, and when it was taken.
    pub fn battery_level(&self) -> Option<(u8, Option<SystemTime>)> {
        let measured = self
            .power_management_events
            .iter()
            .filter(|event| event.event_type == Some(PowerEventType::BatteryLevelCollected))
            .filter_map(|event| Some((percent(event.battery_level?)?, event.create_time)));
        measured.max_by_key(|(_, at)| *at)
    }

    /// When the device itself last spoke to Google.
    pub fn last_contact(&self) -> Option<SystemTime> {
        self.last_status_report_time.max(self.last_policy_sync_time)
    }

    /// Whether it is in lost mode, as far as it has said.
    pub fn is_lost(&self) -> Option<bool> {
        self.applied_state.as_ref().map(|state| *state == DeviceState::Lost)
    }

    /// Whether Google has given it up: a notification may tell of a device that is no longer there.
    pub fn is_deleted(&self) -> bool {
        let deleted = Some(&DeviceState::Deleted);
        self.state.as_ref() == deleted || self.applied_state.as_ref() == deleted
    }

    /// Whether its password is what the policy asks for; `None` while it has not said whether it complies at
    /// all.
    pub fn password_complies(&self) -> Option<bool> {
        let about_password = |name: &str| matches!(name, "passwordPolicies" | "passwordRequirements");
        let mut details = self.non_compliance_details.iter().filter_map(|it| it.setting_name.as_deref());
        self.policy_compliant.map(|complies| complies || !details.any(about_password))
    }

    /// What the token said by which it enrolled, if it was one of ours.
    pub fn token_data(&self) -> Option<TokenData> {
        TokenData::parse(self.enrollment_token_data.as_deref()?)
    }

    /// The applications that are there.
    pub fn installed_applications(&self) -> impl Iterator<Item = &ApplicationReport> {
        self.application_reports.iter().filter(|it| it.state != Some(ApplicationState::Removed))
    }
}

/// From 0 to 100, as a number with a fraction or without.
fn percent(level: f64) -> Option<u8> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range by the guard"
    )]
    (0.0..=100.0).contains(&level).then(|| level.round() as u8)
}

fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn device(more: &str) -> Device {
        Device::decode(format!(r#"{{"name":"enterprises/E/devices/D",{more}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn mode_and_ownership_make_the_kind_of_management() {
        let kind = |mode: &str, owner: &str| {
            device(&format!(r#""managementMode":"{mode}","ownership":"{owner}""#)).management()
        };
        assert_eq!(kind("DEVICE_OWNER", "COMPANY_OWNED"), Some(Management::FullyManaged));
        assert_eq!(kind("PROFILE_OWNER", "PERSONALLY_OWNED"), Some(Management::WorkProfile));
        assert_eq!(kind("PROFILE_OWNER", "COMPANY_OWNED"), Some(Management::CompanyOwnedWorkProfile));
        assert_eq!(kind("PROFILE_OWNER", "OWNERSHIP_UNSPECIFIED"), None);
        assert_eq!(kind("MANAGEMENT_MODE_UNSPECIFIED", "COMPANY_OWNED"), None);
    }

    #[test]
    fn the_newest_measurement_counts_wherever_it_stands() {
        let device = device(
            r#""memoryInfo":{"totalInternalStorage":"128000000000","totalRam":"8000000000"},
            "memoryEvents":[
              {"eventType":"INTERNAL_STORAGE_MEASURED","createTime":"2024-01-02T00:00:00Z","byteCount":"2"},
              {"eventType":"INTERNAL_STORAGE_MEASURED","createTime":"2024-01-03T00:00:00Z","byteCount":"3"},
              {"eventType":"INTERNAL_STORAGE_MEASURED","createTime":"2024-01-01T00:00:00Z","byteCount":"1"},
              {"eventType":"RAM_MEASURED","createTime":"2024-01-09T00:00:00Z","byteCount":"9"}],
            "powerManagementEvents":[
              {"eventType":"BATTERY_LEVEL_COLLECTED","createTime":"2024-01-02T00:00:00Z","batteryLevel":81.4},
              {"eventType":"BATTERY_LEVEL_COLLECTED","createTime":"2024-01-01T00:00:00Z","batteryLevel":20},
              {"eventType":"POWER_CONNECTED","createTime":"2024-01-05T00:00:00Z"}]"#,
        );
        assert_eq!(device.storage(), Some(128_000_000_000));
        assert_eq!(device.free_storage(), Some(3));
        let measured = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_153_600);
        assert_eq!(device.battery_level(), Some((81, Some(measured))));
    }

    #[test]
    fn what_cannot_be_is_unknown() {
        let device = device(
            r#""memoryInfo":{"totalInternalStorage":"-1"},"networkInfo":{"imei":" ","meid":""},
            "memoryEvents":[{"eventType":"INTERNAL_STORAGE_MEASURED","byteCount":"-5"}],
            "powerManagementEvents":[{"eventType":"BATTERY_LEVEL_COLLECTED","batteryLevel":101}]"#,
        );
        assert_eq!((device.storage(), device.free_storage()), (None, None));
        assert_eq!(device.battery_level(), None);
        assert_eq!(device.imei(), None);
        assert_eq!((device.is_lost(), device.password_complies()), (None, None));
    }

    #[test]
    fn an_meid_stands_in_for_an_imei() {
        assert_eq!(device(r#""networkInfo":{"meid":"A1"}"#).imei(), Some("A1"));
        assert_eq!(device(r#""networkInfo":{"imei":"35","meid":"A1"}"#).imei(), Some("35"));
    }

    #[test]
    fn the_last_contact_is_the_later_of_report_and_sync() {
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_153_600);
        for fields in [
            r#""lastStatusReportTime":"2024-01-01T00:00:00Z","lastPolicySyncTime":"2024-01-02T00:00:00Z""#,
            r#""lastStatusReportTime":"2024-01-02T00:00:00Z","lastPolicySyncTime":"2024-01-01T00:00:00Z""#,
            r#""lastPolicySyncTime":"2024-01-02T00:00:00Z""#,
        ] {
            assert_eq!(device(fields).last_contact(), Some(later), "{fields}");
        }
    }

    #[test]
    fn lost_is_what_the_device_says_not_what_is_wished() {
        assert_eq!(device(r#""state":"ACTIVE","appliedState":"LOST""#).is_lost(), Some(true));
        assert_eq!(device(r#""state":"LOST","appliedState":"ACTIVE""#).is_lost(), Some(false));
        assert!(device(r#""state":"DELETED""#).is_deleted());
        assert!(!device(r#""state":"ACTIVE""#).is_deleted());
    }

    #[test]
    fn a_password_complies_unless_a_detail_is_about_it() {
        let complies = |compliant: bool, setting: &str| {
            let details = format!(r#""nonComplianceDetails":[{{"settingName":"{setting}"}}]"#);
            device(&format!(r#""policyCompliant":{compliant},{details}"#)).password_complies()
        };
        assert_eq!(complies(false, "passwordPolicies"), Some(false));
        assert_eq!(complies(false, "passwordRequirements"), Some(false));
        assert_eq!(complies(false, "cameraDisabled"), Some(true));
        assert_eq!(complies(true, "cameraDisabled"), Some(true));
    }

    #[test]
    fn removed_applications_are_not_installed() {
        let device = device(
            r#""applicationReports":[{"packageName":"a","state":"INSTALLED"},{"packageName":"b","state":"REMOVED"}]"#,
        );
        let names: Vec<_> =
            device.installed_applications().filter_map(|it| it.package_name.as_deref()).collect();
        assert_eq!(names, ["a"]);
    }
}
