//! Pushes, on their way to Apple.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::Timestamp;

/// What proves to APNs that we may push to a topic.
pub struct PushCredentials {
    /// The topic, `com.apple.mgmt.…`.
    pub topic: String,
    /// The certificate and its chain, DER, leaf first.
    pub certificates: Vec<Vec<u8>>,
    /// The private key, PKCS#8 DER.
    pub key: Vec<u8>,
    /// SHA-256 of the leaf: names the connection that these credentials opened.
    pub fingerprint: [u8; 32],
}

/// Delivers pushes.
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Wakes the channel that has `token` and `magic`. Never fails: what went wrong is in the answer.
    async fn push(
        &self,
        credentials: Arc<PushCredentials>,
        token: &[u8],
        magic: &str,
        now: Timestamp,
    ) -> Delivery;
}

/// What APNs said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Taken.
    Accepted,
    /// 410: the token is dead.
    TokenGone,
    /// Another refusal: our certificate, topic or request is wrong, not the token.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Apple's reason.
        reason: String,
    },
    /// Not now: 429, 5xx or the network.
    TryLater {
        /// What APNs asked us to wait.
        after: Option<Duration>,
        /// What happened, for the log.
        why: String,
    },
}
