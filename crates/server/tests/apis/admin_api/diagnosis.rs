//! Why a device is stuck.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{lock, refused, sent};

async fn diagnosed(server: &TestServer, device: &Device) -> Value {
    let path = format!("devices/{}/diagnosis", device.client_id());
    let answer = server.api().admin(Method::GET, &path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

fn says(found: &Value, words: &str) -> bool {
    found["advice"].as_array().unwrap().iter().any(|it| it.as_str().unwrap().contains(words))
}

on_both!(a_device_that_is_well_needs_no_advice);

async fn a_device_that_is_well_needs_no_advice(server: TestServer) {
    let phone = server.enrolled_iphone().await;
    server.pushed().await;
    let found = diagnosed(&server, &phone).await;
    assert_eq!((&found["advice"], &found["waiting"]), (&json!([]), &json!([])), "{found}");
    assert_eq!((&found["managed"], &found["push"]["token"]), (&true.into(), &true.into()));
    assert_eq!(found["push"]["said"], "accepted");
    assert!(found["certificate_expires"].is_string() && found["push_certificate_expires"].is_string());
}

on_both!(a_device_that_does_not_come_is_told_from_one_that_puts_off);

async fn a_device_that_does_not_come_is_told_from_one_that_puts_off(server: TestServer) {
    let (absent, mut busy) = (server.enrolled_iphone().await, server.enrolled_iphone().await);
    let uuid = sent(&server, &absent, lock("x"), json!({})).await;
    sent(&server, &busy, lock("x"), json!({})).await;
    server.until(async |server| diagnosed(server, &absent).await["push"]["next_push"].is_null()).await;
    server.pushed().await;
    server.clock().advance(Duration::from_mins(16));
    server.pushed().await;
    let found = diagnosed(&server, &absent).await;
    assert_eq!(
        (&found["waiting"][0]["uuid"], &found["waiting"][0]["state"]),
        (&uuid.into(), &"queued".into())
    );

    busy.idle().await.unwrap();
    busy.not_now().await.unwrap();
    let found = diagnosed(&server, &busy).await;
    assert!(says(&found, "Unlock the device"), "{found}");
    assert!(
        found["waiting"][0]["why"].as_str().unwrap().contains("put off by the device, 1 time"),
        "{found}"
    );
}

#[tokio::test]
async fn what_waits_for_its_time_and_what_was_never_answered_say_so() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    sent(&server, &phone, lock("now"), json!({})).await;
    sent(&server, &phone, lock("later"), json!({ "not_before": "2126-01-01T00:00:00Z" })).await;
    phone.idle().await.unwrap();
    let found = diagnosed(&server, &phone).await;
    let why = |n: usize| found["waiting"][n]["why"].as_str().unwrap().to_owned();
    assert!(
        why(0).contains("handed over at") && why(1).contains("waits for its time, 2126-01-01"),
        "{found}"
    );
    assert_eq!(phone.acknowledge().await, Ok(None));
}

#[tokio::test]
async fn an_expired_identity_is_told() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    server.clock().advance(Duration::from_hours(24 * 365 * 30));
    let found = diagnosed(&server, &phone).await;
    assert!(says(&found, "identity has expired"), "{found}");
    let nobody = server.api().admin(Method::GET, "devices/nobody/diagnosis", None).await;
    refused(&nobody, 404, "not-found");
}

on_both!(a_dead_token_is_told_until_the_device_tells_another);

async fn a_dead_token_is_told_until_the_device_tells_another(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    server.pushed().await;
    server.apns().retire(&phone.push_address().token);
    sent(&server, &phone, lock("x"), json!({})).await;
    server.until(async |server| diagnosed(server, &phone).await["push"]["token"] == false).await;
    let found = diagnosed(&server, &phone).await;
    assert!(says(&found, "Restart the device"), "{found}");
    assert!(found["push"]["said"].as_str().unwrap().contains("410"), "{found}");
    assert!(found["waiting"][0]["why"].as_str().unwrap().contains("token is dead"), "{found}");
    phone.rotate_push_address().await.unwrap();
    assert!(!says(&diagnosed(&server, &phone).await, "Restart the device"));
}

