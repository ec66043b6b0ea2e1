//! Pub/Sub: topics, who may publish there, subscriptions and their messages.

mod queue;
mod resources;

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::request::Request;
use super::time;
use super::world::World;
pub(super) use queue::{Posting, Subscription};

const PUBLISHER: &str = "serviceAccount:android-cloud-policy@system.gserviceaccount.com";
const ROLE: &str = "roles/pubsub.publisher";

/// What goes wrong with notifications; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every so manieth message is lost for ever.
    pub lose_every: Option<u64>,
    /// Every so manieth message is delivered twice.
    pub duplicate_every: Option<u64>,
    /// The newest message is delivered first.
    pub reorder: bool,
    /// Messages are held back until they are released.
    pub delay: bool,
}

/// Topics and subscriptions, by resource name.
#[derive(Default)]
pub(super) struct Pubsub {
    pub(super) faults: Faults,
    topics: BTreeMap<String, Topic>,
    subscriptions: BTreeMap<String, Subscription>,
    published: u64,
    delayed: VecDeque<(String, Value)>,
}

#[derive(Default)]
struct Topic {
    policy: Map<String, Value>,
    etag: u64,
}

/// Answers one call; the caller's token is good.
pub(super) fn answer(world: &mut World, request: &Request) -> Result<Value, Refusal> {
    let (method, path, verb) = request.route();
    let rest = path.get(1..).unwrap_or_default();
    let name = rest.join("/");
    if rest.get(1).is_none_or(|project| *project != world.project_id) {
        return Err(Refusal::forbidden("The caller does not have permission on the project"));
    }
    request.only(&[])?;
    let now = world.now();
    let pubsub = &mut world.pubsub;
    match (method, rest, verb) {
        ("PUT", ["projects", _, "topics", _], None) => resources::create_topic(pubsub, request, &name),
        ("GET", ["projects", _, "topics", _], Some("getIamPolicy")) => resources::policy(pubsub, &name),
        ("POST", ["projects", _, "topics", _], Some("setIamPolicy")) => {
            resources::set_policy(pubsub, request, &name)
        }
        ("PUT", ["projects", _, "subscriptions", _], None) => {
            resources::create_subscription(pubsub, request, &name)
        }
        ("POST", ["projects", _, "subscriptions", _], Some(verb)) => {
            let reorder = pubsub.faults.reorder;
            let subscription =
                pubsub.subscriptions.get_mut(&name).ok_or_else(|| Refusal::not_found(&name))?;
            match verb {
                "pull" => subscription.pull(request, reorder, now),
                "acknowledge" => subscription.acknowledge(request),
                "modifyPushConfig" => subscription.modify_push_config(request),
                "modifyAckDeadline" => subscription.modify_ack_deadline(request, now),
                _ => Err(Refusal::not_found("the method")),
            }
        }
        _ => Err(Refusal::not_found("the method")),
    }
}

impl Pubsub {
    /// Publishes one message, as the faults let it.
    pub(super) fn publish(&mut self, topic: &str, kind: &str, data: Option<&Value>, now: SystemTime) {
        if !self.lets_google_publish(topic) {
            return;
        }
        self.published += 1;
        let id = (9_000_000_000_000_000 + self.published).to_string();
        let mut message = json!({"attributes": {"notificationType": kind}, "messageId": id, "message_id": id,
            "publishTime": time::rfc3339(now), "publish_time": time::rfc3339(now)});
        if let Some(data) = data {
            message["data"] = json!(STANDARD.encode(data.to_string()));
        }
        let hit =
            |every: Option<u64>| every.is_some_and(|every| every > 0 && self.published.is_multiple_of(every));
        if hit(self.faults.lose_every) {
            return;
        }
        let copies = if hit(self.faults.duplicate_every) { 2 } else { 1 };
        for _ in 0..copies {
            match self.faults.delay {
                true => self.delayed.push_back((topic.to_owned(), message.clone())),
                false => self.deliver(topic, &message),
            }
        }
    }

    pub(super) fn release(&mut self) {
        for (topic, message) in std::mem::take(&mut self.delayed) {
            self.deliver(&topic, &message);
        }
    }

    fn deliver(&mut self, topic: &str, message: &Value) {
        for subscription in self.subscriptions.values_mut().filter(|it| it.topic == topic) {
            subscription.add(message.clone());
        }
    }

    /// Whether the Android Management API could publish there.
    pub(super) fn lets_google_publish(&self, topic: &str) -> bool {
        let bindings = self.topics.get(topic).and_then(|topic| topic.policy.get("bindings")?.as_array());
        let grants = |binding: &Value| {
            let members = binding["members"].as_array();
            binding["role"] == ROLE && members.is_some_and(|it| it.iter().any(|member| member == PUBLISHER))
        };
        bindings.is_some_and(|bindings| bindings.iter().any(grants))
    }

    pub(super) fn waiting(&self, subscription: &str) -> usize {
        self.subscriptions.get(subscription).map_or(0, Subscription::waiting)
    }

    /// What is to be posted now, each with where to.
    pub(super) fn postings(&mut self) -> Vec<Posting> {
        let reorder = self.faults.reorder;
        let each = self.subscriptions.iter_mut();
        each.flat_map(|(name, subscription)| subscription.postings(name, reorder)).collect()
    }

    /// A posting was taken, or has to be made again.
    pub(super) fn settle(&mut self, posting: &Posting, taken: bool) {
        if let Some(subscription) = self.subscriptions.get_mut(&posting.subscription) {
            subscription.settle(posting.id, taken);
        }
    }
}
