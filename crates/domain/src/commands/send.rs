//! Sending any of Apple's commands to many devices in one call.

use std::collections::{BTreeMap, HashSet};

use apple::{
    command::{RawCommand, Template},
    validate::{Options, Verdicts},
};
use serde_json::json;

use super::{
    enqueue::{payload_context, wire_id},
    judge::revision,
    recipients::{Recipient, recipients},
    tend::PATIENCE,
};
use crate::{
    Actor, ChannelKey, Command, CommandId, CommandState, Device, DeviceId, Error, Event, Judgement, Mdm,
    Platform, Result, Role, Schedule, Timestamp, Unsupported,
    escrow::set_by,
    ports::{Tx, Worker},
};

/// The most devices in one call.
pub const SEND_LIMIT: usize = 100_000;

/// What all payloads of one call may take together, bytes.
const SEND_BYTES: usize = 512 << 20;

/// How many devices one transaction serves at most, so that nobody waits long for it.
const STRETCH: usize = 500;

/// What the payloads of one transaction may take together, bytes.
const STRETCH_BYTES: usize = 8 << 20;

/// The longest dedupe key, bytes.
const LONGEST_KEY: usize = 64;

/// The longest name of a user, bytes: what a device may tell has 256 letters.
const LONGEST_USER: usize = 1024;

/// What stands before the dedupe keys of administrators, so that they never meet the server's own.
const OURS: &str = "admin:";

/// A command to send.
#[derive(Clone, Debug)]
pub struct NewCommand {
    /// What to do.
    pub request: RawCommand,
    /// When it may leave, and before which others.
    pub schedule: Schedule,
    /// It takes the place of a command with the same key that its device does not have yet.
    pub dedupe: Option<String>,
    /// Not for the devices themselves, but for this user of each: a user's id as the device tells it, or the short name.
    pub user: Option<String>,
}

/// Why a device was not sent a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// No device of the tenant has this name.
    #[error("there is no such device")]
    Unknown,
    /// It was named before in the same call.
    #[error("the device is named more than once")]
    NamedTwice,
    /// The user has no channel there.
    #[error("the device has told of no such user: one who is managed there, by id or short name, is needed")]
    NoSuchUser,
    /// It does not obey us.
    #[error("{0}")]
    Unsupported(Unsupported),
    /// It would refuse the command, by Apple's facts; a line for each fault.
    #[error("the device would refuse the command: {0}")]
    Refused(String),
    /// It has a command with the same dedupe key, and has not answered.
    #[error("the device is carrying out a command with this dedupe key")]
    BeingCarriedOut,
    /// The server could not go on.
    #[error("the server is busy: send it again")]
    Unavailable,
}

/// What became of each device of a call, in the order of their names.
pub type Sent = Vec<std::result::Result<CommandId, NotSent>>;

/// A call on its way.
struct Sending<'a> {
    actor: &'a Actor,
    command: &'a NewCommand,
    template: Template,
    verdicts: Verdicts<'a>,
    seen: HashSet<DeviceId>,
    now: Timestamp,
    asked: usize,
}

impl Mdm {
    /// Queues a command for many devices: durable when this returns, and each device is woken by a worker.
    ///
    /// Done in several transactions, so that others are not held up; a failure on the way leaves what was queued, and
    /// tells for which devices it was not. The command is validated once for each class of devices.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the call as a whole makes no sense; nothing is queued then.
    pub async fn send_command(&self, actor: &Actor, command: &NewCommand, names: &[String]) -> Result<Sent> {
        self.send_command_while(actor, command, names, &|| true).await
    }

