//! Asking a device to do something: its commands are queued, and it is woken.

use serde_json::json;

use super::{Action, ActionKind, AppleRequest, Asked, unlock_token_context};
use crate::{
    Actor, ChannelKey, Command, CommandId, Device, DeviceId, Error, Event, Mdm, Platform, Result, Thing,
    commands::why_refused,
    ports::{Tx, Worker},
};

impl Mdm {
    /// Asks `device` to do `action`: durable when this returns, done when the device next connects.
    ///
    /// While one of its kind is pending no second one is queued: its parameters are replaced where it has not left yet.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the device cannot do it now.
    pub async fn act(&self, actor: &Actor, device: DeviceId, action: &Action) -> Result<CommandId> {
        let spec = action.spec();
        actor.on_devices(spec.needs())?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let device = tx.device_for_update(device).await?.filter(|device| actor.sees_device_of(device.user));
        let device = device.ok_or(Error::NotFound(Thing::Device))?;
        spec.kind().supported_by(&device).map_err(Error::Unsupported)?;
        if device.facts.platform == Some(Platform::Android) {
            drop(tx);
            return self.act_on_android(actor, device.id, spec).await;
        }
        let unlock_token =
            if spec.needs_unlock_token() { self.unlock_token(&mut *tx, &device).await? } else { None };
        let asked = Asked { tenant: actor.tenant, device: &device, unlock_token, random: &*self.random };
        let mut first = None;
        let mut changed = false;
        for request in spec.apple(&asked)? {
            let (command, queued) = self.queue(&mut *tx, &device, spec.kind(), request).await?;
            if queued {
                tx.record(&Event::action_asked(actor, &command, self.clock.now())).await?;
            }
            changed |= queued;
            first.get_or_insert(command.id);
        }
        let first = first.ok_or_else(|| Error::internal("an action without a command"))?;
        if changed {
            tx.ask_push(device.id, &ChannelKey::default(), self.clock.now()).await?;
            tx.commit().await?;
            self.wake.wake(Worker::Pushes);
        }
        Ok(first)
    }

    /// The same on an Android device: it is read again, with all of its rows locked in their order.
    async fn act_on_android(
        &self,
        actor: &Actor,
        device: DeviceId,
        spec: &dyn super::Spec,
    ) -> Result<CommandId> {
        let mut tx = self.store.begin(actor.tenant).await?;
        let device = tx.devices_for_update(&[device]).await?.pop();
        let device = device.filter(|device| actor.sees_device_of(device.user));
        let device = device.ok_or(Error::NotFound(Thing::Device))?;
        spec.kind().supported_by(&device).map_err(Error::Unsupported)?;
        let requests = spec.android(&device)?;
        self.queue_for_android(tx, actor, &device, (spec.kind(), requests)).await
    }

    /// Puts a device that was lost when its last enrollment ended into lost mode again: an erase has ended the mode, and
    /// nobody has said that the device was found (Apple: device.erase.yaml). One that cannot be lost any more is not.
    pub(crate) async fn restore_lost_mode(&self, tx: &mut dyn Tx, device: &Device) -> Result<()> {
        let Some(lost) = &device.facts.lost else { return Ok(()) };
        let request = AppleRequest::plain(ActionKind::EnableLostMode, lost.command());
        let command = match self.queue(tx, device, ActionKind::EnableLostMode, request).await {
            Err(Error::Unsupported(_)) => return Ok(()),
            queued => queued?.0,
        };
        let details = json!({ "command": command.id });
        tx.record(&Event::of_device("device.lost_again", device.id, details, self.clock.now())).await
    }

    /// Queues a command, or puts it in the place of the one that waits; false where that has left already.
    async fn queue(
        &self,
        tx: &mut dyn Tx,
        device: &Device,
        kind: ActionKind,
        request: AppleRequest,
    ) -> Result<(Command, bool)> {
        let AppleRequest { command: request, dedupe, sealed, escrow } = request;
        let open = tx.open_command(device.id, dedupe).await?;
        let id = open.as_ref().map_or_else(|| CommandId(self.random.ordered_id()), |open| open.id);
        let mut command = self.new_command(device, id, &request, sealed)?;
        if let Some(why) = why_refused(&command, &request, device) {
            return Err(Error::Unsupported(why));
        }
        command.action = Some(kind.name().into());
        command.dedupe = Some(dedupe.into());
        if open.is_none() {
            tx.add_commands(std::slice::from_ref(&command)).await?;
        } else if !tx.replace_command(&command).await? {
            return Ok((command, false));
        }
        if let Some((secret, value)) = escrow {
            tx.add_escrow(&self.escrow_row(&command, secret, value)?).await?;
        }
        Ok((command, true))
    }

    /// What the device told us to clear its passcode with, opened.
    async fn unlock_token(&self, tx: &mut dyn Tx, device: &Device) -> Result<Option<Vec<u8>>> {
        let channel = tx.channel(device.enrollment, &ChannelKey::default()).await?;
        let sealed = channel.and_then(|channel| channel.unlock_token);
        let context = unlock_token_context(device.enrollment);
        sealed.map(|sealed| self.installation.open_sealed(&context, &sealed)).transpose()
    }
}
