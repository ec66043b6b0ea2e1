//! Asking an Android device to do something: commands, each with a call to Google that waits.

use super::AndroidRequest;
use crate::{
    ActionKind, Actor, ChannelKey, Command, CommandId, CommandState, Device, Error, Event, Mdm, Result,
    Schedule, Timestamp,
    commands::payload_context,
    ports::{AndroidCall, AndroidCallKind, Tx, Worker},
};

impl Mdm {
    /// Queues the requests of an action, each behind the success of the one before: accepted once that is committed.
    pub(crate) async fn queue_for_android(
        &self,
        mut tx: Box<dyn Tx>,
        actor: &Actor,
        device: &Device,
        (kind, requests): (ActionKind, Vec<AndroidRequest>),
    ) -> Result<CommandId> {
        let now = self.clock.now();
        let mut before = None;
        let mut first = None;
        for (place, request) in requests.iter().enumerate() {
            let dedupe = if place == 0 { kind.name().to_owned() } else { format!("{}-{place}", kind.name()) };
            let open = tx.open_command(device.id, &dedupe).await?;
            let id = open.as_ref().map_or_else(|| CommandId(self.random.ordered_id()), |open| open.id);
            let command = self.android_command(device, id, (kind, dedupe), request)?;
            let changed = if open.is_none() {
                tx.add_commands(std::slice::from_ref(&command)).await?;
                if let Some(call) = call_for(device, request, id, before, now) {
                    tx.add_android_call(&call).await?;
                }
                true
            } else {
                tx.replace_command(&command).await?
            };
            if changed {
                tx.record(&Event::action_asked(actor, &command, now)).await?;
            }
            before = Some(id);
            first.get_or_insert(id);
        }
        tx.commit().await?;
        self.wake.wake(Worker::Android);
        first.ok_or_else(|| Error::internal("an action without a request"))
    }

    fn android_command(
        &self,
        device: &Device,
        id: CommandId,
        (kind, dedupe): (ActionKind, String),
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
            dedupe: Some(dedupe),
            payload,
            sealed,
            judged: None,
            schedule: Schedule::default(),
            put_off: 0,
            // Google wakes the device.
            wake_at: Timestamp(i64::MAX),
            state: if waits_for_device { CommandState::HandedOver } else { CommandState::Queued },
            result: None,
            queued_at: now,
            handed_over_at: waits_for_device.then_some(now),
            finished_at: None,
        })
    }

    /// What a command of an Android device asks for, opened.
    pub(super) fn android_request(&self, command: &Command) -> Result<AndroidRequest> {
        let opened;
        let plain = if command.sealed {
            opened = self.installation.open_sealed(&payload_context(command.id), &command.payload)?;
            &opened
        } else {
            &command.payload
        };
        serde_json::from_slice(plain).map_err(Error::internal)
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
            said: None,
        };
        tx.add_android_call(&call).await?;
        self.wake.wake(Worker::Android);
        Ok(())
    }
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
        said: None,
    })
}
