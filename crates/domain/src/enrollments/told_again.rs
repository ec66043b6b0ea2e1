//! A `TokenUpdate` that tells nothing new, as nearly all of them: one step on the hot road, and nothing looked up before it.

use super::identity::Rejection;
use crate::{Credential, EnrollmentId, Mdm, ports::TokenStep};

impl Mdm {
    /// Takes the token where that is all there is to do; false where the ordinary road has to find out what there is.
    ///
    /// The enrollment is the one that our own certificate names: the unlock token is sealed for it before the store has seen
    /// the certificate. The store serves the step only if it knows the certificate as that enrollment's.
    pub(super) async fn told_again(
        &self,
        credential: &Credential,
        message: &apple::TokenUpdate,
    ) -> Result<bool, Rejection> {
        let Some(enrollment) = named_in(credential).filter(|_| message.awaiting_configuration != Some(true))
        else {
            return Ok(false);
        };
        let now = self.clock.now();
        let step = TokenStep {
            fingerprint: credential.fingerprint(),
            key: message.ids.device_key().into(),
            channel: self.channel_of(enrollment, message, now)?,
            bound: Some((enrollment, message.topic.clone())),
            now,
        };
        Ok(self.road.update_token(step).await?.served.is_some())
    }
}

/// The enrollment that the certificate was issued for, if it is one of ours.
fn named_in(credential: &Credential) -> Option<EnrollmentId> {
    credential.certificate().subject_common_name()?.parse().ok()
}
