//! What Google knows of a device, and the little of it that can be changed.

mod applications;
mod compliance;
mod hardware;
mod memory;
mod network;
mod patch;
mod power;
mod reading;
mod security;
mod software;

use std::time::SystemTime;

use serde::Deserialize;

pub use applications::{ApplicationReport, ApplicationSource, ApplicationState};
pub use compliance::{NonComplianceDetail, NonComplianceReason};
pub use hardware::{EuiccChip, HardwareInfo};
pub use memory::{MemoryEvent, MemoryEventType, MemoryInfo};
pub use network::{NetworkInfo, TelephonyInfo};
pub use patch::{DevicePatch, SettableState};
pub use power::{PowerEvent, PowerEventType};
pub use reading::Management;
pub use security::{DevicePosture, DeviceSettings, EncryptionStatus, SecurityPosture};
pub use software::{SoftwareInfo, SystemUpdateInfo, UpdateStatus};

use crate::names::DeviceName;
use crate::wire::{int64, list, time};
use crate::words::words;
use crate::{Malformed, decode};

words! {
    /// `state` is what is wished for, `appliedState` what is so.
    DeviceState {
        Active = "ACTIVE",
        Disabled = "DISABLED",
        Deleted = "DELETED",
        Provisioning = "PROVISIONING",
        Lost = "LOST",
        PreparingForMigration = "PREPARING_FOR_MIGRATION",
        DeactivatedByDeviceFinance = "DEACTIVATED_BY_DEVICE_FINANCE",
    }
}

words! {
    /// How much of the device is managed.
    ManagementMode {
        DeviceOwner = "DEVICE_OWNER",
        ProfileOwner = "PROFILE_OWNER",
    }
}

words! {
    /// To whom the hardware belongs.
    Ownership {
        CompanyOwned = "COMPANY_OWNED",
        PersonallyOwned = "PERSONALLY_OWNED",
    }
}

/// A device resource. Most of it is there only if the policy asks for it
/// ([`StatusReportingSettings`](crate::StatusReportingSettings)); `None` or empty is unknown.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The only part that is always there.
    pub name: DeviceName,
    /// What is wished for.
    #[serde(default)]
    pub state: Option<DeviceState>,
    /// What the device has made of it.
    #[serde(default)]
    pub applied_state: Option<DeviceState>,
    /// Whole device or profile.
    #[serde(default)]
    pub management_mode: Option<ManagementMode>,
    /// Company or person.
    #[serde(default)]
    pub ownership: Option<Ownership>,
    /// The policy that it shall have.
    #[serde(default)]
    pub policy_name: Option<String>,
    /// The policy that it has.
    #[serde(default)]
    pub applied_policy_name: Option<String>,
    /// The version of that.
    #[serde(default, with = "int64")]
    pub applied_policy_version: Option<i64>,
    /// Whether it does all that the policy says.
    #[serde(default)]
    pub policy_compliant: Option<bool>,
    /// What of the policy it does not do.
    #[serde(default, deserialize_with = "list::deserialize")]
    pub non_compliance_details: Vec<NonComplianceDetail>,
    /// When it enrolled.
    #[serde(default, deserialize_with = "time::deserialize")]
    pub enrollment_time: Option<SystemTime>,
    /// By which token; the token may be gone.
    #[serde(default)]
    pub enrollment_token_name: Option<String>,
    /// `additionalData` of that token: see [`TokenData`](crate::TokenData).
    #[serde(default)]
    pub enrollment_token_data: Option<String>,
    /// Names that the same hardware had in earlier enrollments, found by its serial number.
    #[serde(default, deserialize_with = "list::deserialize")]
    pub previous_device_names: Vec<String>,
    /// When it last told about itself.
    #[serde(default, deserialize_with = "time::deserialize")]
    pub last_status_report_time: Option<SystemTime>,
    /// When it last fetched its policy.
    #[serde(default, deserialize_with = "time::deserialize")]
    pub last_policy_sync_time: Option<SystemTime>,
    /// The level of Android's programming interface, such as 35.
    #[serde(default)]
    pub api_level: Option<i32>,
    /// The account's name at Google: `enterprises/E/users/U`.
    #[serde(default)]
    pub user_name: Option<String>,
    /// `disabledReason`, shown while it is disabled.
    #[serde(default)]
    pub disabled_reason: Option<crate::UserFacingMessage>,
    /// Google's judgement.
    #[serde(default)]
    pub security_posture: Option<SecurityPosture>,
    /// Always reported.
    #[serde(default)]
    pub hardware_info: Option<HardwareInfo>,
    /// With `softwareInfoEnabled`.
    #[serde(default)]
    pub software_info: Option<SoftwareInfo>,
    /// With `memoryInfoEnabled`.
    #[serde(default)]
    pub memory_info: Option<MemoryInfo>,
    /// With `memoryInfoEnabled`.
    #[serde(default, deserialize_with = "list::deserialize")]
    pub memory_events: Vec<MemoryEvent>,
    /// With `powerManagementEventsEnabled`; not of a personal device.
    #[serde(default, deserialize_with = "list::deserialize")]
    pub power_management_events: Vec<PowerEvent>,
    /// With `networkInfoEnabled`.
    #[serde(default)]
    pub network_info: Option<NetworkInfo>,
    /// With `deviceSettingsEnabled`.
    #[serde(default)]
    pub device_settings: Option<DeviceSettings>,
    /// With `applicationReportsEnabled`; the first 10,000.
    #[serde(default, deserialize_with = "list::long")]
    pub application_reports: Vec<ApplicationReport>,
}

