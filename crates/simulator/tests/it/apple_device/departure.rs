//! How a management ends by command: the profile is removed, or the device is erased, and can enroll anew.

use std::sync::{Arc, Mutex};

use apple::Status;
use apple::command::{
    DeviceLock, EnableLostMode, EraseDevice, ObliterationBehavior, Pin, RemoveProfile, SecurityInfo,
};
use simulator::apple_device::{AppleDevice, DeviceModel, Failure, LostAnswer};

use super::server::Server;

async fn enrolled(server: &Server, model: DeviceModel) -> AppleDevice {
    AppleDevice::enroll(server.options(model)).await.unwrap()
}

/// What the server was asked since the device enrolled; the enrollment of a Mac is one longer than that of
/// others.
fn asked_since(server: &Server, enrollment: usize) -> Vec<String> {
    server.desk.asked().split_off(enrollment)
}

fn with_pin() -> EraseDevice {
    EraseDevice { pin: Some(Pin::new("482913").unwrap()), ..EraseDevice::default() }
}

fn removal() -> RemoveProfile {
    RemoveProfile { identifier: "com.example.enrollment".into() }
}

async fn is_gone(device: &mut AppleDevice) -> bool {
    matches!(device.connect().await, Err(Failure::NotEnrolled(_)))
}

#[tokio::test]
async fn the_removal_of_its_profile_is_acknowledged_and_ends_the_management_with_a_check_out() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let enrollment = server.desk.asked().len();
    server.desk.hand_over("1", removal());
    server.desk.hand_over("2", SecurityInfo);
    iphone.connect().await.unwrap();
    assert_eq!(asked_since(&server, enrollment), ["Idle", "Acknowledged", "CheckOut"]);
    assert!(!iphone.is_enrolled() && !iphone.is_erased() && is_gone(&mut iphone).await);
    assert!(iphone.model().passcode_set);
}

#[tokio::test]
async fn a_profile_that_does_not_want_a_check_out_gets_none() {
    let server = Server::start().await;
    server.desk.conduct(|conduct| {
        conduct.edit_profile = Box::new(|profile| profile.mdm.check_out_when_removed = false);
    });
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let enrollment = server.desk.asked().len();
    server.desk.hand_over("1", removal());
    iphone.connect().await.unwrap();
    assert_eq!(asked_since(&server, enrollment), ["Idle", "Acknowledged"]);
    assert!(!iphone.is_enrolled());
}

#[tokio::test]
async fn an_erased_device_answers_and_is_never_heard_of_again() {
    let server = Server::start().await;
    let mut ipad = enrolled(&server, DeviceModel::supervised_ipad(0)).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&told);
    ipad.subscribe(Arc::new(move |event| lines.lock().unwrap().push(event.to_string())));
    let enrollment = server.desk.asked().len();
    server.desk.hand_over("1", EnableLostMode { message: Some("Hi".into()), ..EnableLostMode::default() });
    server.desk.hand_over("2", EraseDevice { preserve_data_plan: true, ..EraseDevice::default() });
    server.desk.hand_over("3", SecurityInfo);

    let done = ipad.connect().await.unwrap();
    assert_eq!(done.last().unwrap().status, Status::Acknowledged);
    assert_eq!(asked_since(&server, enrollment), ["Idle", "Acknowledged", "Acknowledged"]);
    assert!(ipad.is_erased() && is_gone(&mut ipad).await);
    assert_eq!(ipad.current(), None);
    let model = ipad.model();
    assert!(!model.passcode_set && model.lost_mode.is_none() && model.device_name == "iPad");
    let told = told.lock().unwrap();
    let serial_number = &model.serial_number;
    assert_eq!(
        told[1..],
        [
            format!(r#"device {serial_number} did EraseDevice {{"PreserveDataPlan":true}}"#),
            format!("device {serial_number} unenrolled: the device was erased"),
        ]
    );
}