#[tokio::test]
async fn pushes_that_apns_refuses_are_told_with_its_reason() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    server.pushed().await;
    server.apns().refuse_next(403, "BadCertificate", None);
    sent(&server, &phone, lock("x"), json!({})).await;
    server.until(async |server| diagnosed(server, &phone).await["push"]["tries"] == 1).await;
    let found = diagnosed(&server, &phone).await;
    assert!(says(&found, "Pushes fail (403 BadCertificate): see remuda doctor"), "{found}");
    assert!(found["waiting"][0]["why"].as_str().unwrap().contains("tried 1 time(s) in vain"), "{found}");
}

#[tokio::test]
async fn a_device_that_does_not_come_is_to_be_looked_for() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    server.pushed().await;
    let before = server.apns().pushes().len();
    sent(&server, &phone, lock("x"), json!({})).await;
    server.until(async |server| server.apns().pushes().len() > before).await;
    server.pushed().await;
    assert_eq!(diagnosed(&server, &phone).await["advice"], json!([]), "it has time to come");
    server.clock().advance(Duration::from_mins(16));
    server.until(async |server| server.apns().pushes().len() > before + 1).await;
    server.pushed().await;
    let found = diagnosed(&server, &phone).await;
    assert!(says(&found, "APNs took the push, and the device does not come"), "{found}");
}

#[tokio::test]
async fn the_push_certificates_end_is_told_before_and_after() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let found = diagnosed(&server, &phone).await;
    let ends: jiff::Timestamp = found["push_certificate_expires"].as_str().unwrap().parse().unwrap();
    let left = u64::try_from(ends.as_millisecond() - server.mdm().now().0).unwrap();
    server.clock().advance(Duration::from_millis(left) - Duration::from_hours(10 * 24));
    assert!(says(&diagnosed(&server, &phone).await, "The push certificate expires on"));
    server.clock().advance(Duration::from_hours(11 * 24));
    assert!(says(&diagnosed(&server, &phone).await, "The push certificate has expired"));
}

#[tokio::test]
async fn a_device_in_quarantine_and_one_that_left_are_told_apart() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    let options = server.options(server.link().await, phone.model().clone());
    simulator::apple_device::AppleDevice::enroll(options).await.unwrap();
    let devices = server.devices_of(server.tenant()).await;
    let claim = devices.iter().find(|device| device.quarantined).unwrap().id.client_id();
    let path = format!("devices/{claim}/diagnosis");
    let found = server.api().admin(Method::GET, &path, None).await.body;
    assert!(says(&found, &format!("remuda device approve {claim}")), "{found}");
    assert_eq!(found["managed"], false);
    phone.check_out().await.unwrap();
    assert!(says(&diagnosed(&server, &phone).await, "Its profile was removed: enroll it again"));
}

#[tokio::test]
async fn a_device_that_was_never_seen_is_to_be_enrolled() {
    let server = TestServer::start().await;
    server.add_records([testkit::server::record(1)]).await;
    let id = server.devices_of(server.tenant()).await[0].id.client_id();
    let found = server.api().admin(Method::GET, &format!("devices/{id}/diagnosis"), None).await.body;
    assert_eq!((&found["last_seen"], &found["push"]), (&Value::Null, &Value::Null));
    assert!(says(&found, "enroll it again") && says(&found, "never told how to wake it"), "{found}");
}

#[tokio::test]
async fn a_device_that_was_told_to_erase_itself_and_is_silent_may_have_done_so() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    sent(&server, &phone, json!({ "RequestType": "EraseDevice" }), json!({})).await;
    assert!(!says(&diagnosed(&server, &phone).await, "told to part"), "it does not have it yet");
    phone.idle().await.unwrap();
    let found = diagnosed(&server, &phone).await;
    assert!(says(&found, "It was told to part (EraseDevice"), "{found}");
}
