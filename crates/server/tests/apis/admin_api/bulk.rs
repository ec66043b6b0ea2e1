//! One command for many devices in one call.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{TestServer, record},
};

use super::{lock, refused, send};

const MANY: u64 = 1_203;

/// Managed records that have never enrolled, and so no way to be woken.
async fn records(server: &TestServer, numbers: std::ops::Range<u64>) -> Vec<String> {
    server.add_records(numbers.clone().map(record)).await;
    numbers.map(|number| record(number).id.client_id()).collect()
}

on_both!(many_devices_are_asked_at_once_and_each_that_was_not_is_told);

async fn many_devices_are_asked_at_once_and_each_that_was_not_is_told(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    server.pushed().await;
    let mut names = records(&server, 0..MANY).await;
    names.insert(700, phone.client_id());
    names.insert(10, "udid:nobody's".into());
    names.push(names[0].clone());
    let before = server.apns().pushes().len();

    let answer = send(&server, json!({ "devices": names, "command": lock("all of you") })).await;

    assert_eq!(answer.status, 202, "{}", answer.text);
    let told = |key: &str| answer.body[key].as_array().unwrap().clone();
    let names_of = |list: &[Value]| -> Vec<String> {
        list.iter().map(|it| it["device"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names_of(&told("failed")), ["udid:nobody's".to_owned(), names[0].clone()]);
    names.remove(names.len() - 1);
    names.remove(10);
    assert_eq!(names_of(&told("commands")), names, "in the order of the call");
    let mut ids: Vec<String> =
        told("commands").iter().map(|it| it["uuid"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), names.len());

    server.until(async |server| server.apns().pushes().len() > before).await;
    let done = phone.connect().await.unwrap();
    assert_eq!(done.len(), 1);
    assert_eq!(server.count_events("commands.sent").await, 1, "one event for all of them");
    let page = server.api().admin(Method::GET, "commands?state=queued&limit=1000", None).await;
    assert_eq!(page.body["commands"].as_array().unwrap().len(), 1000);
    assert!(page.body["next"].is_string());
}

#[tokio::test]
async fn a_call_has_a_hundred_thousand_devices_at_most_and_eight_mebibytes() {
    let server = TestServer::start().await;
    let name = "e60cf0e25e63430694441870c27a8b42";
    let many = |count: usize| json!({ "devices": vec![name; count], "command": lock("x") });
    refused(&send(&server, many(100_001)).await, 400, "invalid");
    refused(&send(&server, many(0)).await, 400, "invalid");
    let long = json!({ "devices": [name], "command": lock(&"x".repeat(8 << 20)) });
    refused(&send(&server, long).await, 413, "too-large");
    let profile = json!({ "RequestType": "InstallProfile", "Payload": "A".repeat(1 << 20) });
    let huge = send(&server, json!({ "devices": vec![name; 10_000], "command": profile })).await;
    refused(&huge, 400, "invalid");
    assert_eq!(huge.body["field"], "devices");
}

#[tokio::test]
async fn what_is_not_apples_or_not_managed_gets_no_command_of_apples() {
    let server = TestServer::start().await;
    let names = records(&server, 0..2).await;
    server
        .change_record(names[0].parse().unwrap(), |device| {
            device.facts.platform = Some(domain::Platform::Android);
        })
        .await;
    server.change_record(names[1].parse().unwrap(), |device| device.managed = false).await;
    let answer = send(&server, json!({ "devices": names, "command": lock("x") })).await;
    assert_eq!((answer.status, &answer.body["commands"]), (202, &json!([])));
    let error = |n: usize| answer.body["failed"][n]["error"].as_str().unwrap().to_owned();
    assert!(error(0).contains("platform") && error(1).contains("not managed"), "{}", answer.text);
}

#[tokio::test]
async fn nobody_reaches_another_tenants_devices() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let (other, key) = server.another_tenant("other").await;
    let api = server.api().with_key(&key);
    let names = [
        phone.client_id(),
        format!("udid:{}", phone.model().udid),
        format!("serial:{}", phone.model().serial_number),
    ];
    let body = json!({ "devices": names, "command": lock("x") });
    let answer = api.admin(Method::POST, &format!("commands?tenant={other}"), Some(body)).await;
    assert_eq!((answer.status, &answer.body["commands"]), (202, &json!([])));
    assert_eq!(answer.body["failed"].as_array().unwrap().len(), 3);
}
