//! The Device API, as its clients call it.

use reqwest::Method;
use serde_json::Value;
use testkit::server::{Answer, Api};

mod answers;
mod authentication;
mod faults;
mod fields;
mod list;
mod lock;
mod mac_lock;
mod naming;
mod scale;

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

/// The text fields of the devices of a list, in its order.
pub(super) fn texts(list: &Value, field: &str) -> Vec<String> {
    let devices = list["data"].as_array().expect("a list");
    devices.iter().map(|device| device[field].as_str().expect("a text").to_owned()).collect()
}
