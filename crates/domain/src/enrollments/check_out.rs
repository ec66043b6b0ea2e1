//! `CheckOut`, and the way of every check-in message to its own file.

use serde_json::json;

use super::{
    identity::{Rejection, admit},
    token_update::channel_key,
};
use crate::{ChannelKey, Credential, EnrollmentState, Error, Event, Mdm, Refusal, ports::Tx};

impl Mdm {
    /// Takes a check-in message. When this returns, what it said is durably stored.
    ///
    /// A message of a type that is not handled is refused, logged, and harms nothing.
    pub async fn check_in(&self, credential: &Credential, message: &apple::CheckIn) -> Result<(), Rejection> {
        let taken = match message {
            apple::CheckIn::Authenticate(message) => self.authenticate(credential, message).await,
            apple::CheckIn::TokenUpdate(message) => self.update_token(credential, message).await,
            apple::CheckIn::CheckOut(message) => self.check_out(credential, message).await,
            apple::CheckIn::Unsupported { message_type, .. } => {
                Err(Refusal::Malformed(format!("the message type {message_type} is not handled here")).into())
            }
        };
        self.unless_purged(credential, taken).await
    }

    /// The device removed its profile. Best effort on its side: it may never say so.
    async fn check_out(&self, credential: &Credential, message: &apple::CheckOut) -> Result<(), Rejection> {
        self.judge(credential).await?;
        let identity = match self.directory.identity(&credential.fingerprint()).await? {
            Some(identity) => identity,
            None => return Err(self.unknown(credential).await),
        };
        if identity.enrollment_state == EnrollmentState::Over {
            return Ok(());
        }
        admit(&identity, message.ids.device_key())?;
        let mut tx = self.store.begin(identity.tenant).await?;
        let enrollment = tx.enrollment_for_update(identity.enrollment).await?.ok_or(Refusal::Unknown)?;
        let channel = channel_key(&message.ids);
        if channel == ChannelKey::default() {
            self.leave(&mut *tx, enrollment).await?;
        } else {
            tx.cancel_commands(enrollment.device, Some(&channel), self.clock.now()).await?;
            tx.remove_channel(enrollment.device, enrollment.id, &channel).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn leave(&self, tx: &mut dyn Tx, mut enrollment: crate::Enrollment) -> Result<(), Error> {
        let now = self.clock.now();
        enrollment.state = EnrollmentState::Over;
        tx.set_enrollment(&enrollment).await?;
        let Some(mut device) = tx.device_for_update(enrollment.device).await? else { return Ok(()) };
        if device.enrollment != enrollment.id {
            return Ok(());
        }
        if device.quarantined {
            // There is nothing left to decide about it.
            tx.discard_quarantined(device.id).await?;
        } else {
            tx.cancel_commands(device.id, None, now).await?;
            tx.drop_pushes(device.id).await?;
            device.managed = false;
            device.profile_removed = true;
            tx.set_device(&device).await?;
        }
        let details = json!({ "enrollment": enrollment.id });
        tx.record(&Event::of_device("device.checked_out", device.id, details, now)).await
    }
}