#[tokio::test]
async fn an_erased_device_enrolls_anew_as_the_same_hardware() {
    let server = Server::start().await;
    let mut mac = enrolled(&server, DeviceModel::mac(0)).await;
    let (before, certificate) = (mac.model().clone(), mac.credential().certificate.fingerprint());
    server.desk.hand_over("1", with_pin());
    mac.connect().await.unwrap();
    assert!(mac.is_erased());

    mac.re_enroll(None).await.unwrap();
    assert!(mac.is_enrolled() && !mac.is_erased());
    assert_eq!((&mac.model().udid, &mac.model().serial_number), (&before.udid, &before.serial_number));
    assert_ne!(mac.credential().certificate.fingerprint(), certificate);
    server.desk.hand_over("2", SecurityInfo);
    assert_eq!(mac.connect().await.unwrap().len(), 1);
    assert!(mac.breaches().is_empty());
}

#[tokio::test]
async fn an_erasure_handed_over_to_the_next_enrollment_is_a_breach() {
    let server = Server::start().await;
    let mut mac = enrolled(&server, DeviceModel::mac(0)).await;
    mac.erase_before_answering(true);
    server.desk.hand_over("1", with_pin());
    mac.connect().await.unwrap();
    mac.re_enroll(None).await.unwrap();
    server.desk.hand_over("1", with_pin());
    let Err(Failure::Breach(breach)) = mac.connect().await else { panic!("it must not be erased twice") };
    assert!(breach.0.contains("after the device was erased"), "{breach}");
    assert!(mac.is_enrolled());
}

#[tokio::test]
async fn a_device_may_be_gone_before_it_can_answer() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let enrollment = server.desk.asked().len();
    iphone.erase_before_answering(true);
    server.desk.hand_over("1", EraseDevice::default());
    iphone.connect().await.unwrap();
    assert_eq!(asked_since(&server, enrollment), ["Idle"]);
    assert!(iphone.is_erased() && is_gone(&mut iphone).await);
}

#[tokio::test]
async fn a_device_answers_an_erasure_once_whether_it_is_heard_or_not() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    server.desk.hand_over("1", EraseDevice::default());
    iphone.idle().await.unwrap();
    iphone.lose_next_answer(LostAnswer::ForGood);
    assert_eq!(iphone.acknowledge().await, Err(Failure::Lost));
    assert!(iphone.is_erased() && is_gone(&mut iphone).await);
}

#[tokio::test]
async fn a_mac_without_a_pin_is_not_erased() {
    let server = Server::start().await;
    let mut mac = enrolled(&server, DeviceModel::mac(0)).await;
    server.desk.hand_over("1", EraseDevice::default());
    assert_eq!(mac.connect().await.unwrap()[0].status, Status::Error);
    assert!(mac.is_enrolled());
}

#[tokio::test]
async fn an_error_of_a_mac_tells_that_it_was_not_erased_only_if_it_was_told_not_to_obliterate() {
    for (behavior, erased) in
        [(ObliterationBehavior::Default, true), (ObliterationBehavior::DoNotObliterate, false)]
    {
        let server = Server::start().await;
        let mut mac = enrolled(&server, DeviceModel::mac(0)).await;
        mac.fail_erase_preflight(true);
        server.desk.hand_over("1", EraseDevice { obliteration_behavior: Some(behavior), ..with_pin() });
        assert_eq!(mac.connect().await.unwrap()[0].status, Status::Error);
        assert_eq!(mac.is_erased(), erased, "{behavior:?}");
    }
}

#[tokio::test]
async fn an_erasure_that_is_put_off_or_fails_erases_nothing() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    iphone.put_off_next(1);
    server.desk.hand_over("1", EraseDevice::default());
    iphone.connect().await.unwrap();
    iphone.fail("EraseDevice", Some(vec![]));
    server.desk.hand_over("1", EraseDevice::default());
    iphone.connect().await.unwrap();
    server.desk.hand_over("2", DeviceLock::default());
    assert_eq!(iphone.connect().await.unwrap().len(), 1);
    assert!(iphone.is_enrolled());
}

#[tokio::test]
async fn a_user_may_erase_the_device_without_a_word() {
    let server = Server::start().await;
    let mut iphone = enrolled(&server, DeviceModel::iphone(0)).await;
    let enrollment = server.desk.asked().len();
    iphone.erase();
    assert!(iphone.is_erased() && is_gone(&mut iphone).await);
    assert!(asked_since(&server, enrollment).is_empty());
}
