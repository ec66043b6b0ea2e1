//! The domain's port for pushes, on the APNs client.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Timestamp,
    ports::{Deliver, Delivery, PushCredentials},
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::apns::{Apns, Credentials, Outcome, Push};

#[async_trait]
impl Deliver for Apns {
    async fn push(
        &self,
        credentials: Arc<PushCredentials>,
        token: &[u8],
        magic: &str,
        now: Timestamp,
    ) -> Delivery {
        let credentials = Credentials {
            topic: &credentials.topic,
            fingerprint: credentials.fingerprint,
            certificate_chain: credentials
                .certificates
                .iter()
                .map(|der| CertificateDer::from(der.as_slice()))
                .collect(),
            key: PrivatePkcs8KeyDer::from(credentials.key.as_slice()).into(),
        };
        match Apns::push(self, &credentials, Push { token, magic }, now.system_time()).await {
            Outcome::Accepted { .. } => Delivery::Accepted,
            Outcome::TokenGone { .. } => Delivery::TokenGone,
            Outcome::Refused { status, reason } => Delivery::Refused { status, reason },
            Outcome::TryLater { after, why } => Delivery::TryLater { after, why },
        }
    }
}
