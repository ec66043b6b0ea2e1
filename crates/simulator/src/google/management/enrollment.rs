//! Enrollment tokens.

use std::time::Duration;

use serde_json::{Value, json};

use crate::google::refusal::Refusal;
use crate::google::request::Request;
use crate::google::shape::{self, Kind, Shape};
use crate::google::time;
use crate::google::world::{Token, World};

const USAGES: &[&str] =
    &["PERSONAL_USAGE_ALLOWED", "PERSONAL_USAGE_DISALLOWED", "PERSONAL_USAGE_DISALLOWED_USERLESS"];
const TOKEN: Shape = &[
    ("policyName", Kind::Text),
    ("duration", Kind::Span),
    ("oneTimeOnly", Kind::Flag),
    ("allowPersonalUsage", Kind::Word(USAGES)),
    ("additionalData", Kind::Text),
    ("user", Kind::Anything),
];
const SHORTEST: Duration = Duration::from_secs(60);
/// Google's own choice.
const USUAL: Duration = Duration::from_secs(3600);
const MAX_DATA: usize = 1024;

pub(super) fn create(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    let mut token = request.json()?;
    shape::check(TOKEN, &token, "enrollmentToken")?;
    let span = token["duration"].as_str().and_then(time::span).unwrap_or(USUAL);
    if span < SHORTEST {
        return Err(Refusal::invalid("duration must be at least a minute"));
    }
    if token["additionalData"].as_str().is_some_and(|data| data.chars().count() > MAX_DATA) {
        return Err(Refusal::invalid("additionalData is too long"));
    }
    let policy = policy_name(name, token["policyName"].as_str().unwrap_or("policies/default"));
    let (serial, end) = (world.next(), world.now() + span);
    let enterprise = world.enterprises.get_mut(name).ok_or_else(|| Refusal::not_found(name))?;
    if !enterprise.policies.contains_key(&policy) {
        return Err(Refusal::invalid("policyName names no policy"));
    }
    let value = format!("TOKEN{serial:015}");
    let full = format!("{name}/enrollmentTokens/{serial:08x}");
    token["name"] = json!(full);
    token["policyName"] = json!(policy);
    token["value"] = json!(value);
    token["expirationTimestamp"] = json!(time::rfc3339(end));
    token["qrCode"] = json!(qr_code(&value));
    enterprise.tokens.insert(full, Token { resource: token.clone(), value, end, used: false });
    Ok(token)
}

pub(super) fn delete(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    request.no_body()?;
    let enterprise = world.enterprise_of(name).ok_or_else(|| Refusal::not_found(name))?;
    enterprise.tokens.remove(name).map(|_| json!({})).ok_or_else(|| Refusal::not_found(name))
}

/// A policy may be named by its id alone.
pub(super) fn policy_name(enterprise: &str, policy: &str) -> String {
    let id = policy.rsplit('/').next().unwrap_or_default();
    format!("{enterprise}/policies/{id}")
}

fn qr_code(value: &str) -> String {
    let extra = "android.app.extra.PROVISIONING_";
    let token = "com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN";
    json!({
        (format!("{extra}DEVICE_ADMIN_COMPONENT_NAME")):
            "com.google.android.apps.work.clouddpc/.receivers.CloudDeviceAdminReceiver",
        (format!("{extra}DEVICE_ADMIN_SIGNATURE_CHECKSUM")): "I5YvS0O5hXY46mb01BlRjq4oJJGs2kuUcHvVkAPEXlg",
        (format!("{extra}DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION")):
            "https://play.google.com/managed/downloadManagingApp?identifier=setup",
        (format!("{extra}ADMIN_EXTRAS_BUNDLE")): {(token): value},
    })
    .to_string()
}
