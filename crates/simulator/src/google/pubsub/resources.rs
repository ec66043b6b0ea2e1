//! Making topics and subscriptions, and saying who may publish.

use serde_json::{Value, json};

use super::{Pubsub, Subscription, Topic};
use crate::google::refusal::Refusal;
use crate::google::request::Request;
use crate::google::shape::{self, Kind, Shape};

const SUBSCRIPTION: Shape = &[
    ("topic", Kind::Text),
    ("ackDeadlineSeconds", Kind::Number),
    ("messageRetentionDuration", Kind::Span),
    ("expirationPolicy", Kind::Object(&[("ttl", Kind::Span)])),
    ("pushConfig", Kind::Object(PUSH)),
];
pub(super) const PUSH: Shape = &[("pushEndpoint", Kind::Text), ("oidcToken", Kind::Object(OIDC))];
const OIDC: Shape = &[("serviceAccountEmail", Kind::Text), ("audience", Kind::Text)];
const POLICY: Shape = &[
    ("version", Kind::Number),
    ("etag", Kind::Text),
    ("bindings", Kind::Objects(&[("role", Kind::Text), ("members", Kind::Texts)])),
];

pub(super) fn create_topic(pubsub: &mut Pubsub, request: &Request, name: &str) -> Result<Value, Refusal> {
    shape::check(&[("labels", Kind::TextMap)], &request.json()?, "topic")?;
    if pubsub.topics.contains_key(name) {
        return Err(Refusal::conflict("ALREADY_EXISTS", "Resource already exists in the project"));
    }
    pubsub.topics.insert(name.to_owned(), Topic::default());
    Ok(json!({"name": name}))
}

pub(super) fn policy(pubsub: &Pubsub, name: &str) -> Result<Value, Refusal> {
    let topic = pubsub.topics.get(name).ok_or_else(|| Refusal::not_found(name))?;
    let mut policy = topic.policy.clone();
    policy.insert("etag".to_owned(), json!(format!("E{}", topic.etag)));
    Ok(Value::Object(policy))
}

/// Two who change it at once cannot undo each other: the `etag` has to be the newest.
pub(super) fn set_policy(pubsub: &mut Pubsub, request: &Request, name: &str) -> Result<Value, Refusal> {
    let body = request.json()?;
    shape::check(&[("policy", Kind::Object(POLICY))], &body, "request")?;
    let topic = pubsub.topics.get_mut(name).ok_or_else(|| Refusal::not_found(name))?;
    if body["policy"]["etag"] != format!("E{}", topic.etag) {
        return Err(Refusal::conflict("ABORTED", "There were concurrent policy changes"));
    }
    topic.etag += 1;
    topic.policy = body["policy"].as_object().cloned().unwrap_or_default();
    topic.policy.remove("etag");
    policy(pubsub, name)
}

pub(super) fn create_subscription(
    pubsub: &mut Pubsub,
    request: &Request,
    name: &str,
) -> Result<Value, Refusal> {
    let mut body = request.json()?;
    shape::check(SUBSCRIPTION, &body, "subscription")?;
    let topic = body["topic"].as_str().ok_or_else(|| Refusal::invalid("topic is missing"))?;
    if !pubsub.topics.contains_key(topic) {
        return Err(Refusal::not_found(topic));
    }
    if pubsub.subscriptions.contains_key(name) {
        return Err(Refusal::conflict("ALREADY_EXISTS", "Resource already exists in the project"));
    }
    let deadline = body["ackDeadlineSeconds"].as_u64().unwrap_or(10);
    if !(10..=600).contains(&deadline) {
        return Err(Refusal::invalid("ackDeadlineSeconds must be from 10 to 600"));
    }
    pubsub.subscriptions.insert(name.to_owned(), Subscription::new(&body, deadline));
    body["name"] = json!(name);
    Ok(body)
}
