//! Whole documents as Google writes them, read field by field.

#![allow(clippy::unwrap_used, reason = "also outside the functions marked as tests")]

use std::time::{Duration, SystemTime};

use android::command::CommandKind;
use android::device::{
    ApplicationSource, DevicePosture, DeviceState, EncryptionStatus, NonComplianceReason, UpdateStatus,
};
use android::enrollment::Channel;
use android::notification::{LostModeLocation, PushBody};
use android::{Device, Management, Notification, Operation, Outcome};

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

fn fully_managed() -> Device {
    Device::decode(include_bytes!("golden/fully_managed.json")).unwrap()
}

#[test]
fn a_fully_managed_device_says_what_it_is_and_how_it_is_managed() {
    let device = fully_managed();
    assert_eq!(device.name.as_str(), "enterprises/LC02a1b2c3/devices/3a2b1c0d9e8f7a6b");
    assert_eq!(device.management(), Some(Management::FullyManaged));
    assert_eq!((device.state.as_ref(), device.is_lost()), (Some(&DeviceState::Active), Some(true)));
    assert_eq!(device.last_contact(), Some(at(1_732_000_001_000)));
    assert_eq!(device.enrollment_time, Some(at(1_731_920_400_123)));
    assert_eq!(device.applied_policy_version, Some(12));
    assert_eq!(device.api_level, Some(35));
    assert_eq!(device.previous_device_names, ["enterprises/LC02a1b2c3/devices/3000000000000001"]);
    let data = device.token_data().unwrap();
    assert_eq!((data.channel(), data.reference()), (Channel::Knox, Some("0193")));
    let reason = device.disabled_reason.unwrap();
    assert_eq!(reason.localized_messages["de"], "IT fragen");
}

#[test]
fn its_measurements_are_the_newest_ones() {
    let device = fully_managed();
    assert_eq!((device.storage(), device.free_storage()), (Some(128_000_000_000), Some(96_000_000_000)));
    assert_eq!(device.memory_info.as_ref().unwrap().total_ram, Some(12_000_000_000));
    assert_eq!(device.battery_level(), Some((81, Some(at(1_731_999_600_000)))));
}

#[test]
fn its_hardware_and_software_are_read() {
    let device = fully_managed();
    assert_eq!((device.imei(), device.serial_number()), (Some("356938030000001"), Some("4A0AAAAA000001")));
    let hardware = device.hardware_info.unwrap();
    assert_eq!(
        (hardware.manufacturer.as_deref(), hardware.model.as_deref()),
        (Some("Google"), Some("Pixel 9"))
    );
    assert_eq!(hardware.euicc_chip_info[0].eid.as_deref(), Some("89033023426100000000000000000001"));
    let software = device.software_info.unwrap();
    assert_eq!(software.android_version.as_deref(), Some("15"));
    assert_eq!(software.security_patch_level.as_deref(), Some("2025-01-05"));
    assert_eq!(
        software.system_update_info.unwrap().update_status,
        Some(UpdateStatus::SecurityUpdateAvailable)
    );
    let network = device.network_info.unwrap();
    assert_eq!(network.telephony_infos[0].phone_number.as_deref(), Some("+49301"));
}

#[test]
fn its_safety_is_read() {
    let device = fully_managed();
    assert_eq!(device.password_complies(), Some(false));
    let detail = &device.non_compliance_details[0];
    assert_eq!(detail.non_compliance_reason, Some(NonComplianceReason::UserAction));
    assert_eq!(device.security_posture.unwrap().device_posture, Some(DevicePosture::AtRisk));
    let settings = device.device_settings.unwrap();
    assert_eq!(settings.encryption_status, Some(EncryptionStatus::ActivePerUser));
    assert_eq!((settings.is_device_secure, settings.adb_enabled), (Some(true), Some(false)));
}

#[test]
fn its_applications_are_read() {
    let device = fully_managed();
    assert_eq!(device.application_reports.len(), 2);
    let installed: Vec<_> = device.installed_applications().collect();
    assert_eq!(installed.len(), 1);
    assert_eq!(installed[0].display_name.as_deref(), Some("Chrome"));
    assert_eq!(installed[0].version_code, Some(677_803_933));
    assert_eq!(installed[0].application_source, Some(ApplicationSource::SystemAppUpdatedVersion));
}

#[test]
fn a_refused_lost_mode_is_done_and_failed() {
    let operation = Operation::decode(include_bytes!("golden/lost_mode_refused.json")).unwrap();
    assert!(operation.done);
    assert_eq!(operation.ends(), Some(at(1_732_000_000_000) + Duration::from_secs(604_800)));
    assert_eq!(operation.metadata.as_ref().unwrap().kind, Some(CommandKind::StartLostMode));
    let outcome = operation.outcome();
    assert!(matches!(&outcome, Outcome::Failed(why) if why.word == "RESET_PASSWORD_RECENTLY"), "{outcome:?}");
}

#[test]
fn a_pushed_usage_log_has_a_place() {
    let push = PushBody::decode(include_bytes!("golden/usage_logs_push.json")).unwrap();
    assert_eq!(push.message.publish_time, Some(at(1_732_000_021_234)));
    let Notification::UsageLogs(logs) = Notification::read(&push.message).unwrap() else { panic!() };
    let place = LostModeLocation {
        latitude: 58.517_524_8,
        longitude: 12.447_230_8,
        battery_level: Some(42),
        at: at(1_732_000_000_000),
    };
    assert_eq!(logs.locations().collect::<Vec<_>>(), [place]);
}
