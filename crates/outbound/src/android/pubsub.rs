//! Pub/Sub: taking notifications, and making the way that they take.

mod grant;

use std::time::Duration;

use ::android::notification::{PullResponse, ReceivedMessage};
use ::android::{SubscriptionName, TopicName};
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::Google;
use super::call::Call;
use super::error::Error;

/// The most messages that one pull takes.
pub const MAX_PULL: u16 = 1000;
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Acknowledgement<'a> {
    ack_ids: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_deadline_seconds: Option<u32>,
}

impl Google {
    /// Takes at most `most` messages; none may be there, after a wait of Pub/Sub's own choice.
    pub async fn pull(&self, from: &SubscriptionName, most: u16) -> Result<Vec<ReceivedMessage>, Error> {
        let most = most.clamp(1, MAX_PULL);
        let call = Call::pubsub(Method::POST, format!("{from}:pull")).body(&json!({"maxMessages": most}))?;
        let response: PullResponse = self.ask("an answer to a pull", call).await?;
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

    /// Makes the topic if it is missing, and lets Google's device management publish there: two to four calls.
    pub async fn prepare_topic(&self, topic: &TopicName) -> Result<(), Error> {
        let made = self.tell(Call::pubsub(Method::PUT, topic.as_str()).body(&json!({}))?).await;
        there_already(made)?;
        self.let_google_publish(topic).await
    }

    /// Makes the subscription if it is missing; one that is there stays as it is. It never ends by itself, and keeps
    /// its messages for a week.
    pub async fn prepare_subscription(
        &self,
        name: &SubscriptionName,
        topic: &TopicName,
        delivery: &Delivery,
    ) -> Result<(), Error> {
        let call = Call::pubsub(Method::PUT, name.as_str()).body(&subscription(topic, delivery))?;
        there_already(self.tell(call).await)
    }
}

fn subscription(topic: &TopicName, delivery: &Delivery) -> Value {
    let mut subscription = json!({
        "topic": topic,
        "ackDeadlineSeconds": ACK_DEADLINE_SECONDS,
        "messageRetentionDuration": format!("{}s", RETENTION.as_secs()),
        "expirationPolicy": {},
    });
    if let Delivery::Push { endpoint, service_account, audience } = delivery {
        subscription["pushConfig"] = json!({
            "pushEndpoint": endpoint,
            "oidcToken": {"serviceAccountEmail": service_account, "audience": audience},
        });
    }
    subscription
}

fn there_already(made: Result<(), Error>) -> Result<(), Error> {
    match made {
        Err(Error::Conflict { .. }) => Ok(()),
        other => other,
    }
}
