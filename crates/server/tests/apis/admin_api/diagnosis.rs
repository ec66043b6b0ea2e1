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
