//! Pub/Sub: taking notifications, and making the way that they take.

mod grant;

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use ::android::notification::{PullResponse, ReceivedMessage};
use ::android::{Malformed, SubscriptionName, TopicName};
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::Google;
use super::call::Call;
use super::error::Error;

/// The most messages that one pull takes: each may be a report of half a megabyte, and an answer has a bound.
pub const MAX_PULL: u16 = 20;
/// How many acknowledgements go into one call; Pub/Sub bounds their bytes.
const MAX_ACKS: usize = 500;
/// How long Pub/Sub keeps what nobody acknowledges: its most, a week.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long a message is ours before Pub/Sub hands it out again.
const ACK_DEADLINE_SECONDS: u32 = 60;

/// How a subscription brings its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// We take them: needs no address that Google could reach.
    Pull,
    /// Google posts them to us, with a token that [`PushTokens`](super::PushTokens) judges.
    Push {
        /// Where to; `https`.
        endpoint: String,
        /// As whom: a service account of the project.
        service_account: String,
        /// For whom the token is made.
        audience: String,
    },
}

/// How many messages a pull takes: half as many after an answer that was too long, then slowly more again.
pub(super) struct PullSize(AtomicU16);

impl Default for PullSize {
    fn default() -> Self {
        Self(AtomicU16::new(MAX_PULL))
    }
}

impl PullSize {
    fn at_most(&self, wanted: u16) -> u16 {
        wanted.clamp(1, self.0.load(Ordering::Relaxed).clamp(1, MAX_PULL))
    }

    fn learn(&self, asked: u16, too_long: bool) {
        let size = if too_long { asked / 2 } else { self.0.load(Ordering::Relaxed).saturating_add(1) };
        self.0.store(size.clamp(1, MAX_PULL), Ordering::Relaxed);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Acknowledgement<'a> {
    ack_ids: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_deadline_seconds: Option<u32>,
}

impl Google {
    /// Takes at most `most` messages, and never more than [`MAX_PULL`]; none may be there, after a wait of
    /// Pub/Sub's own choice. If they are too long together, later pulls take fewer; these come again then.
    pub async fn pull(&self, from: &SubscriptionName, most: u16) -> Result<Vec<ReceivedMessage>, Error> {
        let most = self.pull_size.at_most(most);
        let call = Call::pubsub(Method::POST, format!("{from}:pull")).body(&json!({"maxMessages": most}))?;
        let pulled = self.ask("an answer to a pull", call).await;
        self.pull_size.learn(most, matches!(pulled, Err(Error::Malformed(Malformed::TooLong(_)))));
        let response: PullResponse = pulled?;
        response.check()?;
        Ok(response.received_messages)
    }

    /// Says that deliveries were stored; each 500 are a call. What is not acknowledged comes again.
    pub async fn acknowledge(&self, on: &SubscriptionName, ack_ids: &[String]) -> Result<(), Error> {
        for ack_ids in ack_ids.chunks(MAX_ACKS) {
            let body = Acknowledgement { ack_ids, ack_deadline_seconds: None };
            self.tell(Call::pubsub(Method::POST, format!("{on}:acknowledge")).body(&body)?).await?;
        }
        Ok(())
    }

    /// Asks for more time for deliveries, at most 600 seconds; zero gives them back at once.
    pub async fn modify_ack_deadline(
        &self,
        on: &SubscriptionName,
        ack_ids: &[String],
        seconds: u16,
    ) -> Result<(), Error> {
        for ack_ids in ack_ids.chunks(MAX_ACKS) {
            let body = Acknowledgement { ack_ids, ack_deadline_seconds: Some(u32::from(seconds.min(600))) };
            self.tell(Call::pubsub(Method::POST, format!("{on}:modifyAckDeadline")).body(&body)?).await?;
        }
        Ok(())
    }

    /// Makes the topic if it is missing, and lets Google's device management publish there: two to four
    /// calls.
    pub async fn prepare_topic(&self, topic: &TopicName) -> Result<(), Error> {
        let made = self.tell(Call::pubsub(Method::PUT, topic.as_str()).body(&json!({}))?).await;
        there_already(made)?;
        self.let_google_publish(topic).await
    }

    /// Makes the subscription if it is missing; one that is there stays as it is. It never ends by itself,
    /// and keeps its messages for a week.
    pub async fn prepare_subscription(
        &self,
        name: &SubscriptionName,
        topic: &TopicName,
        delivery: &Delivery,
    ) -> Result<(), Error> {
        let call = Call::pubsub(Method::PUT, name.as_str()).body(&subscription(topic, delivery))?;
        there_already(self.tell(call).await)
    }

    /// Lets a subscription bring its messages in another way; those that wait come in that way too.
    pub async fn set_delivery(&self, name: &SubscriptionName, delivery: &Delivery) -> Result<(), Error> {
        let body = json!({"pushConfig": delivery.push_config().unwrap_or_else(|| json!({}))});
        self.tell(Call::pubsub(Method::POST, format!("{name}:modifyPushConfig")).body(&body)?).await
    }
}

impl Delivery {
    fn push_config(&self) -> Option<Value> {
        let Self::Push { endpoint, service_account, audience } = self else { return None };
        Some(json!({
            "pushEndpoint": endpoint,
            "oidcToken": {"serviceAccountEmail": service_account, "audience": audience},
        }))
    }
}

fn subscription(topic: &TopicName, delivery: &Delivery) -> Value {
    let mut subscription = json!({
        "topic": topic,
        "ackDeadlineSeconds": ACK_DEADLINE_SECONDS,
        "messageRetentionDuration": format!("{}s", RETENTION.as_secs()),
        "expirationPolicy": {},
    });
    if let Some(config) = delivery.push_config() {
        subscription["pushConfig"] = config;
    }
    subscription
}

fn there_already(made: Result<(), Error>) -> Result<(), Error> {
    match made {
        Err(Error::Conflict { .. }) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulls_shrink_quickly_and_grow_slowly() {
        let size = PullSize::default();
        assert_eq!((size.at_most(0), size.at_most(5), size.at_most(1000)), (1, 5, MAX_PULL));
        size.learn(MAX_PULL, true);
        assert_eq!(size.at_most(1000), MAX_PULL / 2);
        size.learn(MAX_PULL / 2, false);
        assert_eq!(size.at_most(1000), MAX_PULL / 2 + 1);
        (0..20).for_each(|_| size.learn(size.at_most(1000), true));
        assert_eq!(size.at_most(1000), 1);
        (0..100).for_each(|_| size.learn(1, false));
        assert_eq!(size.at_most(1000), MAX_PULL);
    }
}