    /// The same, but only as long as `goes_on`, which is asked before each transaction: the rest is
    /// [`NotSent::Unavailable`].
    ///
    /// # Errors
    /// Likewise, and [`Error::Unavailable`] where it never went on.
    pub async fn send_command_while(
        &self,
        actor: &Actor,
        command: &NewCommand,
        names: &[String],
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Sent> {
        actor.require(Role::Operator)?;
        let now = self.clock.now();
        command.schedule.checked(now)?;
        checked_key(command.dedupe.as_deref())?;
        checked_user(command.user.as_deref())?;
        let template = command.request.template();
        checked_size(names.len(), template.length())?;
        let stretch = (STRETCH_BYTES / template.length()).clamp(1, STRETCH);
        let verdicts = Verdicts::new(command.request.keys(), Options::default());
        let asked = names.len();
        let mut sending = Sending { actor, command, template, verdicts, seen: HashSet::new(), now, asked };
        let mut sent = Sent::with_capacity(asked);
        for stretch in names.chunks(stretch) {
            let done = if goes_on() {
                self.send_stretch(&mut sending, stretch, sent.is_empty()).await
            } else {
                Err(Error::Unavailable("there is no time left for all devices of the call".into()))
            };
            match done {
                Ok(some) => sent.extend(some),
                Err(error) if sent.is_empty() => return Err(error),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "a command could not be queued for all devices");
                    sent.resize(asked, Err(NotSent::Unavailable));
                    break;
                }
            }
            self.wake.wake(if sending.wakes_at_once() { Worker::Pushes } else { Worker::Queue });
        }
        Ok(sent)
    }

    async fn send_stretch(
        &self,
        sending: &mut Sending<'_>,
        names: &[String],
        is_first: bool,
    ) -> Result<Sent> {
        let mut tx = self.store.begin(sending.actor.tenant).await?;
        let recipients = recipients(&mut *tx, names, sending.command.user.as_deref()).await?;
        let mut sent: Sent = Vec::with_capacity(names.len());
        let mut commands = Vec::new();
        let busy = self.superseded(&mut *tx, sending, &recipients).await?;
        for recipient in &recipients {
            sent.push(match sending.judge(recipient.as_ref(), &busy) {
                Ok((device, channel, judged)) => {
                    let command = self.sent_command(sending, device, channel, judged)?;
                    commands.push(command);
                    Ok(commands[commands.len() - 1].id)
                }
                Err(why) => Err(why),
            });
        }
        tx.add_commands(&commands).await?;
        if sending.wakes_at_once() {
            let devices: Vec<_> = commands.iter().map(|command| command.device).collect();
            tx.ask_pushes(&devices, sending.now).await?;
        }
        self.keep_secret(&mut *tx, sending.command, &commands).await?;
        if is_first {
            tx.record(&sending.event(&commands)).await?;
        }
        tx.commit().await?;
        Ok(sent)
    }

    /// Takes back what waits with the same key; the devices that are carrying one out.
    async fn superseded(
        &self,
        tx: &mut dyn Tx,
        sending: &mut Sending<'_>,
        recipients: &[Option<Recipient>],
    ) -> Result<HashSet<DeviceId>> {
        let Some(key) = &sending.command.dedupe else { return Ok(HashSet::new()) };
        let mut fit: BTreeMap<&ChannelKey, Vec<DeviceId>> = BTreeMap::new();
        for recipient in recipients.iter().flatten() {
            // What will be refused must not take back what waits.
            if sending.seen.contains(&recipient.device.id) {
                continue;
            }
            if let Ok((channel, _)) = sending.fits(recipient) {
                fit.entry(channel).or_default().push(recipient.device.id);
            }
        }
        let mut busy = HashSet::new();
        for (channel, devices) in fit {
            busy.extend(tx.supersede_commands(&devices, channel, &stored_key(key), sending.now).await?);
        }
        Ok(busy)
    }

    fn sent_command(
        &self,
        sending: &Sending<'_>,
        device: &Device,
        channel: &ChannelKey,
        judged: Judgement,
    ) -> Result<Command> {
        let id = CommandId(self.random.ordered_id());
        let plain = sending.template.with(&wire_id(id));
        let sealed = sending.command.request.is_secret();
        let payload = if sealed { self.installation.seal(&payload_context(id), &plain)? } else { plain };
        let NewCommand { request, schedule, dedupe, .. } = sending.command;
        Ok(Command {
            id,
            device: device.id,
            enrollment: device.enrollment,
            channel: channel.clone(),
            request_type: request.request_type().into(),
            action: None,
            dedupe: dedupe.as_deref().map(stored_key),
            payload,
            sealed,
            judged: Some(judged),
            schedule: *schedule,
            put_off: 0,
            wake_at: sending.next_wake(),
            state: CommandState::Queued,
            result: None,
            result_sealed: false,
            queued_at: sending.now,
            handed_over_at: None,
            finished_at: None,
        })
    }

    /// A PIN or password that a command sets is kept before the command can leave.
    async fn keep_secret(&self, tx: &mut dyn Tx, command: &NewCommand, commands: &[Command]) -> Result<()> {
        let Some((secret, value)) = set_by(&command.request) else { return Ok(()) };
        for command in commands {
            tx.add_escrow(&self.escrow_row(command, secret, value)?).await?;
        }
        Ok(())
    }
}

