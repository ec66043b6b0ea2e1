//! Answers as text, for snapshots: whole, but for what differs from run to run; of that the form is checked.

use serde_json::Value;
use testkit::server::Answer;

/// Status, headers and body.
pub fn shown(answer: &Answer) -> String {
    let mut lines = vec![format!("HTTP {}", answer.status)];
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "date" && *name != "content-length")
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("a header of text")))
        .collect();
    headers.sort();
    lines.extend(headers);
    lines.push(String::new());
    lines.push(body(answer));
    lines.join("\n")
}

fn body(answer: &Answer) -> String {
    if answer.text.is_empty() {
        return "(no body)".into();
    }
    assert!(answer.body.is_object(), "not a JSON object: {}", answer.text);
    serde_json::to_string_pretty(&steady("", answer.body.clone())).expect("JSON")
}

/// The same, with what is different in every run put under its name.
fn steady(key: &str, value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (key.clone(), steady(&key, value))).collect()
        }
        Value::Array(items) => items.into_iter().map(|item| steady(key, item)).collect(),
        Value::String(text) => Value::String(stand_in(key, &text).unwrap_or(text)),
        other => other,
    }
}

/// What stands for a value that differs from run to run; a value of another form than it must have stays, so that the
/// snapshot shows it.
fn stand_in(key: &str, text: &str) -> Option<String> {
    match key {
        "clientid" => is_hex(text, 32).then(|| "[clientid]".into()),
        "id" | "sid" | "usersid" => is_uuid(text).then(|| format!("[{key}]")),
        "lastcontact" => is_wire_date(text).then(|| "/Date([milliseconds])/".into()),
        "timestamp" => is_instant(text).then(|| "[timestamp]".into()),
        "logref" => text.split_once('-').filter(|(time, _)| is_hex(time, 11)).map(|_| "[logref]".into()),
        "token" => (text.split('.').count() == 3 || is_opaque(text)).then(|| "[token]".into()),
        "path" => Some(
            text.split('/')
                .map(|part| if is_uuid(part) { "[customer]" } else { part })
                .collect::<Vec<_>>()
                .join("/"),
        ),
        _ => None,
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// 32 bytes in URL-safe base64.
fn is_opaque(token: &str) -> bool {
    token.len() == 43 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && is_hex(&text.replace('-', ""), 32)
}

/// `/Date(1608564096937)/`
fn is_wire_date(text: &str) -> bool {
    text.strip_prefix("/Date(")
        .and_then(|rest| rest.strip_suffix(")/"))
        .is_some_and(|millis| millis.len() == 13 && millis.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `2024-11-17T17:20:15.471+00:00`
fn is_instant(text: &str) -> bool {
    text.len() == 29 && text.ends_with("+00:00") && text.parse::<jiff::Timestamp>().is_ok()
}
