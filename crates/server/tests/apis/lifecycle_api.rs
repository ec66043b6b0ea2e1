//! The Device Lifecycle API, as its clients call it.

use serde_json::Value;
use testkit::server::Answer;

mod answers;
mod departure;
mod login;
mod purge;
mod tokens;

/// Makes sure that an answer is an error in both published forms at once.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.body["error"].as_str()), (status, Some(error)), "{}", answer.text);
    let fields: Vec<_> = answer.body.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(fields, ["error", "logref", "message", "path", "status", "statusCode", "timestamp"]);
    assert_eq!([&answer.body["status"], &answer.body["statusCode"]], [&Value::from(status); 2]);
}

/// The same answer, but for what tells when it was given.
fn timeless(answer: &Answer) -> (u16, Value) {
    let mut body = answer.body.clone();
    for field in ["timestamp", "logref"] {
        body[field] = Value::Null;
    }
    (answer.status, body)
}