impl Device {
    /// Reads a device resource, as a call answers it and as a notification brings it.
    pub fn decode(json: &[u8]) -> Result<Self, Malformed> {
        decode("a device", json)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_least_that_google_says_of_a_device_is_its_name() {
        let device = Device::decode(br#"{"name":"enterprises/E/devices/D"}"#).unwrap();
        assert_eq!(device.name.id(), "D");
        assert_eq!(device.state, None);
        assert!(Device::decode(b"{}").is_err());
        assert!(Device::decode(br#"{"name":"enterprises/E/devices/../policies/P"}"#).is_err());
    }

    #[test]
    fn unknown_fields_words_and_nulls_harm_nothing() {
        let json = br#"{"name":"enterprises/E/devices/D","state":"ASLEEP","ownership":null,"brandNew":{"a":[1]},
            "memoryEvents":null,"appliedPolicyVersion":"12","lastStatusReportTime":"2024-11-19T07:06:40.5Z"}"#;
        let device = Device::decode(json).unwrap();
        assert_eq!(device.state, Some(DeviceState::Other("ASLEEP".into())));
        assert_eq!(device.ownership, None);
        assert_eq!(device.applied_policy_version, Some(12));
        let reported = SystemTime::UNIX_EPOCH + Duration::from_millis(1_732_000_000_500);
        assert_eq!(device.last_status_report_time, Some(reported));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Device::decode(&bytes);
        }

        #[test]
        fn no_value_of_any_field_makes_it_panic(
            field in prop::sample::select(vec![
                "state", "memoryEvents", "memoryInfo", "networkInfo", "hardwareInfo", "powerManagementEvents",
                "applicationReports", "appliedPolicyVersion", "enrollmentTime", "nonComplianceDetails",
            ]),
            value in prop_oneof![Just("[]"), Just("{}"), Just("[[]]"), Just("[{}]"), Just("1e999"), Just("\"\""), Just("-1")],
        ) {
            let json = format!(r#"{{"name":"enterprises/E/devices/D","{field}":{value}}}"#);
            if let Ok(device) = Device::decode(json.as_bytes()) {
                let _ = (device.imei(), device.free_storage(), device.battery_level(), device.last_contact());
            }
        }
    }
}
