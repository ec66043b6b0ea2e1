//! Devices.

use serde_json::{Map, Value, json};

use super::enrollment::policy_name;
use crate::google::refusal::Refusal;
use crate::google::request::Request;
use crate::google::shape::{self, Kind, MESSAGE, Shape};
use crate::google::world::World;

const SETTABLE: Shape = &[
    ("state", Kind::Word(&["ACTIVE", "DISABLED"])),
    ("disabledReason", Kind::Object(MESSAGE)),
    ("policyName", Kind::Text),
];
const WIPE_FLAGS: [&str; 3] = ["PRESERVE_RESET_PROTECTION_DATA", "WIPE_EXTERNAL_STORAGE", "WIPE_ESIMS"];
const MAX_REASON: usize = 200;
const MAX_PAGE: usize = 100;

/// A page under its name; like Google, without what is empty.
pub(super) fn listed(name: &str, page: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = Map::new();
    if !page.is_empty() {
        answer.insert(name.to_owned(), Value::Array(page));
    }
    if let Some(next) = next {
        answer.insert("nextPageToken".to_owned(), json!(next));
    }
    Value::Object(answer)
}

pub(super) fn list(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&["pageSize", "pageToken"])?;
    request.no_body()?;
    let enterprise = world.enterprises.get(name).ok_or_else(|| Refusal::not_found(name))?;
    let all = enterprise.devices.values().map(|it| it.resource.clone()).collect();
    let (page, next) = request.page(all, MAX_PAGE)?;
    Ok(listed("devices", page, next))
}

pub(super) fn find(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    world.device(name).map(|it| it.resource.clone()).ok_or_else(|| Refusal::not_found(name))
}

pub(super) fn patch(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&["updateMask"])?;
    let body = request.json()?;
    shape::check(SETTABLE, &body, "device")?;
    let settable: Vec<&str> = SETTABLE.iter().map(|(field, _)| *field).collect();
    let fields = shape::mask(request.parameter("updateMask"), &settable, &body)?;
    let enterprise = world.enterprise_of(name).ok_or_else(|| Refusal::not_found(name))?;
    let owner = enterprise.resource["name"].as_str().unwrap_or_default();
    let policy = body["policyName"].as_str().map(|policy| policy_name(owner, policy));
    if policy.as_ref().is_some_and(|policy| !enterprise.policies.contains_key(policy)) {
        return Err(Refusal::invalid("policyName names no policy"));
    }
    let device = enterprise.devices.get_mut(name).ok_or_else(|| Refusal::not_found(name))?;
    for field in fields {
        let value = match (&policy, field.as_str()) {
            (Some(policy), "policyName") => json!(policy),
            _ => body.get(&field).cloned().unwrap_or_default(),
        };
        if !value.is_null() {
            device.resource[field] = value;
        }
    }
    Ok(device.resource.clone())
}

/// The record goes at once; the hardware hears of it when it is next in touch.
pub(super) fn delete(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&["wipeDataFlags", "wipeReasonMessage"])?;
    request.no_body()?;
    let mut flags = request.query.iter().filter(|(name, _)| name == "wipeDataFlags");
    if flags.any(|(_, flag)| !WIPE_FLAGS.contains(&flag.as_str())) {
        return Err(Refusal::invalid("wipeDataFlags has an unknown flag"));
    }
    if request.parameter("wipeReasonMessage").is_some_and(|it| it.chars().count() > MAX_REASON) {
        return Err(Refusal::invalid("wipeReasonMessage is too long"));
    }
    if world.device(name).is_none() {
        return Err(Refusal::not_found(name));
    }
    world.give_up(name);
    if let Some(hardware) = world.hardware_mut(name) {
        hardware.to_be_wiped = true;
    }
    Ok(json!({}))
}
