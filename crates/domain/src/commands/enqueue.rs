//! Putting commands into a device's queue.

use apple::command::{in_envelope, is_body};

use super::{judge::judge, tend::PATIENCE};
use crate::{
    ChannelKey, Command, CommandId, CommandState, Device, Installation, Mdm, Result, Schedule, Timestamp,
    ports::Tx,
};

impl Mdm {
    /// `request` as a command with the id `id` for the device channel of `device`; sealed if it holds a secret.
    pub(crate) fn new_command(
        &self,
        device: &Device,
        id: CommandId,
        request: &apple::Command,
        has_secret: bool,
    ) -> Result<Command> {
        let now = self.clock.now();
        let body = request.body();
        let channel = ChannelKey::default();
        let judged = judge(&in_envelope(&body, &wire_id(id)), &device.facts.target(&channel));
        if let Some(faults) = &judged.faults {
            tracing::warn!(command = %id, request = request.request_type(), faults, "a device may refuse a command");
        }
        let payload = if has_secret { self.installation.seal(&payload_context(id), &body)? } else { body };
        Ok(Command {
            id,
            device: device.id,
            enrollment: device.enrollment,
            channel,
            request_type: request.request_type().into(),
            action: None,
            dedupe: None,
            payload,
            sealed: has_secret,
            judged: Some(judged),
            state: CommandState::Queued,
            schedule: Schedule::default(),
            put_off: 0,
            // Whoever queues it asks for the first push in the same transaction.
            wake_at: now.plus(PATIENCE),
            result: None,
            result_sealed: false,
            queued_at: now,
            handed_over_at: None,
            finished_at: None,
        })
    }

    /// Asks `device` for what the Device API shows of it.
    pub(crate) async fn ask_inventory(&self, tx: &mut dyn Tx, device: &Device, now: Timestamp) -> Result<()> {
        let mut commands = Vec::new();
        for (request, dedupe) in
            [(device.inventory_queries(), "inventory"), (apple::command::SecurityInfo.into(), "security")]
        {
            let id = CommandId(self.random.ordered_id());
            let mut command = self.new_command(device, id, &request, false)?;
            command.dedupe = Some(dedupe.into());
            commands.push(command);
        }
        tx.add_commands(&commands).await?;
        tx.ask_push(device.id, &ChannelKey::default(), now).await
    }
}

/// `CommandUUID` as Apple's own tools write it.
pub(crate) fn wire_id(id: CommandId) -> String {
    id.0.hyphenated().encode_upper(&mut uuid::Uuid::encode_buffer()).to_owned()
}

/// Where the payload of a command is sealed.
pub(crate) fn payload_context(id: CommandId) -> String {
    format!("command/{id}")
}

/// The plist of a command as its device gets it, opened where it is sealed. Commands of earlier versions are stored whole.
pub(crate) fn plain_payload(
    installation: &Installation,
    id: CommandId,
    payload: Vec<u8>,
    sealed: bool,
) -> Result<Vec<u8>> {
    let opened = if sealed { installation.open_sealed(&payload_context(id), &payload)? } else { payload };
    Ok(if is_body(&opened) { in_envelope(&opened, &wire_id(id)) } else { opened })
}
