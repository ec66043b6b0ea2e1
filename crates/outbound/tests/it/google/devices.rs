//! Devices: read, listed, changed, deleted.

use android::device::DeviceState;
use android::{DevicePatch, EnrollmentTokenRequest, Method, UserFacingMessage, WipeDataFlag};
use outbound::android::Error;
use simulator::google::AndroidDevice;
use std::time::Duration;

use super::Office;

#[tokio::test]
async fn a_device_reports_what_its_policy_asks_for() {
    let office = Office::open().await;
    let name = office.phone().await;
    let device = office.google().device(&name).await.unwrap();
    assert_eq!(device.state, Some(DeviceState::Active));
    assert_eq!(device.imei(), Some("356938030000001"));
    assert_eq!((device.storage(), device.free_storage()), (Some(128_000_000_000), Some(96_000_000_000)));
    assert_eq!(device.battery_level().map(|(level, _)| level), Some(81));
    assert_eq!(device.is_lost(), Some(false));
    assert_eq!(device.last_contact(), Some((office.table.hands.clock())()));
    assert_eq!(device.applied_policy_version, Some(1));
    assert_eq!(device.installed_applications().count(), 1);
    let software = device.software_info.unwrap();
    assert_eq!(software.android_version.as_deref(), Some("15"));
    assert_eq!(device.device_settings.unwrap().is_device_secure, Some(true));
}

#[tokio::test]
async fn what_the_policy_does_not_ask_for_stays_unknown() {
    let office = Office::open().await;
    let nothing = android::StatusReportingSettings::default();
    office.google().set_reports(&office.policy, &nothing).await.unwrap();
    let name = office.phone().await;
    let device = office.google().device(&name).await.unwrap();
    assert_eq!((device.imei(), device.storage(), device.battery_level()), (None, None, None));
    assert!(device.software_info.is_none() && device.application_reports.is_empty());
    assert!(device.serial_number().is_some());
}

#[tokio::test]
async fn many_devices_are_listed_in_pages() {
    let office = Office::open().await;
    let request =
        EnrollmentTokenRequest::new(office.policy.clone(), Method::FullyManaged, Duration::from_secs(3600));
    let token =
        office.google().create_enrollment_token(&office.enterprise, &request.for_many()).await.unwrap();
    let token = token.value.unwrap();
    let mut enrolled: Vec<String> = (0..85)
        .map(|number| office.pretend().enroll(&token, AndroidDevice::phone(number)).unwrap())
        .collect();
    enrolled.sort();
    let (mut listed, mut sizes, mut page) = (Vec::new(), Vec::new(), None);
    loop {
        let answer = office.google().devices(&office.enterprise, page.as_deref()).await.unwrap();
        sizes.push(answer.items.len());
        listed.extend(answer.items.into_iter().map(|device| device.name.to_string()));
        page = answer.next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [20, 20, 20, 20, 5]);
    assert_eq!(listed, enrolled);
}

#[tokio::test]
async fn a_device_is_disabled_and_enabled_and_says_so_when_it_reports() {
    let office = Office::open().await;
    let name = office.phone().await;
    let patch = DevicePatch::disable(UserFacingMessage::new("Ask IT"));
    let device = office.google().patch_device(&name, &patch).await.unwrap();
    assert_eq!(device.state, Some(DeviceState::Disabled));
    assert_eq!(device.applied_state, Some(DeviceState::Active), "the wish is not yet the fact");
    office.pretend().sync(name.as_str());
    let device = office.google().device(&name).await.unwrap();
    assert_eq!(device.applied_state, Some(DeviceState::Disabled));
    let device = office.google().patch_device(&name, &DevicePatch::enable()).await.unwrap();
    assert_eq!(device.state, Some(DeviceState::Active));
    assert_eq!(device.disabled_reason, Some(UserFacingMessage::new("Ask IT")), "not in the mask");
}

#[tokio::test]
async fn a_deleted_device_is_gone_at_once_and_wipes_itself_later() {
    let office = Office::open().await;
    let name = office.phone().await;
    let flags = [WipeDataFlag::WipeExternalStorage, WipeDataFlag::WipeEsims];
    office.google().delete_device(&name, &flags, Some("You left & good luck")).await.unwrap();
    assert!(matches!(office.google().device(&name).await, Err(Error::NotFound { .. })));
    assert!(office.google().devices(&office.enterprise, None).await.unwrap().items.is_empty());
    assert!(!office.pretend().is_wiped(name.as_str()));
    office.pretend().sync(name.as_str());
    assert!(office.pretend().is_wiped(name.as_str()));
    let again = office.google().delete_device(&name, &[], None).await.unwrap_err();
    assert!(matches!(again, Error::NotFound { .. }), "{again}");
}

#[tokio::test]
async fn a_device_that_enrolls_again_names_its_earlier_self() {
    let office = Office::open().await;
    let first = office.phone().await;
    let second = office.phone().await;
    let device = office.google().device(&second).await.unwrap();
    assert_eq!(device.previous_device_names, [first.to_string()]);
}
