//! Tokens that devices left with us: what clears a passcode, and what lets a Mac's users in.

use serde_json::json;

use crate::{
    Actor, ChannelKey, DeviceId, DeviceName, Error, Event, Mdm, Result, Role, Thing,
    actions::unlock_token_context, enrollments::bootstrap_token_context,
};

/// Which of a device's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceToken {
    /// `UnlockToken`, of all but Macs.
    Unlock,
    /// `BootstrapToken`, of Macs above all.
    Bootstrap,
}

impl DeviceToken {
    /// As it is called in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unlock => "unlock-token",
            Self::Bootstrap => "bootstrap-token",
        }
    }
}

impl Mdm {
    /// A token that `device` left with us in the enrollment that it now has, or had last; leaves an audit event.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no device, or it left none.
    pub async fn reveal_token(&self, actor: &Actor, device: DeviceId, token: DeviceToken) -> Result<Vec<u8>> {
        actor.require(Role::Operator)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let record = tx.device_named(&DeviceName::Id(device)).await?.ok_or(Error::NotFound(Thing::Device))?;
        let enrollment = record.enrollment;
        let (sealed, context) = match token {
            DeviceToken::Unlock => {
                let channel = tx.channel(enrollment, &ChannelKey::default()).await?;
                (channel.and_then(|channel| channel.unlock_token), unlock_token_context(enrollment))
            }
            DeviceToken::Bootstrap => {
                (tx.bootstrap_token(enrollment).await?, bootstrap_token_context(enrollment))
            }
        };
        let plain =
            self.installation.open_sealed(&context, &sealed.ok_or(Error::NotFound(Thing::Secret))?)?;
        let details = json!({ "secret": token.name(), "enrollment": enrollment });
        tx.record(&Event::by(actor, "secret.revealed", Some(device), details, self.clock.now())).await?;
        tx.commit().await?;
        Ok(plain)
    }
}
