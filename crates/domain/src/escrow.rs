//! Escrow: secrets that we keep for someone, and every look at one.

use serde_json::json;

use crate::{
    Actor, Command, DeviceId, Error, EscrowId, Event, Mdm, Result, Role, Thing, actions::LOCK_PIN,
    ports::EscrowRow,
};

impl Mdm {
    /// The PIN of the last lock of a Mac; leaves an audit event.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no device, or no PIN was ever made for it.
    pub async fn reveal_pin(&self, actor: &Actor, device: DeviceId) -> Result<String> {
        actor.require(Role::Operator)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let row =
            tx.escrow(device, LOCK_PIN, 1).await?.into_iter().next().ok_or(Error::NotFound(Thing::Secret))?;
        let pin = self.installation.open_sealed(&context(row.id), &row.sealed)?;
        let details = json!({ "secret": row.kind, "command": row.command });
        tx.record(&Event::by(actor, "secret.revealed", Some(device), details, self.clock.now())).await?;
        tx.commit().await?;
        String::from_utf8(pin).map_err(Error::internal)
    }

    /// A secret of `command`, sealed, as it is to be kept before the command may leave.
    pub(crate) fn escrow_row(&self, command: &Command, kind: &str, value: &str) -> Result<EscrowRow> {
        let id = EscrowId(self.random.id());
        Ok(EscrowRow {
            id,
            device: command.device,
            enrollment: command.enrollment,
            kind: kind.into(),
            command: Some(command.id),
            sealed: self.installation.seal(&context(id), value.as_bytes())?,
            created_at: self.clock.now(),
        })
    }
}

fn context(id: EscrowId) -> String {
    format!("escrow/{id}")
}
