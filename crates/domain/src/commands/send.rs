//! Sending any of Apple's commands to many devices in one call.

use std::collections::{BTreeMap, HashSet};

use apple::command::RawCommand;
use futures_util::{StreamExt, stream::FuturesOrdered};

use self::sending::{Fit, Sending};
use super::{enqueue::payload_context, recipients::Recipients};
use crate::{
    Actor, ChannelKey, Command, CommandId, CommandState, DeviceId, Error, Mdm, Result, Role, Schedule,
    Unsupported,
    escrow::set_by,
    ports::{Tx, Worker},
};

mod sending;

/// The most devices in one call.
pub const SEND_LIMIT: usize = 100_000;

/// What all payloads of one call may take together, bytes.
const SEND_BYTES: usize = 512 << 20;

/// How many devices one transaction serves at most, so that nobody waits long for it.
const STRETCH: usize = 1000;

/// How many transactions of one call are under way at once: while the database works on two and makes another durable, a fourth is
/// judged.
const AT_ONCE: usize = 4;

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
        let sending = Sending::new(actor, command, names.len(), now);
        let length = sending.body.len();
        checked_size(names.len(), length)?;
        let mut stretches = names.chunks((STRETCH_BYTES / length).clamp(1, STRETCH));
        let first = stretches.next().unwrap_or_default();
        let mut sent = self.send_in_time(&sending, first, true, goes_on).await?;
        sent.reserve(names.len() - sent.len());
        let mut under_way = FuturesOrdered::new();
        loop {
            let room = AT_ONCE - under_way.len();
            under_way.extend(
                stretches.by_ref().take(room).map(|names| self.send_or_tell(&sending, names, goes_on)),
            );
            let Some(done) = under_way.next().await else { break };
            sent.extend(done);
        }
        // Not before: the pushes would only hold up the rest.
        self.wake.wake(if sending.wakes_at_once() { Worker::Pushes } else { Worker::Queue });
        Ok(sent)
    }

    /// One of the transactions after the first; when one has failed, no more are begun.
    async fn send_or_tell(
        &self,
        sending: &Sending<'_>,
        names: &[String],
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Sent {
        if !sending.has_failed() {
            match self.send_in_time(sending, names, false, goes_on).await {
                Ok(sent) => return sent,
                Err(error) if sending.fail() => {
                    tracing::warn!(error = error.chain(), "a command could not be queued for all devices");
                }
                Err(_) => {}
            }
        }
        vec![Err(NotSent::Unavailable); names.len()]
    }

    async fn send_in_time(
        &self,
        sending: &Sending<'_>,
        names: &[String],
        is_first: bool,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Sent> {
        if !goes_on() {
            return Err(Error::Unavailable("there is no time left for all devices of the call".into()));
        }
        self.send_stretch(sending, names, is_first).await
    }

    async fn send_stretch(&self, sending: &Sending<'_>, names: &[String], is_first: bool) -> Result<Sent> {
        let mut tx = self.store.begin(sending.actor.tenant).await?;
        let recipients = Recipients::find(&mut *tx, names, sending.command.user.as_deref()).await?;
        let busy = self.superseded(&mut *tx, sending, &recipients).await?;
        let (sent, commands) = self.made(sending, &recipients, &busy)?;
        tx.add_commands(&commands).await?;
        if sending.wakes_at_once() {
            let devices: Vec<_> = commands.iter().map(|command| command.device).collect();
            tx.ask_pushes(&devices, sending.pushes_due(self.clock.now())).await?;
        }
        self.keep_secret(&mut *tx, sending.command, &commands).await?;
        if is_first {
            tx.record(&sending.event(&commands)).await?;
        }
        tx.commit().await?;
        sending.note_served(names.len());
        Ok(sent)
    }

    /// Takes back what waits with the same key; the devices that are carrying one out.
    async fn superseded(
        &self,
        tx: &mut dyn Tx,
        sending: &Sending<'_>,
        recipients: &Recipients,
    ) -> Result<HashSet<DeviceId>> {
        let Some(key) = &sending.command.dedupe else { return Ok(HashSet::new()) };
        let mut busy = HashSet::new();
        for (channel, devices) in fitting(sending, recipients) {
            busy.extend(tx.supersede_commands(&devices, channel, &stored_key(key), sending.now).await?);
        }
        Ok(busy)
    }

    /// What becomes of each name, and the commands for those that are sent one.
    fn made(
        &self,
        sending: &Sending<'_>,
        recipients: &Recipients,
        busy: &HashSet<DeviceId>,
    ) -> Result<(Sent, Vec<Command>)> {
        let mut judging = sending.judging();
        let (mut sent, mut commands) = (Sent::new(), Vec::new());
        for recipient in recipients.iter() {
            sent.push(match judging.judge(recipient, busy) {
                Ok(fit) => {
                    let command = self.sent_command(sending, fit)?;
                    let id = command.id;
                    commands.push(command);
                    Ok(id)
                }
                Err(why) => Err(why),
            });
        }
        Ok((sent, commands))
    }

    fn sent_command(&self, sending: &Sending<'_>, (device, channel, judged): Fit<'_>) -> Result<Command> {
        let id = CommandId(self.random.ordered_id());
        let payload = match sending.is_secret {
            true => self.installation.seal(&payload_context(id), &sending.body)?,
            false => sending.body.clone(),
        };
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
            sealed: sending.is_secret,
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

/// Those who will be sent the command, by channel: what will be refused must not take back what waits.
fn fitting<'r>(sending: &Sending<'_>, recipients: &'r Recipients) -> BTreeMap<&'r ChannelKey, Vec<DeviceId>> {
    let mut judging = sending.judging();
    let mut fit: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for recipient in recipients.iter().flatten() {
        if judging.has_seen(recipient.device.id) {
            continue;
        }
        if let Ok((device, channel, _)) = judging.fits(recipient) {
            fit.entry(channel).or_default().push(device.id);
        }
    }
    fit
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
