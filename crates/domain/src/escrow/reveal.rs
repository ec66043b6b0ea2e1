//! Looking at a secret: it needs a right, and is written down.

use serde_json::json;

use super::escrow_context;
use crate::{
    Actor, ChannelKey, DeviceId, DeviceName, EnrollmentId, Error, Event, Mdm, Result, Role, Thing,
    actions::{ERASE_PIN, LOCK_PIN, unlock_token_context},
    enrollments::bootstrap_token_context,
    ports::Tx,
};

/// A secret of a device, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceSecret {
    /// `UnlockToken`, of all but Macs: clears the passcode.
    UnlockToken,
    /// `BootstrapToken`, of Macs above all: lets users in, and updates.
    BootstrapToken,
    /// The PIN that unlocks a Mac.
    LockPin,
    /// The PIN that opens a Mac after it was erased.
    ErasePin,
    /// What an administrator set as the password of a Mac's recoveryOS.
    RecoveryLockPassword,
    /// What an administrator set as the password of a Mac's firmware.
    FirmwarePassword,
    /// What takes the Activation Lock off; text.
    ActivationLockBypassCode,
    /// The recovery key of FileVault as a Mac tells it: CMS, for the certificate that it was given.
    FileVaultRecoveryKey,
}

impl DeviceSecret {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::UnlockToken,
        Self::BootstrapToken,
        Self::LockPin,
        Self::ErasePin,
        Self::RecoveryLockPassword,
        Self::FirmwarePassword,
        Self::ActivationLockBypassCode,
        Self::FileVaultRecoveryKey,
    ];

    /// Whether it is a text as people type it, and no bytes.
    pub fn is_text(self) -> bool {
        match self {
            Self::UnlockToken | Self::BootstrapToken | Self::FileVaultRecoveryKey => false,
            Self::LockPin
            | Self::ErasePin
            | Self::RecoveryLockPassword
            | Self::FirmwarePassword
            | Self::ActivationLockBypassCode => true,
        }
    }

    /// As it is called in escrow, in the audit log and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnlockToken => "unlock-token",
            Self::BootstrapToken => "bootstrap-token",
            Self::LockPin => LOCK_PIN,
            Self::ErasePin => ERASE_PIN,
            Self::RecoveryLockPassword => "recovery-lock-password",
            Self::FirmwarePassword => "firmware-password",
            Self::ActivationLockBypassCode => "activation-lock-bypass-code",
            Self::FileVaultRecoveryKey => "filevault-recovery-key",
        }
    }
}

impl Mdm {
    /// The newest secret of this kind that `device` has left with us, or that we made for it; of tokens, that of the
    /// enrollment that it now has, or had last. Leaves an audit event.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no device, or no such secret.
    pub async fn reveal(&self, actor: &Actor, device: DeviceId, secret: DeviceSecret) -> Result<Vec<u8>> {
        actor.require(Role::Operator)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let record = tx.device_named(&DeviceName::Id(device)).await?.ok_or(Error::NotFound(Thing::Device))?;
        let (sealed, context) = match secret {
            DeviceSecret::UnlockToken => unlock_token(&mut *tx, record.enrollment).await?,
            DeviceSecret::BootstrapToken => bootstrap_token(&mut *tx, record.enrollment).await?,
            kept => in_escrow(&mut *tx, device, kept).await?,
        }
        .ok_or(Error::NotFound(Thing::Secret))?;
        let plain = self.installation.open_sealed(&context, &sealed)?;
        let details = json!({ "secret": secret.name(), "enrollment": record.enrollment });
        tx.record(&Event::by(actor, "secret.revealed", Some(device), details, self.clock.now())).await?;
        tx.commit().await?;
        Ok(plain)
    }
}

/// What is sealed, and for which place.
type Sealed = Option<(Vec<u8>, String)>;

async fn unlock_token(tx: &mut dyn Tx, enrollment: EnrollmentId) -> Result<Sealed> {
    let channel = tx.channel(enrollment, &ChannelKey::default()).await?;
    let sealed = channel.and_then(|channel| channel.unlock_token);
    Ok(sealed.map(|sealed| (sealed, unlock_token_context(enrollment))))
}

async fn bootstrap_token(tx: &mut dyn Tx, enrollment: EnrollmentId) -> Result<Sealed> {
    let sealed = tx.bootstrap_token(enrollment).await?;
    Ok(sealed.map(|sealed| (sealed, bootstrap_token_context(enrollment))))
}

async fn in_escrow(tx: &mut dyn Tx, device: DeviceId, secret: DeviceSecret) -> Result<Sealed> {
    let newest = tx.escrow(device, secret.name(), 1).await?.into_iter().next();
    Ok(newest.map(|row| (row.sealed, escrow_context(row.id))))
}
