//! The messages of one subscription: at least once, until somebody acknowledges them.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::google::refusal::Refusal;
use crate::google::request::Request;
use crate::google::shape::{self, Kind};

use super::resources::PUSH;

const MAX_PULL: u64 = 1000;

/// A subscription; with an endpoint its messages are posted, else they are pulled.
pub(in crate::google) struct Subscription {
    pub(super) topic: String,
    deadline: Duration,
    push: Option<PushConfig>,
    queue: VecDeque<Queued>,
    serial: u64,
}

#[derive(Clone)]
struct PushConfig {
    endpoint: String,
    audience: String,
    account: String,
}

struct Queued {
    id: u64,
    message: Value,
    /// The delivery that may be acknowledged, and until when the message is its taker's.
    lease: Option<(String, SystemTime)>,
    posting: bool,
    deliveries: u64,
}

/// A message that is to be posted.
pub(in crate::google) struct Posting {
    pub(in crate::google) subscription: String,
    pub(in crate::google) id: u64,
    pub(in crate::google) message: Value,
    pub(in crate::google) endpoint: String,
    pub(in crate::google) audience: String,
    pub(in crate::google) account: String,
}

impl Subscription {
    pub(super) fn new(body: &Value, deadline: u64) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            topic: text(&body["topic"]),
            deadline: Duration::from_secs(deadline),
            push: PushConfig::read(&body["pushConfig"]),
            queue: VecDeque::new(),
            serial: 0,
        }
    }

    /// From now on messages are posted there; with an empty configuration they wait to be pulled.
    pub(super) fn modify_push_config(&mut self, request: &Request) -> Result<Value, Refusal> {
        let body = request.json()?;
        shape::check(&[("pushConfig", Kind::Object(PUSH))], &body, "request")?;
        let config = body.get("pushConfig").ok_or_else(|| Refusal::invalid("pushConfig is missing"))?;
        self.push = PushConfig::read(config);
        Ok(json!({}))
    }

    pub(super) fn add(&mut self, message: Value) {
        self.serial += 1;
        self.queue.push_back(Queued { id: self.serial, message, lease: None, posting: false, deliveries: 0 });
    }

    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn pull(
        &mut self,
        request: &Request,
        reorder: bool,
        now: SystemTime,
    ) -> Result<Value, Refusal> {
        let body = request.json()?;
        let shape = &[("maxMessages", Kind::Number), ("returnImmediately", Kind::Flag)];
        shape::check(shape, &body, "request")?;
        if self.push.is_some() {
            return Err(Refusal::failed_precondition("This subscription pushes"));
        }
        let most = body["maxMessages"].as_u64().filter(|it| (1..=MAX_PULL).contains(it));
        let most = most.ok_or_else(|| Refusal::invalid("maxMessages must be from 1 to 1000"))?;
        let until = now + self.deadline;
        let free = |it: &&mut Queued| it.lease.as_ref().is_none_or(|(_, until)| *until <= now);
        let mut taken: Vec<&mut Queued> = self.queue.iter_mut().filter(free).collect();
        if reorder {
            taken.reverse();
        }
        let received = taken.into_iter().take(usize::try_from(most).unwrap_or(1));
        let received: Vec<Value> = received.map(|it| it.lease_until(until)).collect();
        Ok(if received.is_empty() { json!({}) } else { json!({"receivedMessages": received}) })
    }

    /// What is not (any more) the caller's is passed over, as Pub/Sub does.
    pub(super) fn acknowledge(&mut self, request: &Request) -> Result<Value, Refusal> {
        let body = request.json()?;
        shape::check(&[("ackIds", Kind::Texts)], &body, "request")?;
        let ids = ack_ids(&body)?;
        self.queue.retain(|it| it.lease.as_ref().is_none_or(|(id, _)| !ids.contains(&id.as_str())));
        Ok(json!({}))
    }

    pub(super) fn modify_ack_deadline(
        &mut self,
        request: &Request,
        now: SystemTime,
    ) -> Result<Value, Refusal> {
        let body = request.json()?;
        shape::check(&[("ackIds", Kind::Texts), ("ackDeadlineSeconds", Kind::Number)], &body, "request")?;
        let seconds = body["ackDeadlineSeconds"].as_u64().filter(|it| *it <= 600);
        let seconds = seconds.ok_or_else(|| Refusal::invalid("ackDeadlineSeconds must be from 0 to 600"))?;
        let ids = ack_ids(&body)?;
        for (id, until) in self.queue.iter_mut().filter_map(|it| it.lease.as_mut()) {
            if ids.contains(&id.as_str()) {
                *until = now + Duration::from_secs(seconds);
            }
        }
        Ok(json!({}))
    }

    pub(super) fn postings(&mut self, name: &str, reorder: bool) -> Vec<Posting> {
        let Some(push) = self.push.clone() else { return Vec::new() };
        let due = self.queue.iter_mut().filter(|it| !it.posting);
        let posted = due.map(|it| {
            it.posting = true;
            let PushConfig { endpoint, audience, account } = push.clone();
            let (subscription, message) = (name.to_owned(), it.message.clone());
            Posting { subscription, id: it.id, message, endpoint, audience, account }
        });
        let mut postings: Vec<Posting> = posted.collect();
        if reorder {
            postings.reverse();
        }
        postings
    }

    pub(super) fn settle(&mut self, id: u64, taken: bool) {
        if taken {
            self.queue.retain(|it| it.id != id);
        } else if let Some(queued) = self.queue.iter_mut().find(|it| it.id == id) {
            queued.posting = false;
        }
    }
}

impl PushConfig {
    fn read(config: &Value) -> Option<Self> {
        let endpoint = config["pushEndpoint"].as_str()?;
        let token = &config["oidcToken"];
        Some(Self {
            endpoint: endpoint.to_owned(),
            audience: token["audience"].as_str().unwrap_or(endpoint).to_owned(),
            account: token["serviceAccountEmail"].as_str().unwrap_or_default().to_owned(),
        })
    }
}

impl Queued {
    fn lease_until(&mut self, until: SystemTime) -> Value {
        self.deliveries += 1;
        let ack_id = format!("ack-{}-{}", self.id, self.deliveries);
        self.lease = Some((ack_id.clone(), until));
        json!({"ackId": ack_id, "message": self.message})
    }
}

fn ack_ids(body: &Value) -> Result<Vec<&str>, Refusal> {
    let ids: Vec<&str> = body["ackIds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if ids.is_empty() { Err(Refusal::invalid("ackIds is missing")) } else { Ok(ids) }
}
