//! Policies. Of all their settings only what devices report is checked and obeyed.

use serde_json::{Map, Value, json};

use crate::google::refusal::Refusal;
use crate::google::request::Request;
use crate::google::shape::{self, Kind, Shape};
use crate::google::world::World;

const REPORTS: Shape = &[
    ("applicationReportsEnabled", Kind::Flag),
    ("applicationReportingSettings", Kind::Object(&[("includeRemovedApps", Kind::Flag)])),
    ("deviceSettingsEnabled", Kind::Flag),
    ("softwareInfoEnabled", Kind::Flag),
    ("memoryInfoEnabled", Kind::Flag),
    ("networkInfoEnabled", Kind::Flag),
    ("displayInfoEnabled", Kind::Flag),
    ("powerManagementEventsEnabled", Kind::Flag),
    ("hardwareStatusEnabled", Kind::Flag),
    ("systemPropertiesEnabled", Kind::Flag),
    ("commonCriteriaModeEnabled", Kind::Flag),
    ("defaultApplicationInfoReportingEnabled", Kind::Flag),
];
const OWN: Shape = &[("name", Kind::Text), ("version", Kind::Int64)];

pub(super) fn find(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    let enterprise = world.enterprise_of(name).ok_or_else(|| Refusal::not_found(name))?;
    let policy = enterprise.policies.get(name).ok_or_else(|| Refusal::not_found(name))?;
    Ok(Value::Object(policy.clone()))
}

/// Makes the policy, or changes it; its version grows.
pub(super) fn patch(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&["updateMask"])?;
    let body = request.json()?;
    if let Some(reports) = body.get("statusReportingSettings") {
        shape::check(REPORTS, reports, "policy.statusReportingSettings")?;
    }
    let mut fields = body.as_object().cloned().unwrap_or_default();
    // Google's own fields must be of their types, but what they say is passed over.
    let own = ["name", "version"].into_iter().filter_map(|field| fields.remove_entry(field));
    shape::check(OWN, &Value::Object(own.collect()), "policy")?;
    let enterprise = world.enterprise_of(name).ok_or_else(|| Refusal::not_found(name))?;
    let policy = enterprise.policies.entry(name.to_owned()).or_insert_with(|| {
        Map::from_iter([("name".to_owned(), json!(name)), ("version".to_owned(), json!("0"))])
    });
    set(policy, &fields, request.parameter("updateMask"))?;
    let version: i64 = policy["version"].as_str().and_then(|it| it.parse().ok()).unwrap_or(0);
    policy.insert("version".to_owned(), json!((version + 1).to_string()));
    Ok(Value::Object(policy.clone()))
}

fn set(
    policy: &mut Map<String, Value>,
    fields: &Map<String, Value>,
    mask: Option<&str>,
) -> Result<(), Refusal> {
    let Some(mask) = mask else {
        policy.retain(|name, _| name == "name" || name == "version");
        policy.extend(fields.clone());
        return Ok(());
    };
    let mask: Vec<&str> = mask.split(',').collect();
    if let Some(stray) = fields.keys().find(|it| !mask.contains(&it.as_str())) {
        return Err(Refusal::invalid(format!("{stray:?} is in the body, but not in updateMask")));
    }
    for name in mask {
        match fields.get(name) {
            Some(value) => policy.insert(name.to_owned(), value.clone()),
            None => policy.remove(name),
        };
    }
    Ok(())
}
