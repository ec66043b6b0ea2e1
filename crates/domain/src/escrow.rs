//! Escrow: secrets that we keep for someone, and every look at one.

use serde_json::json;

use crate::{
    ActionKind, Actor, Command, DeviceId, Error, EscrowId, Event, Mdm, Result, Role, Thing, Timestamp,
    actions::{ERASE_PIN, LOCK_PIN},
    ports::EscrowRow,
};

mod reveal;
mod told;

pub use reveal::DeviceSecret;

/// A Mac's PIN, as someone who may look at it sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct RevealedPin {
    /// Six digits.
    pub pin: String,
    /// What it ends: [`ActionKind::LockScreen`] or [`ActionKind::WipeFull`].
    pub action: ActionKind,
    /// When that was asked.
    pub kept_at: Timestamp,
}

impl Mdm {
    /// The newest PIN that was sent, or is to be sent, to a Mac to lock or to erase it; leaves an audit event.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no device, or no PIN was ever made for it.
    pub async fn reveal_pin(&self, actor: &Actor, device: DeviceId) -> Result<RevealedPin> {
        actor.require(Role::Operator)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let mut rows = Vec::new();
        for (kind, action) in [(LOCK_PIN, ActionKind::LockScreen), (ERASE_PIN, ActionKind::WipeFull)] {
            rows.extend(tx.escrow(device, kind, 1).await?.into_iter().map(|row| (row, action)));
        }
        // Ids of commands are ordered by time, also within a millisecond.
        rows.sort_by_key(|(row, _)| (row.created_at, row.command));
        let (row, action) = rows.pop().ok_or(Error::NotFound(Thing::Secret))?;
        let pin = self.installation.open_sealed(&escrow_context(row.id), &row.sealed)?;
        let details = json!({ "secret": row.kind, "command": row.command });
        tx.record(&Event::by(actor, "secret.revealed", Some(device), details, self.clock.now())).await?;
        tx.commit().await?;
        let pin = String::from_utf8(pin).map_err(Error::internal)?;
        Ok(RevealedPin { pin, action, kept_at: row.created_at })
    }

    /// A secret of `command`, sealed, as it is to be kept before the command may leave.
    pub(crate) fn escrow_row(
        &self,
        command: &Command,
        kind: &str,
        value: impl AsRef<[u8]>,
    ) -> Result<EscrowRow> {
        let id = EscrowId(self.random.id());
        Ok(EscrowRow {
            id,
            device: command.device,
            enrollment: command.enrollment,
            kind: kind.into(),
            command: Some(command.id),
            sealed: self.installation.seal(&escrow_context(id), value.as_ref())?,
            created_at: self.clock.now(),
        })
    }
}

/// Where a secret in escrow is sealed.
pub(crate) fn escrow_context(id: EscrowId) -> String {
    format!("escrow/{id}")
}
