//! Commands, and what becomes of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::devices::listed;
use crate::google::refusal::Refusal;
use crate::google::request::Request;
use crate::google::shape::{self, Kind, MESSAGE, Shape};
use crate::google::time;
use crate::google::world::{Operation, World};

const COMMAND: Shape = &[
    ("type", Kind::Word(TYPES)),
    ("duration", Kind::Span),
    ("userName", Kind::Text),
    ("newPassword", Kind::Text),
    ("resetPasswordFlags", Kind::Words(&["REQUIRE_ENTRY", "DO_NOT_ASK_CREDENTIALS_ON_BOOT", "LOCK_NOW"])),
    ("clearAppsDataParams", Kind::Object(&[("packageNames", Kind::Texts)])),
    ("startLostModeParams", Kind::Object(START_LOST_MODE)),
    ("stopLostModeParams", Kind::Object(&[])),
    ("wipeParams", Kind::Object(WIPE)),
];
const TYPES: &[&str] = &[
    "LOCK",
    "RESET_PASSWORD",
    "REBOOT",
    "RELINQUISH_OWNERSHIP",
    "CLEAR_APP_DATA",
    "START_LOST_MODE",
    "STOP_LOST_MODE",
    "WIPE",
];
const START_LOST_MODE: Shape = &[
    ("lostMessage", Kind::Object(MESSAGE)),
    ("lostPhoneNumber", Kind::Object(MESSAGE)),
    ("lostEmailAddress", Kind::Text),
    ("lostStreetAddress", Kind::Object(MESSAGE)),
    ("lostOrganization", Kind::Object(MESSAGE)),
];
const WIPE: Shape = &[
    (
        "wipeDataFlags",
        Kind::Words(&["PRESERVE_RESET_PROTECTION_DATA", "WIPE_EXTERNAL_STORAGE", "WIPE_ESIMS"]),
    ),
    ("wipeReason", Kind::Object(MESSAGE)),
];
/// Which parameters belong to which type.
const PARAMETERS: [(&str, &str); 6] = [
    ("newPassword", "RESET_PASSWORD"),
    ("resetPasswordFlags", "RESET_PASSWORD"),
    ("clearAppsDataParams", "CLEAR_APP_DATA"),
    ("startLostModeParams", "START_LOST_MODE"),
    ("stopLostModeParams", "STOP_LOST_MODE"),
    ("wipeParams", "WIPE"),
];
/// Google's own choice.
const USUAL: Duration = Duration::from_secs(600);
const METADATA: &str = "type.googleapis.com/google.android.devicemanagement.v1.Command";
const CANCELLED: i32 = 1;

pub(super) fn issue(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    let command = request.json()?;
    check(&command)?;
    let (serial, now) = (world.next(), world.now());
    let span = command["duration"].as_str().and_then(time::span).unwrap_or(USUAL);
    let device = world.device_mut(name).ok_or_else(|| Refusal::not_found(name))?;
    let mut metadata = command.clone();
    metadata["@type"] = json!(METADATA);
    metadata["createTime"] = json!(time::rfc3339(now));
    metadata["duration"] = json!(format!("{}s", span.as_secs()));
    metadata.as_object_mut().map(|it| it.remove("newPassword"));
    let resource = json!({"name": format!("{name}/operations/{serial}"), "metadata": metadata});
    let end = now.checked_add(span).unwrap_or(now);
    device.operations.insert(serial, Operation { resource: resource.clone(), command, end });
    Ok(resource)
}

fn check(command: &Value) -> Result<(), Refusal> {
    shape::check(COMMAND, command, "command")?;
    let kind = command["type"].as_str().ok_or_else(|| Refusal::invalid("type is missing"))?;
    let stray = PARAMETERS.iter().find(|(field, owner)| *owner != kind && command.get(field).is_some());
    if let Some((field, _)) = stray {
        return Err(Refusal::invalid(format!("{field} does not belong to {kind}")));
    }
    let lost = &command["startLostModeParams"];
    let shown = ["lostMessage", "lostPhoneNumber", "lostEmailAddress", "lostStreetAddress"];
    match kind {
        "WIPE" if command.get("wipeParams").is_none() => Err(Refusal::invalid("wipeParams is missing")),
        "START_LOST_MODE" if shown.iter().all(|field| lost.get(field).is_none()) => {
            Err(Refusal::invalid("startLostModeParams has nothing to show"))
        }
        "CLEAR_APP_DATA" if command.get("clearAppsDataParams").is_none() => {
            Err(Refusal::invalid("clearAppsDataParams is missing"))
        }
        _ => Ok(()),
    }
}

pub(super) fn list(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&["filter", "pageSize", "pageToken"])?;
    let device = name.trim_end_matches("/operations");
    let device = world.device(device).ok_or_else(|| Refusal::not_found(device))?;
    let newest_first = device.operations.values().rev().map(|it| it.resource.clone()).collect();
    let (page, next) = request.page(newest_first, 100)?;
    Ok(listed("operations", page, next))
}

pub(super) fn find(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    Ok(operation(world, name)?.resource.clone())
}

/// A command that is over stays as it is.
pub(super) fn cancel(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    let operation = operation(world, name)?;
    if !operation.is_done() {
        operation.resource["done"] = json!(true);
        operation.resource["error"] = json!({"code": CANCELLED, "message": "The operation was cancelled."});
        let resource = operation.resource.clone();
        world.notify(name, "COMMAND", Some(&resource));
    }
    Ok(json!({}))
}

fn operation<'a>(world: &'a mut World, name: &str) -> Result<&'a mut Operation, Refusal> {
    let missing = || Refusal::not_found(name);
    let (device, id) = name.split_once("/operations/").ok_or_else(missing)?;
    let id: u64 = id.parse().map_err(|_| missing())?;
    world.device_mut(device).and_then(|device| device.operations.get_mut(&id)).ok_or_else(missing)
}
