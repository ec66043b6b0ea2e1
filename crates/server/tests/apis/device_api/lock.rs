//! `device/lockscreen` of iPhones and iPads: from the call to the device and back.

use std::sync::{Arc, Mutex};

use apple::Command;
use serde_json::{Value, json};
use simulator::apple_device::{AppleDevice, DeviceModel};
use testkit::{
    on_both,
    patience::within,
    server::{Device, TestServer},
};

use super::{accepted, refused};

/// Asks for a lock of `device`.
async fn lock(server: &TestServer, device: &Device, mut parameters: Value) {
    parameters["clientid"] = json!(device.client_id());
    accepted(&server.api().device("lockscreen", parameters).await);
}

async fn status(server: &TestServer, device: &Device) -> u64 {
    server.settled().await;
    server.api().info(&device.client_id()).await["actions"]["lockscreen"]["status"].as_u64().unwrap()
}

/// Message and phone number of the lock that was just handed to a device.
fn shown(device: &Device) -> (Option<&str>, Option<&str>) {
    match &device.current().expect("a command").command {
        Ok(Command::DeviceLock(lock)) => (lock.message.as_deref(), lock.phone_number.as_deref()),
        other => panic!("not a lock: {other:?}"),
    }
}

on_both!(a_lock_wakes_the_device_which_shows_the_message);

async fn a_lock_wakes_the_device_which_shows_the_message(server: TestServer) {
    let told = Arc::new(Mutex::new(Vec::new()));
    for model in [DeviceModel::iphone(server.seed()), DeviceModel::supervised_ipad(server.seed())] {
        let mut device = server.enrolled(model).await;
        let log = told.clone();
        device.subscribe(Arc::new(move |event| log.lock().unwrap().push(event.to_string())));
        server.pushed().await;
        let before = server.apns().counters().accepted;
        lock(&server, &device, json!({ "message": "hello", "phonenumber": "0123456789" })).await;
        assert_eq!(status(&server, &device).await, 1);
        let mut watch = server.apns().watch();
        within("the device is woken", watch.wait_for(|so_far| so_far.accepted > before)).await.unwrap();
        device.connect().await.unwrap();
        assert_eq!(status(&server, &device).await, 0);
        let did = format!(
            r#"device {} did DeviceLock {{"Message":"hello","PhoneNumber":"0123456789"}}"#,
            device.model().serial_number
        );
        assert_eq!(told.lock().unwrap().pop(), Some(did));
    }
}

#[tokio::test]
async fn a_lock_without_parameters_shows_nothing() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    lock(&server, &phone, json!({ "message": "", "phonenumber": null, "macpin": "123456" })).await;
    assert_eq!(phone.idle().await.unwrap(), Some("DeviceLock"));
    assert_eq!(shown(&phone), (None, None));
    assert_eq!(phone.acknowledge().await.unwrap(), None, "no PIN, which an iPhone would not understand");
}

on_both!(while_a_lock_is_queued_another_one_only_replaces_what_it_shows);

async fn while_a_lock_is_queued_another_one_only_replaces_what_it_shows(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    lock(&server, &phone, json!({ "message": "first", "phonenumber": "1" })).await;
    lock(&server, &phone, json!({ "message": "second" })).await;
    assert_eq!(phone.idle().await.unwrap(), Some("DeviceLock"));
    assert_eq!(shown(&phone), (Some("second"), None));
    assert_eq!(phone.acknowledge().await.unwrap(), None, "one lock, not two");
    assert_eq!(status(&server, &phone).await, 0);
}

on_both!(a_lock_that_was_handed_over_keeps_what_it_shows_and_no_second_one_follows);

async fn a_lock_that_was_handed_over_keeps_what_it_shows_and_no_second_one_follows(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    lock(&server, &phone, json!({ "message": "first" })).await;
    assert_eq!(phone.idle().await.unwrap(), Some("DeviceLock"));
    assert_eq!(status(&server, &phone).await, 1, "sent, and not yet answered");
    lock(&server, &phone, json!({ "message": "second" })).await;
    assert_eq!(shown(&phone), (Some("first"), None));
    assert_eq!(phone.acknowledge().await.unwrap(), None);
    assert_eq!(status(&server, &phone).await, 0);
    lock(&server, &phone, json!({ "message": "third" })).await;
    assert_eq!(phone.idle().await.unwrap(), Some("DeviceLock"), "once it is done, a new one may be asked");
    assert_eq!(shown(&phone), (Some("third"), None));
    phone.acknowledge().await.unwrap();
}

#[tokio::test]
async fn a_lock_that_was_put_off_is_pending_and_one_that_failed_is_not() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    lock(&server, &phone, json!({ "message": "hello" })).await;
    phone.idle().await.unwrap();
    phone.not_now().await.unwrap();
    assert_eq!(status(&server, &phone).await, 1);
    phone.idle().await.unwrap();
    phone.error(vec![]).await.unwrap();
    assert_eq!(status(&server, &phone).await, 0);
}

#[tokio::test]
async fn a_device_that_cannot_be_locked_is_409() {
    let server = TestServer::start().await;
    let mut left = server.enrolled_iphone().await;
    left.check_out().await.unwrap();
    let named = json!({ "clientid": left.client_id() });
    refused(&server.api().device("lockscreen", named).await, 409, "DEVICE_NOT_MANAGED");

    let phone = server.enrolled_iphone().await;
    let impostor = AppleDevice::enroll(server.options(server.link().await, phone.model().clone())).await;
    assert!(impostor.unwrap().breaches().is_empty());
    let list = server.api().device("list", json!({ "filter": { "managed": true } })).await.body;
    let ids = super::texts(&list, "clientid");
    let list = server.api().device("list", json!({})).await.body;
    let claim = super::texts(&list, "clientid")
        .into_iter()
        .find(|id| *id != phone.client_id() && *id != left.client_id())
        .expect("the quarantined device is listed");
    assert_eq!(ids, [phone.client_id()], "it is not managed");
    refused(
        &server.api().device("lockscreen", json!({ "clientid": claim })).await,
        409,
        "DEVICE_QUARANTINED",
    );
    lock(&server, &phone, json!({})).await;
}

#[tokio::test]
async fn texts_that_no_lock_screen_shows_are_refused() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    for (field, text) in
        [("message", "x".repeat(1025)), ("phonenumber", "\u{7}".into()), ("message", "\u{0}".into())]
    {
        let body = json!({ "clientid": phone.client_id(), field: text });
        let answer = server.api().device("lockscreen", body).await;
        refused(&answer, 400, "INVALID_FIELD");
        assert!(answer.body["errormessage"].as_str().unwrap().contains(field));
    }
    assert_eq!(status(&server, &phone).await, 0);
}

#[tokio::test]
async fn a_message_arrives_letter_by_letter() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    let message = "Grüße & <Küsse>\n\"]]>\" 🐎 &amp; '1'";
    lock(&server, &phone, json!({ "message": message })).await;
    phone.idle().await.unwrap();
    assert_eq!(shown(&phone).0, Some(message));
    phone.acknowledge().await.unwrap();
}
