//! A call on its way: what all its transactions share.

use std::{
    collections::HashSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use apple::{
    command::Template,
    validate::{Options, Verdicts},
};
use serde_json::json;

use super::{NewCommand, NotSent};
use crate::{
    Actor, ChannelKey, Command, DeviceId, Event, HeldDevice, Judgement, Platform, Timestamp, Unsupported,
    commands::{judge::revision, recipients::Recipient, tend::PATIENCE},
};

/// One command, and the devices of one call.
pub(super) struct Sending<'a> {
    pub(super) actor: &'a Actor,
    pub(super) command: &'a NewCommand,
    pub(super) template: Template,
    pub(super) now: Timestamp,
    /// How many devices were named.
    asked: usize,
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
        let template = command.request.template();
        let verdicts = Verdicts::new(command.request.keys(), Options::default());
        let judging = Mutex::new(Judging { verdicts, seen: HashSet::new() });
        Self { actor, command, template, now, asked, judging, has_failed: AtomicBool::new(false) }
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
