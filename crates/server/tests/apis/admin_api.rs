//! The admin API, as operators call it.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::server::{Answer, Device, TestServer};

mod access;
mod bulk;
mod commands;
mod diagnosis;
mod particulars;
mod parting;
mod schedule;
mod users;

/// Sends a command to devices.
async fn send(server: &TestServer, body: Value) -> Answer {
    server.api().admin(Method::POST, "commands", Some(body)).await
}

/// The same to one device, which must be taken; the command's id.
async fn sent(server: &TestServer, device: &Device, command: Value, more: Value) -> String {
    let mut body = json!({ "devices": [device.client_id()], "command": command });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let answer = send(server, body).await;
    assert_eq!((answer.status, &answer.body["failed"]), (202, &json!([])), "{}", answer.text);
    assert_eq!(answer.body["commands"][0]["device"], device.client_id());
    answer.body["commands"][0]["uuid"].as_str().expect("an id").to_owned()
}

/// What the API says of a command.
async fn shown(server: &TestServer, uuid: &str) -> Value {
    let answer = server.api().admin(Method::GET, &format!("commands/{uuid}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

/// The state that the API tells of a command.
async fn state(server: &TestServer, uuid: &str) -> String {
    shown(server, uuid).await["state"].as_str().expect("a state").to_owned()
}

/// Takes a command back; the status of the answer.
async fn cancel(server: &TestServer, uuid: &str) -> u16 {
    server.api().admin(Method::POST, &format!("commands/{uuid}/cancel"), None).await.status
}

/// A lock that says so.
fn lock(message: &str) -> Value {
    json!({ "RequestType": "DeviceLock", "Message": message })
}

/// Makes sure that an answer is a problem of RFC 9457.
#[track_caller]
fn refused(answer: &Answer, status: u16, word: &str) {
    let kind = format!("urn:remuda:problem:{word}");
    assert_eq!(
        (answer.status, answer.body["type"].as_str()),
        (status, Some(kind.as_str())),
        "{}",
        answer.text
    );
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], status);
    assert!(answer.body["title"].is_string());
}
