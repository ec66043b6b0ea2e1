//! The envelopes of Pub/Sub: pushed to us, or pulled by us.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::enterprise::NotificationType;
use crate::wire::{list, time};
use crate::{Malformed, decode};

/// The most that Pub/Sub carries, in bytes of base64: 10 MB.
const MAX_DATA: usize = 14 * 1024 * 1024;
/// The longest id that is taken for one.
const MAX_ID: usize = 200;

/// One message.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PubsubMessage {
    /// The same for every delivery of the message: the key to tell a repetition.
    pub message_id: String,
    /// When Google published it; nothing about when something happened.
    #[serde(default, deserialize_with = "time::deserialize")]
    pub publish_time: Option<SystemTime>,
    /// Of which one matters: `notificationType`.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    #[serde(default)]
    data: Option<String>,
}

impl PubsubMessage {
    /// What the message says it is about.
    pub fn notification_type(&self) -> Result<NotificationType, Malformed> {
        let word = self.attributes.get("notificationType").ok_or(Malformed::Missing("notificationType"))?;
        Ok(NotificationType::from_word(word))
    }

    /// The content as bytes; a test message has none.
    pub fn data(&self) -> Result<Option<Vec<u8>>, Malformed> {
        const WHAT: &str = "data of a message";
        let Some(data) = self.data.as_deref().filter(|data| !data.is_empty()) else { return Ok(None) };
        if data.len() > MAX_DATA {
            return Err(Malformed::TooLong(WHAT));
        }
        STANDARD.decode(data).map(Some).map_err(|_| Malformed::Base64(WHAT))
    }
}

impl fmt::Debug for PubsubMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PubsubMessage")
            .field("message_id", &self.message_id)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

/// The body of a push. Who sent it is proven by the token beside it, not by anything in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PushBody {
    /// The message.
    pub message: PubsubMessage,
    /// `projects/P/subscriptions/S`.
    #[serde(default)]
    pub subscription: String,
}

impl PushBody {
    /// Reads what was posted.
    pub fn decode(json: &[u8]) -> Result<Self, Malformed> {
        let body: Self = decode("a push of Pub/Sub", json)?;
        body.message.checked()?;
        Ok(body)
    }
}

/// What a pull answers: maybe nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PullResponse {
    /// At most as many as were asked for.
    #[serde(deserialize_with = "list::deserialize")]
    pub received_messages: Vec<ReceivedMessage>,
}

/// A message with what is needed to acknowledge this delivery of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedMessage {
    /// Another one at each delivery.
    pub ack_id: String,
    /// The message.
    pub message: PubsubMessage,
    /// How often it was delivered; only where the subscription counts.
    #[serde(default)]
    pub delivery_attempt: Option<u32>,
}

impl PullResponse {
    /// Reads the answer to a pull.
    pub fn decode(json: &[u8]) -> Result<Self, Malformed> {
        let response: Self = decode("an answer to a pull", json)?;
        response.check()?;
        Ok(response)
    }

    /// Whether every message has an id that can be a key; [`PullResponse::decode`] has looked already.
    pub fn check(&self) -> Result<(), Malformed> {
        self.received_messages.iter().try_for_each(|received| received.message.checked())
    }
}

impl PubsubMessage {
    /// The id becomes a key in a table.
    fn checked(&self) -> Result<(), Malformed> {
        match self.message_id.len() {
            0 => Err(Malformed::Missing("messageId")),
            1..=MAX_ID => Ok(()),
            _ => Err(Malformed::TooLong("messageId")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_push_is_read_as_google_writes_it() {
        let json = br#"{"message":{"attributes":{"notificationType":"STATUS_REPORT"},"data":"eyJhIjoxfQ==",
            "messageId":"136969346945","message_id":"136969346945","publishTime":"2024-11-19T07:06:40.5Z"},
            "subscription":"projects/p/subscriptions/s"}"#;
        let push = PushBody::decode(json).unwrap();
        assert_eq!(push.message.message_id, "136969346945");
        assert_eq!(push.subscription, "projects/p/subscriptions/s");
        assert_eq!(push.message.notification_type(), Ok(NotificationType::StatusReport));
        assert_eq!(push.message.data().unwrap().unwrap(), br#"{"a":1}"#);
        assert!(push.message.publish_time.is_some());
    }

    #[test]
    fn an_empty_pull_is_no_message() {
        assert_eq!(PullResponse::decode(b"{}").unwrap(), PullResponse::default());
        let json = br#"{"receivedMessages":[{"ackId":"a","message":{"messageId":"1"},"deliveryAttempt":2}]}"#;
        let received = PullResponse::decode(json).unwrap().received_messages;
        assert_eq!(received[0].ack_id, "a");
        assert_eq!(received[0].delivery_attempt, Some(2));
        assert_eq!(received[0].message.data(), Ok(None));
    }

    #[test]
    fn an_id_that_is_no_key_is_refused() {
        let push = |id: &str| PushBody::decode(format!(r#"{{"message":{{"messageId":"{id}"}}}}"#).as_bytes());
        assert_eq!(push(""), Err(Malformed::Missing("messageId")));
        assert_eq!(push(&"1".repeat(201)), Err(Malformed::TooLong("messageId")));
        assert!(push("1").is_ok());
    }

    #[test]
    fn data_that_is_no_base64_is_refused() {
        let json = br#"{"message":{"messageId":"1","data":"***"}}"#;
        let message = PushBody::decode(json).unwrap().message;
        assert_eq!(message.data(), Err(Malformed::Base64("data of a message")));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (PushBody::decode(&bytes), PullResponse::decode(&bytes));
        }
    }
}
