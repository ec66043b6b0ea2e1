//! The Device API, as its clients call it.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::server::{Answer, Api, Device, TestServer};

mod access;
mod answers;
mod apps;
mod authentication;
mod come_back;
mod faults;
mod fields;
mod list;
mod lock;
mod login;
mod lost_mode;
mod mac_lock;
mod naming;
mod passcode;
mod passwords;
mod people;
mod published;
mod refusals;
mod scale;
mod slowed_down;
mod users;
mod wipe;

/// The call `device/CALL` with these headers and this body.
async fn call(api: &Api, call: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let path = format!("/api/mdm/v2/device/{call}");
    let mut request = api.request(Method::POST, &path).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.send(request).await
}

/// Makes sure that an answer is the envelope of a failure.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.body["errorcode"].as_str()), (status, Some(code)), "{}", answer.text);
    let fields: Vec<_> = answer.body.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(fields, ["errorcode", "errormessage", "success", "tokenstatus"]);
    assert_eq!(answer.body["success"], false);
    assert!(
        answer.body["errormessage"].as_str().is_some_and(|sentence| sentence.ends_with('.')),
        "{}",
        answer.text
    );
    assert_eq!(answer.headers["content-type"], "application/json");
}

/// Makes sure that an answer is the envelope of a success that says nothing more.
#[track_caller]
fn accepted(answer: &Answer) {
    let nothing = r#"{"errorcode":null,"errormessage":null,"success":true,"tokenstatus":null}"#;
    assert_eq!((answer.status, answer.text.as_str()), (200, nothing));
}

/// Asks for an action on a device, which is accepted.
async fn ask(server: &TestServer, call: &str, device: &Device, mut parameters: Value) {
    parameters["clientid"] = json!(device.client_id());
    accepted(&server.api().device(call, parameters).await);
}

/// Makes sure that an action on a device is refused with 409 and this code, and that it is not shown as possible.
async fn cannot(
    server: &TestServer,
    call: &str,
    action: &str,
    device: &Device,
    parameters: Value,
    code: &str,
) {
    let mut body = parameters;
    body["clientid"] = json!(device.client_id());
    refused(&server.api().device(call, body).await, 409, code);
    let info = info(server, device).await;
    assert_eq!(info["actions"][action], json!({ "status": 0, "visible": false }), "{action}");
}

/// What `device/info` says once every result is applied.
async fn info(server: &TestServer, device: &Device) -> Value {
    server.settled().await;
    server.api().info(&device.client_id()).await
}

/// `status` and `visible` of an action.
fn action(info: &Value, name: &str) -> (u64, bool) {
    let action = &info["actions"][name];
    (action["status"].as_u64().expect("a status"), action["visible"].as_bool().expect("a flag"))
}

/// The text fields of the devices of a list, in its order.
pub(super) fn texts(list: &Value, field: &str) -> Vec<String> {
    let devices = list["data"].as_array().expect("a list");
    devices.iter().map(|device| device[field].as_str().expect("a text").to_owned()).collect()
}
