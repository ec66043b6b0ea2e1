//! `CheckOut`: a device, or a user on it, takes its leave.

use super::{
    Leaving,
    identity::{Rejection, admit},
    token_update::channel_key,
};
use crate::{ChannelKey, Credential, EnrollmentState, Mdm, Refusal};

impl Mdm {
    /// The device removed its profile. Best effort on its side: it may never say so.
    pub(super) async fn check_out(
        &self,
        credential: &Credential,
        message: &apple::CheckOut,
    ) -> Result<(), Rejection> {
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
            self.leave(&mut *tx, enrollment, Leaving::CheckedOut).await?;
        } else {
            tx.cancel_commands(enrollment.device, Some(&channel), self.clock.now()).await?;
            tx.remove_channel(enrollment.device, enrollment.id, &channel).await?;
        }
        Ok(tx.commit().await?)
    }
}
