//! Asking an Android device to do something: commands, each with a call to Google that waits.

use super::AndroidRequest;
use crate::{
    ActionKind, Actor, ChannelKey, Command, CommandId, CommandState, Device, Error, Event, Mdm, Result,
    Schedule, Timestamp,
    commands::payload_context,
    ports::{AndroidCall, AndroidCallKind, Tx, Worker},
};

impl Mdm {
    /// Queues the requests of an action, each behind the success of the one before: accepted once that is committed. The device's
    /// rows are locked, its enrollment's first.
    pub(crate) async fn queue_for_android(
        &self,
        mut tx: Box<dyn Tx>,
        actor: &Actor,
        device: &Device,
        (kind, requests): (ActionKind, Vec<AndroidRequest>),
    ) -> Result<CommandId> {
        let now = self.clock.now();
        let mut chain = Chain { kind, ids: Vec::new(), is_new: false };
        for request in &requests {
            if let Some(command) = self.link(&mut *tx, device, &mut chain, request).await? {
                tx.record(&Event::action_asked(actor, &command, now)).await?;
            }
        }
        self.drop_leftovers(&mut *tx, device, &chain).await?;
        tx.commit().await?;
        self.wake.wake(Worker::Android);
        chain.ids.first().copied().ok_or_else(|| Error::internal("an action without a request"))
    }

    /// Queues the next request of an action, or puts it in the place of the one that waits; `None` where that has left already.
    async fn link(
        &self,
        tx: &mut dyn Tx,
        device: &Device,
        chain: &mut Chain,
        request: &AndroidRequest,
    ) -> Result<Option<Command>> {
        let now = self.clock.now();
        let (place, after) = (chain.ids.len(), chain.ids.last().copied());
        let name = chain.kind.name();
        let dedupe = if place == 0 { name.to_owned() } else { format!("{name}-{place}") };
        let open = tx.open_command(device.id, &dedupe).await?;
        if let Some(open) = &open {
            let command =
                self.android_command(device, open.id, (chain.kind, Some(dedupe.clone())), request)?;
            if tx.replace_command(&command).await? {
                relink(tx, open.id, after, now).await?;
                chain.ids.push(open.id);
                return Ok(Some(command));
            }
            if !chain.is_new {
                chain.ids.push(open.id);
                return Ok(None);
            }
            // What has left already belongs to an action before this one.
        }
        let id = CommandId(self.random.ordered_id());
        let dedupe = open.is_none().then_some(dedupe);
        let command = self.android_command(device, id, (chain.kind, dedupe), request)?;
        tx.add_commands(std::slice::from_ref(&command)).await?;
        if let Some(call) = call_for(device, request, id, after, now) {
            tx.add_android_call(&call).await?;
        }
        chain.ids.push(id);
        chain.is_new = true;
        Ok(Some(command))
    }

    /// Takes back what an earlier wish of the same kind wanted besides, and this one does not, as far as it has not left.
    async fn drop_leftovers(&self, tx: &mut dyn Tx, device: &Device, chain: &Chain) -> Result<()> {
        let now = self.clock.now();
        for command in tx.open_commands(device.id).await? {
            let leftover =
                command.action.as_deref() == Some(chain.kind.name()) && !chain.ids.contains(&command.id);
            if leftover && tx.cancel_command(device.id, command.id, now).await? {
                let why = Some("it was asked for anew");
                tx.record(&Event::android_command(&command, CommandState::Cancelled, why, now)).await?;
                tx.remove_android_call(command.id).await?;
            }
        }
        Ok(())
    }

    fn android_command(
        &self,
        device: &Device,
        id: CommandId,
        (kind, dedupe): (ActionKind, Option<String>),
        request: &AndroidRequest,
    ) -> Result<Command> {
        let plain = serde_json::to_vec(request).map_err(Error::internal)?;
        let sealed = request.has_secret();
        let payload = if sealed { self.installation.seal(&payload_context(id), &plain)? } else { plain };
        let now = self.clock.now();
        // A lost device tells where it is by itself: Google has nothing to be asked.
        let waits_for_device = *request == AndroidRequest::Location;
        Ok(Command {
            id,
            device: device.id,
            enrollment: device.enrollment,
            channel: ChannelKey::default(),
            request_type: request.request_type().into(),
            action: Some(kind.name().into()),
            dedupe,
            payload,
            sealed,
            judged: None,
            schedule: Schedule::default(),
            put_off: 0,
            // Google wakes the device.
            wake_at: Timestamp(i64::MAX),
            state: if waits_for_device { CommandState::HandedOver } else { CommandState::Queued },
            result: None,
            result_sealed: false,
            queued_at: now,
            handed_over_at: waits_for_device.then_some(now),
            finished_at: None,
        })
    }

    /// What a command of an Android device asks for, opened: as it is written, and read.
    pub(super) fn android_request(&self, command: &Command) -> Result<(Vec<u8>, AndroidRequest)> {
        let plain = match command.sealed {
            true => self.installation.open_sealed(&payload_context(command.id), &command.payload)?,
            false => command.payload.clone(),
        };
        let request = serde_json::from_slice(&plain).map_err(Error::internal)?;
        Ok((plain, request))
    }

    /// Lets Google give up a device whose record here is gone in `tx`: it survives that Google is away, and names nothing but
    /// what the device is called there. Google wipes what is managed, whether that was asked before or not.
    pub(crate) async fn give_up_at_google(&self, tx: &mut dyn Tx, device: &Device) -> Result<()> {
        if device.facts.android.is_none() {
            return Ok(());
        }
        let call = AndroidCall {
            id: CommandId(self.random.ordered_id()),
            kind: AndroidCallKind::Delete,
            device: None,
            resource: device.key.clone(),
            after: None,
            operation: None,
            ends_at: None,
            due_at: self.clock.now(),
            attempts: 0,
            asked: false,
            claimed_until: Timestamp(0),
            said: None,
        };
        tx.add_android_call(&call).await?;
        self.wake.wake(Worker::Android);
        Ok(())
    }
}

/// The requests of one action, each behind the success of the one before.
struct Chain {
    kind: ActionKind,
    ids: Vec<CommandId>,
    /// Whether one of them was queued anew.
    is_new: bool,
}

/// Puts a call that waits behind another command, or behind none.
async fn relink(tx: &mut dyn Tx, id: CommandId, after: Option<CommandId>, now: Timestamp) -> Result<()> {
    let Some(mut call) = tx.android_call(id).await? else { return Ok(()) };
    if call.after != after {
        call.after = after;
        call.due_at = now;
        tx.set_android_call(&call).await?;
    }
    Ok(())
}

fn call_for(
    device: &Device,
    request: &AndroidRequest,
    id: CommandId,
    after: Option<CommandId>,
    now: Timestamp,
) -> Option<AndroidCall> {
    let kind = match request {
        AndroidRequest::Location => return None,
        AndroidRequest::Report => AndroidCallKind::Report,
        _ => AndroidCallKind::Issue,
    };
    let resource = device.key.clone();
    let (device, operation, ends_at) = (Some(device.id), None, None);
    Some(AndroidCall {
        id,
        kind,
        device,
        resource,
        after,
        operation,
        ends_at,
        due_at: now,
        attempts: 0,
        asked: false,
        claimed_until: Timestamp(0),
        said: None,
    })
}
