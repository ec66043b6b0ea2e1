//! Escrow: secrets that we keep for someone, and every look at one.
//!
//! A secret that a command sets is kept in the transaction that queues the command ([`set`]), so that none can leave that
//! we do not have; the device's answer confirms or refuses it, and never removes or replaces another. A secret that a
//! device tells is kept when its answer is applied ([`told`]). Each stays with the enrollment in which it was kept: what
//! enrolls next inherits none, and whoever looks at one ([`reveal`]) is told of which enrollment it is.

use crate::{
    Command, CommandState, EscrowId, Mdm, Result, Timestamp,
    ports::{EscrowRow, Tx},
};

mod reveal;
mod secret;
mod set;
mod told;

pub use reveal::{Revealed, RevealedPin, SecretStanding};
pub use secret::DeviceSecret;
pub(crate) use set::set_by;

impl Mdm {
    /// A secret of `command`, sealed, as it is to be kept before the command may leave.
    pub(crate) fn escrow_row(
        &self,
        command: &Command,
        secret: DeviceSecret,
        value: impl AsRef<[u8]>,
    ) -> Result<EscrowRow> {
        let id = EscrowId(self.random.ordered_id());
        Ok(EscrowRow {
            id,
            device: command.device,
            enrollment: command.enrollment,
            kind: secret.name().into(),
            command: Some(command.id),
            sealed: self.installation.seal(&escrow_context(id), value.as_ref())?,
            created_at: self.clock.now(),
            confirmed_at: None,
            refused_at: None,
        })
    }

    /// What an answered command means for secrets: those that it set are confirmed or refused, those that it tells are
    /// kept. To be called after whatever else the answer changes.
    pub(crate) async fn settle_secrets(
        &self,
        tx: &mut dyn Tx,
        command: &Command,
        report: Option<&apple::Report>,
        now: Timestamp,
    ) -> Result<()> {
        if !is_about_secrets(&command.request_type) {
            return Ok(());
        }
        let sets = set::sets(&command.request_type);
        // As every other effect: then neither this nor a purge waits for the other while it has what that needs.
        if tx.device_for_update(command.device).await?.is_none() {
            return Ok(());
        }
        if sets {
            let took = set::took(command, report);
            tx.settle_escrow(command.device, command.id, took, now).await?;
        }
        match report.filter(|_| command.state == CommandState::Acknowledged) {
            Some(report) => self.keep_told(tx, command, report, now).await,
            None => Ok(()),
        }
    }
}

/// Whether such a command sets a secret, or its answer may tell one.
pub(crate) fn is_about_secrets(request_type: &str) -> bool {
    set::sets(request_type) || told::tells(request_type)
}

/// Where a secret in escrow is sealed.
pub(crate) fn escrow_context(id: EscrowId) -> String {
    format!("escrow/{id}")
}