impl Sending<'_> {
    /// Whether the pushes are asked for with the commands: for the device channel, and now. Others are for the worker.
    fn wakes_at_once(&self) -> bool {
        self.command.user.is_none() && self.command.schedule.first_wake(self.now) == self.now
    }

    /// When the worker is to wake a device for the command.
    fn next_wake(&self) -> Timestamp {
        if self.wakes_at_once() {
            self.now.plus(PATIENCE)
        } else {
            self.command.schedule.first_wake(self.now)
        }
    }

    fn judge<'r>(
        &mut self,
        recipient: Option<&'r Recipient>,
        busy: &HashSet<DeviceId>,
    ) -> std::result::Result<(&'r Device, &'r ChannelKey, Judgement), NotSent> {
        let recipient = recipient.ok_or(NotSent::Unknown)?;
        let device = &recipient.device;
        if !self.seen.insert(device.id) {
            return Err(NotSent::NamedTwice);
        }
        let (channel, judged) = self.fits(recipient)?;
        if busy.contains(&device.id) { Err(NotSent::BeingCarriedOut) } else { Ok((device, channel, judged)) }
    }

    fn fits<'r>(
        &mut self,
        recipient: &'r Recipient,
    ) -> std::result::Result<(&'r ChannelKey, Judgement), NotSent> {
        let device = &recipient.device;
        if device.quarantined {
            return Err(NotSent::Unsupported(Unsupported::Quarantined));
        }
        if !device.managed {
            return Err(NotSent::Unsupported(Unsupported::NotManaged));
        }
        if device.facts.platform == Some(Platform::Android) {
            return Err(NotSent::Unsupported(Unsupported::Platform));
        }
        let channel = recipient.channel.as_ref().ok_or(NotSent::NoSuchUser)?;
        let target = device.target(channel);
        let verdict = self.verdicts.on(&target);
        if !verdict.is_valid() {
            let faults: Vec<_> = verdict.faults.iter().map(ToString::to_string).collect();
            return Err(NotSent::Refused(faults.join("\n")));
        }
        Ok((channel, Judgement { facts_revision: revision(&target), faults: None }))
    }

    /// One event for the whole call; it goes with its device where it is about one.
    fn event(&self, commands: &[Command]) -> Event {
        let NewCommand { request, user, dedupe, .. } = self.command;
        let request_type = request.request_type();
        if let (1, Some(command)) = (self.asked, commands.first()) {
            let details = json!({ "request_type": request_type, "command": command.id, "user": user });
            return Event::by(self.actor, "command.sent", Some(command.device), details, self.now);
        }
        let details =
            json!({ "request_type": request_type, "devices": self.asked, "dedupe": dedupe, "user": user });
        Event::by(self.actor, "commands.sent", None, details, self.now)
    }
}

fn checked_key(key: Option<&str>) -> Result<()> {
    match key {
        Some(key) if key.is_empty() || key.len() > LONGEST_KEY || key.chars().any(char::is_control) => {
            Err(Error::invalid("dedupe", format!("1 to {LONGEST_KEY} bytes, without control characters")))
        }
        _ => Ok(()),
    }
}

fn checked_user(user: Option<&str>) -> Result<()> {
    match user {
        Some(user) if user.is_empty() || user.len() > LONGEST_USER || user.chars().any(char::is_control) => {
            Err(Error::invalid("user", format!("1 to {LONGEST_USER} bytes, without control characters")))
        }
        _ => Ok(()),
    }
}

fn checked_size(devices: usize, payload: usize) -> Result<()> {
    if devices == 0 || devices > SEND_LIMIT {
        return Err(Error::invalid("devices", format!("1 to {SEND_LIMIT} devices")));
    }
    if payload.saturating_mul(devices) > SEND_BYTES {
        let most = SEND_BYTES / payload.max(1);
        return Err(Error::invalid("devices", format!("at most {most} of a command as long as this one")));
    }
    Ok(())
}

/// A dedupe key as it is stored.
pub(super) fn stored_key(key: &str) -> String {
    format!("{OURS}{key}")
}

/// A stored dedupe key as whoever chose it knows it.
pub(super) fn shown_key(key: String) -> String {
    key.strip_prefix(OURS).map(str::to_owned).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_an_end() {
        assert!(checked_size(1, 8 << 20).is_ok() && checked_size(100_000, 500).is_ok());
        assert!(checked_size(0, 500).is_err() && checked_size(100_001, 500).is_err());
        assert!(checked_size(100_000, 1 << 20).is_err());
    }

    #[test]
    fn keys_of_people_never_meet_those_of_the_server() {
        assert!(checked_key(Some("renewal")).is_ok() && stored_key("renewal") != crate::RENEWAL);
        assert_eq!(shown_key(stored_key("wifi")), "wifi");
        assert_eq!(shown_key("inventory".into()), "inventory");
        for wrong in ["", "a\nb", &"x".repeat(65)] {
            assert!(checked_key(Some(wrong)).is_err());
        }
    }
}
