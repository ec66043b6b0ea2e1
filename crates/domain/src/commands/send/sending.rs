//! A call on its way: what all its transactions share.

use std::{
    collections::HashSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use apple::validate::{Options, Verdicts};
use serde_json::json;

use super::{NewCommand, NotSent};
use crate::{
    Actor, ChannelKey, Command, DeviceId, Event, HeldDevice, Judgement, Platform, Timestamp, Unsupported,
    commands::{judge::revision, recipients::Recipient, tend::PATIENCE},
};

/// How long it takes to queue for one device, as long as none has been served.
const A_DEVICE: Duration = Duration::from_micros(20);

/// The most that is believed of those that were, be the database as slow as it may.
const AT_MOST: Duration = Duration::from_micros(50);

/// One command, and the devices of one call.
pub(super) struct Sending<'a> {
    pub(super) actor: &'a Actor,
    pub(super) command: &'a NewCommand,
    /// What each device is sent alike.
    pub(super) body: Vec<u8>,
    /// Whether that is stored sealed.
    pub(super) is_secret: bool,
    pub(super) now: Timestamp,
    /// How many devices were named, and for how many of them the transactions are over.
    asked: usize,
    served: AtomicUsize,
    judging: Mutex<Judging<'a>>,
    has_failed: AtomicBool,
}

/// What is known after the devices so far.
pub(super) struct Judging<'a> {
    verdicts: Verdicts<'a>,
    seen: HashSet<DeviceId>,
}

/// A device that takes the command, and on which channel.
pub(super) type Fit<'r> = (&'r HeldDevice, &'r ChannelKey, Judgement);

impl<'a> Sending<'a> {
    /// To so many devices.
    pub(super) fn new(actor: &'a Actor, command: &'a NewCommand, asked: usize, now: Timestamp) -> Self {
        let (body, is_secret) = (command.request.body(), command.request.is_secret());
        let verdicts = Verdicts::new(command.request.keys(), Options::default());
        let judging = Mutex::new(Judging { verdicts, seen: HashSet::new() });
        let (served, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { actor, command, body, is_secret, now, asked, served, judging, has_failed }
    }

    /// Judges devices; for no longer than that, for the call's other transactions want it too.
    pub(super) fn judging(&self) -> MutexGuard<'_, Judging<'a>> {
        self.judging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a transaction has failed, so that no more are begun.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Relaxed)
    }

    /// Notes that a transaction has failed; whether it is the first.
    pub(super) fn fail(&self) -> bool {
        !self.has_failed.swap(true, Relaxed)
    }

    /// Whether the pushes are asked for with the commands: for the device channel, and now. Others are for the worker.
    pub(super) fn wakes_at_once(&self) -> bool {
        self.command.user.is_none() && self.command.schedule.first_wake(self.now) == self.now
    }

    /// Notes that a transaction for so many devices is over.
    pub(super) fn note_served(&self, devices: usize) {
        self.served.fetch_add(devices, Relaxed);
    }

    /// When its pushes are due, as it looks `at` a time on the way: when the call will have come to its end. Sending them is as
    /// much work as queueing; done at the same time, the call would take twice as long, and the last device be woken no sooner.
    pub(super) fn pushes_due(&self, at: Timestamp) -> Timestamp {
        self.now.plus(expected(self.asked, self.served.load(Relaxed), at.since(self.now)))
    }

    /// When the worker is to wake a device for the command.
    pub(super) fn next_wake(&self) -> Timestamp {
        if self.wakes_at_once() {
            self.now.plus(PATIENCE)
        } else {
            self.command.schedule.first_wake(self.now)
        }
    }

    /// One event for the whole call; it goes with its device where it is about one.
    pub(super) fn event(&self, commands: &[Command]) -> Event {
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

/// How long a call for `asked` devices takes in all, where `served` of them took `spent`.
fn expected(asked: usize, served: usize, spent: Duration) -> Duration {
    let [asked, served] = [asked, served].map(|devices| u32::try_from(devices).unwrap_or(u32::MAX));
    spent.checked_div(served).unwrap_or(A_DEVICE).min(AT_MOST).saturating_mul(asked)
}

impl Judging<'_> {
    /// Whether the device was named before in the same call.
    pub(super) fn has_seen(&self, device: DeviceId) -> bool {
        self.seen.contains(&device)
    }

    /// Whether a name is sent the command; `busy` devices are carrying out one with the same dedupe key.
    pub(super) fn judge<'r>(
        &mut self,
        recipient: Option<Recipient<'r>>,
        busy: &HashSet<DeviceId>,
    ) -> Result<Fit<'r>, NotSent> {
        let recipient = recipient.ok_or(NotSent::Unknown)?;
        let device = recipient.device;
        if !self.seen.insert(device.id) {
            return Err(NotSent::NamedTwice);
        }
        let fit = self.fits(recipient)?;
        if busy.contains(&device.id) { Err(NotSent::BeingCarriedOut) } else { Ok(fit) }
    }

    /// Whether a device would take the command.
    pub(super) fn fits<'r>(&mut self, recipient: Recipient<'r>) -> Result<Fit<'r>, NotSent> {
        let device = recipient.device;
        if device.quarantined {
            return Err(NotSent::Unsupported(Unsupported::Quarantined));
        }
        if !device.managed {
            return Err(NotSent::Unsupported(Unsupported::NotManaged));
        }
        if device.facts.platform == Some(Platform::Android) {
            return Err(NotSent::Unsupported(Unsupported::Platform));
        }
        let channel = recipient.channel.ok_or(NotSent::NoSuchUser)?;
        let target = device.facts.target(channel);
        let verdict = self.verdicts.on(&target);
        if !verdict.is_valid() {
            let faults: Vec<_> = verdict.faults.iter().map(ToString::to_string).collect();
            return Err(NotSent::Refused(faults.join("\n")));
        }
        Ok((device, channel, Judgement { facts_revision: revision(&target), faults: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_expected_to_go_on_as_it_began() {
        let seconds = Duration::from_secs;
        assert_eq!(expected(100_000, 0, Duration::ZERO), seconds(2));
        assert_eq!(expected(100_000, 50_000, seconds(1)), seconds(2));
        assert_eq!(expected(100_000, 1000, seconds(60)), seconds(5), "whatever one of them waited for");
        assert_eq!(expected(1, 0, Duration::ZERO), A_DEVICE);
    }
}
