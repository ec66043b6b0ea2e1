//! Signing up, enterprises, tokens for pages.

use serde_json::{Map, Value, json};

use crate::google::refusal::Refusal;
use crate::google::request::Request;
use crate::google::shape::{self, Kind, Shape};
use crate::google::world::{Enterprise, SignUp, World};

const TYPES: &[&str] =
    &["ENROLLMENT", "COMPLIANCE_REPORT", "STATUS_REPORT", "COMMAND", "USAGE_LOGS", "ENTERPRISE_UPGRADE"];
const ENTERPRISE: Shape = &[
    ("enterpriseDisplayName", Kind::Text),
    ("pubsubTopic", Kind::Text),
    ("enabledNotificationTypes", Kind::Words(TYPES)),
    ("primaryColor", Kind::Number),
    ("logo", Kind::Object(&[("url", Kind::Text), ("sha256Hash", Kind::Text)])),
    ("contactInfo", Kind::Anything),
    ("termsAndConditions", Kind::Anything),
    ("signinDetails", Kind::Anything),
];
const FEATURES: &[&str] = &[
    "PLAY_SEARCH",
    "PRIVATE_APPS",
    "WEB_APPS",
    "STORE_BUILDER",
    "MANAGED_CONFIGURATIONS",
    "ZERO_TOUCH_CUSTOMER_MANAGEMENT",
];
const WEB_TOKEN: Shape = &[("parentFrameUrl", Kind::Text), ("enabledFeatures", Kind::Words(FEATURES))];

fn own_project(world: &World, request: &Request) -> Result<(), Refusal> {
    match request.needed("projectId")? == world.project_id {
        true => Ok(()),
        false => Err(Refusal::forbidden("The caller does not have permission on the project")),
    }
}

pub(super) fn create_signup_url(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    request.only(&["projectId", "callbackUrl", "adminEmail", "allowedDomains"])?;
    request.no_body()?;
    own_project(world, request)?;
    let callback = reqwest::Url::parse(request.needed("callbackUrl")?);
    if !callback.is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
        return Err(Refusal::invalid("callbackUrl is not a URL"));
    }
    let name = format!("signupUrls/C{:08x}", world.next());
    let url = format!("https://play.google.com/work/adminsignup?token=S{}", world.next());
    world.sign_ups.insert(name.clone(), SignUp { url: url.clone(), token: None });
    Ok(json!({"name": name, "url": url}))
}

pub(super) fn create(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    request.only(&["projectId", "signupUrlName", "enterpriseToken", "agreementAccepted"])?;
    own_project(world, request)?;
    let body = request.json()?;
    let (sign_up, token) = (request.needed("signupUrlName")?, request.needed("enterpriseToken")?);
    let invited = world.sign_ups.get(sign_up).ok_or_else(|| Refusal::not_found("the sign-up URL"))?;
    if invited.token.as_deref() != Some(token) {
        return Err(Refusal::invalid("enterpriseToken is not valid"));
    }
    let mut resource = Map::new();
    apply(world, &mut resource, &body, None)?;
    world.sign_ups.remove(sign_up);
    let name = format!("enterprises/LC{:08x}", world.next());
    resource.insert("name".to_owned(), json!(name));
    let answer = Value::Object(resource.clone());
    world.enterprises.insert(name, Enterprise { resource, ..Enterprise::default() });
    Ok(answer)
}

pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    request.only(&["projectId", "view", "pageSize", "pageToken"])?;
    request.no_body()?;
    own_project(world, request)?;
    let basic = |it: &Enterprise| json!({"name": it.resource["name"]});
    let (page, next) = request.page(world.enterprises.values().map(basic).collect(), 100)?;
    Ok(super::devices::listed("enterprises", page, next))
}

pub(super) fn find(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    let found = world.enterprises.get(name).ok_or_else(|| Refusal::not_found(name))?;
    Ok(Value::Object(found.resource.clone()))
}

pub(super) fn patch(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&["updateMask"])?;
    let body = request.json()?;
    let mut resource = world.enterprises.get(name).ok_or_else(|| Refusal::not_found(name))?.resource.clone();
    apply(world, &mut resource, &body, request.parameter("updateMask"))?;
    if let Some(enterprise) = world.enterprises.get_mut(name) {
        enterprise.resource.clone_from(&resource);
    }
    Ok(Value::Object(resource))
}

/// Sets what the mask names, and looks whether notifications could be published.
fn apply(
    world: &World,
    resource: &mut Map<String, Value>,
    body: &Value,
    mask: Option<&str>,
) -> Result<(), Refusal> {
    shape::check(ENTERPRISE, body, "enterprise")?;
    let settable: Vec<&str> = ENTERPRISE.iter().map(|(name, _)| *name).collect();
    for field in shape::mask(mask, &settable, body)? {
        match body.get(&field) {
            Some(value) => resource.insert(field, value.clone()),
            None => resource.remove(&field),
        };
    }
    let long = |text: &str| text.chars().count() > 100;
    if resource.get("enterpriseDisplayName").and_then(Value::as_str).is_some_and(long) {
        return Err(Refusal::invalid("enterpriseDisplayName is too long"));
    }
    let types = resource.get("enabledNotificationTypes").and_then(Value::as_array);
    match resource.get("pubsubTopic").and_then(Value::as_str) {
        Some(topic) if !world.pubsub.lets_google_publish(topic) => {
            Err(Refusal::invalid("The topic does not exist, or android-cloud-policy may not publish there"))
        }
        None if types.is_some_and(|types| !types.is_empty()) => {
            Err(Refusal::invalid("enabledNotificationTypes needs pubsubTopic"))
        }
        _ => Ok(()),
    }
}

pub(super) fn create_web_token(world: &mut World, request: &Request, name: &str) -> Result<Value, Refusal> {
    request.only(&[])?;
    let mut body = request.json()?;
    shape::check(WEB_TOKEN, &body, "webToken")?;
    if !world.enterprises.contains_key(name) {
        return Err(Refusal::not_found(name));
    }
    if !body["parentFrameUrl"].as_str().is_some_and(|url| url.starts_with("https://")) {
        return Err(Refusal::invalid("parentFrameUrl must be https"));
    }
    let id = world.next();
    body["name"] = json!(format!("{name}/webTokens/{id}"));
    body["value"] = json!(format!("web-token-{id}"));
    Ok(body)
}
