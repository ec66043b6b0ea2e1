//! How a device's messages leave it: as itself, as somebody else, or as nobody.

use super::failure::{Breach, Failure};
use super::identity::{Credential, Identity};
use super::mood::LostAnswer;
use super::refusal::{self, Judgement};
use super::wire::{Answer, Request};
use super::{AppleDevice, Management};

/// In whose name a message is sent; what is not [`By::Itself`] is for tests of what a server refuses.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// The device, in its own way.
    Itself,
    /// Nobody: no signature, no certificate.
    Nobody,
    /// Whoever owns this, in the device's way.
    Other(&'a Credential),
    /// The device, but the signature is over this body and not over the one that is sent.
    SignedOver(&'a [u8]),
}

impl AppleDevice {
    /// Sends anything and judges nothing: whatever the state of the device, and without a trace in it.
    ///
    /// # Errors
    /// [`Failure::Unreachable`], and [`Failure::Impossible`] for a signature that cannot be made.
    pub async fn send(&self, request: Request, by: By<'_>) -> Result<Answer, Failure> {
        let roots = &self.accepted.roots;
        let wire = match (by, &self.options.identity) {
            (By::Other(other), Identity::TlsClientCertificate) => {
                self.options.transport.identified(roots, other)?
            }
            (By::Nobody, Identity::TlsClientCertificate) => self.options.transport.trusting(roots)?,
            _ => self.wire.clone(),
        };
        wire.exchange(&self.signed(request, by)?).await
    }

    /// Sends a message of a managed device; only a 200 is an answer.
    pub(super) async fn deliver(&mut self, request: Request) -> Result<Answer, Failure> {
        if let Management::Dropped(why) = &self.management {
            return Err(Failure::NotEnrolled(why.clone()));
        }
        if self.mood.offline {
            return Err(Failure::Offline);
        }
        let request = self.signed(request, By::Itself)?;
        let mut answer = self.wire.exchange(&request).await?;
        match self.mood.lose_next_answer.take() {
            None => {}
            Some(LostAnswer::ForGood) => return Err(Failure::Lost),
            Some(LostAnswer::Retried) => answer = self.wire.exchange(&request).await?,
        }
        match refusal::judge(&answer, self.options.model.platform, self.options.model.os()) {
            Judgement::Fine => Ok(answer),
            Judgement::Failed(failure) => Err(failure),
            Judgement::Unenroll(why) => {
                self.drop_management(why.clone());
                Err(Failure::NotEnrolled(why))
            }
        }
    }

    /// As [`deliver`](Self::deliver), for a message whose 200 must be empty.
    pub(super) async fn deliver_for_nothing(&mut self, request: Request, what: &str) -> Result<(), Failure> {
        let answer = self.deliver(request).await?;
        refusal::must_be_empty(&answer, what).map_err(|breach: Breach| breach.into())
    }

    fn signed(&self, request: Request, by: By<'_>) -> Result<Request, Failure> {
        let (credential, body) = match by {
            By::Nobody => return Ok(request),
            By::Itself => (&self.credential, None),
            By::Other(credential) => (credential, None),
            By::SignedOver(body) => (&self.credential, Some(body)),
        };
        let now = (self.options.transport.clock())();
        self.options.identity.apply(request, credential, body, now)
    }
}
