//! What is known of one device: what it was asked to do, what it did, and what it was answered.

mod sent;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use apple::Status;
use serde_json::Value;
use simulator::apple_device::{Event, Happening, Listener};

pub use sent::Sent;

/// A device's journal; everyone who has to do with the device writes into it.
#[derive(Default)]
pub struct Journal {
    pages: Mutex<Pages>,
}

/// What stands in a journal.
#[derive(Clone, Default)]
pub struct Pages {
    /// What the device did, in its order.
    pub deeds: Vec<Deed>,
    /// The locks that were asked of it.
    pub locks: Vec<Lock>,
    /// What was sent to it by the admin API.
    pub sent: Vec<Sent>,
    /// When it began to ask, each time that it was handed a command; by `CommandUUID`.
    pub handed: HashMap<String, Vec<Instant>>,
    /// The PINs in the locks that it was handed; by `CommandUUID`.
    pub pins: HashMap<String, String>,
    /// When it began to say an `Idle` that was answered with nothing.
    pub idle: Vec<Instant>,
    /// When it last came under another management, or went.
    pub parted: Option<Instant>,
    /// The purges that were asked of it.
    pub purges: Vec<Purge>,
    /// When the server made it drop its management.
    pub dismissed: Vec<Instant>,
    in_hand: Option<String>,
}

/// A command that the device carried out, or found that it could not.
#[derive(Clone, Debug)]
pub struct Deed {
    /// `CommandUUID`.
    pub command: String,
    /// `RequestType`.
    pub request_type: String,
    /// What a lock showed.
    pub message: Option<String>,
    /// Whether it was done, and not refused.
    pub done: bool,
    /// When.
    pub at: Instant,
    /// When its report had been answered with 200.
    pub confirmed: Option<Instant>,
}

/// A lock that was asked for.
#[derive(Clone, Debug)]
pub struct Lock {
    /// What it is to show.
    pub message: String,
    /// When the call began.
    pub asked: Instant,
    /// What became of the call.
    pub answer: Answer,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There was none: it may have been heard, or not.
    Missing,
    /// It was taken: 200 or 202, at this time.
    Taken(Instant),
    /// It was refused with this status.
    Refused(u16),
}

/// A purge that was asked for.
#[derive(Clone, Debug)]
pub struct Purge {
    /// The record that was to go.
    pub client_id: String,
    /// When the call began.
    pub asked: Instant,
    /// What became of the call.
    pub answer: Answer,
}

impl Journal {
    /// All that stands in it.
    pub fn pages(&self) -> Pages {
        self.write().clone()
    }

    /// Writes down what the device tells of itself.
    pub fn listener(self: &Arc<Self>) -> Listener {
        let journal = Arc::clone(self);
        Arc::new(move |event: &Event| {
            if let Happening::Did { request_type, status, keys } = &event.what {
                journal.did(request_type, *status, keys);
            }
        })
    }

    /// The device was handed a command, having begun to ask then; whether it had been before.
    pub fn handed_over(&self, command: &str, asked: Instant) -> bool {
        let mut pages = self.write();
        pages.in_hand = Some(command.to_owned());
        let times = pages.handed.entry(command.to_owned()).or_default();
        times.push(asked);
        times.len() > 1
    }

    /// The command that it was handed is a lock with this PIN.
    pub fn got_pin(&self, command: &str, pin: &str) {
        self.write().pins.insert(command.to_owned(), pin.to_owned());
    }

    /// A user of the device carried a command out.
    pub fn user_did(&self, command: &str, request_type: &str) {
        let deed = Deed {
            command: command.to_owned(),
            request_type: request_type.to_owned(),
            message: None,
            done: true,
            at: Instant::now(),
            confirmed: None,
        };
        self.write().deeds.push(deed);
    }

    /// Whether it has an answer to this command already.
    pub fn has_done(&self, command: &str) -> bool {
        self.write().deeds.iter().any(|deed| deed.command == command)
    }

    /// A result was answered with 200.
    pub fn confirmed(&self, command: &str) {
        let mut pages = self.write();
        let deed = pages.deeds.iter_mut().find(|deed| deed.command == command && deed.confirmed.is_none());
        if let Some(deed) = deed {
            deed.confirmed = Some(Instant::now());
        }
    }

    /// An `Idle` that began then was answered with nothing.
    pub fn had_nothing_to_do(&self, began: Instant) {
        self.write().idle.push(began);
    }

    /// The device came under another management, or left the one it had.
    pub fn parted(&self) {
        self.write().parted = Some(Instant::now());
    }

    /// The server made the device drop its management.
    pub fn dismissed(&self) {
        self.write().dismissed.push(Instant::now());
    }

    /// Someone is about to ask for a lock; its place.
    pub fn asks_lock(&self, message: &str) -> usize {
        let mut pages = self.write();
        let lock = Lock { message: message.to_owned(), asked: Instant::now(), answer: Answer::Missing };
        pages.locks.push(lock);
        pages.locks.len() - 1
    }

    /// What became of the lock at that place.
    pub fn lock_answered(&self, place: usize, answer: Answer) {
        self.write().locks[place].answer = answer;
    }

    /// Someone is about to ask for a purge; its place.
    pub fn asks_purge(&self, client_id: &str) -> usize {
        let mut pages = self.write();
        let (client_id, asked) = (client_id.to_owned(), Instant::now());
        pages.purges.push(Purge { client_id, asked, answer: Answer::Missing });
        pages.purges.len() - 1
    }

    /// What became of the purge at that place.
    pub fn purge_answered(&self, place: usize, answer: Answer) {
        self.write().purges[place].answer = answer;
    }

    /// Someone is about to send commands to it, whose ids are not known yet; the place of the call.
    pub fn asks_to_send(&self, sent: Sent) -> usize {
        let mut pages = self.write();
        pages.sent.push(sent);
        pages.sent.len() - 1
    }

    /// Writes on the call at that place what is known of it by now.
    pub fn note_sent(&self, place: usize, note: impl FnOnce(&mut Sent)) {
        note(&mut self.write().sent[place]);
    }

    fn did(&self, request_type: &str, status: Status, keys: &str) {
        if !status.is_final() {
            return;
        }
        let mut pages = self.write();
        let keys: Value = serde_json::from_str(keys).unwrap_or_default();
        let deed = Deed {
            command: pages.in_hand.clone().unwrap_or_default(),
            request_type: request_type.to_owned(),
            message: keys["Message"].as_str().map(str::to_owned),
            done: status == Status::Acknowledged,
            at: Instant::now(),
            confirmed: None,
        };
        pages.deeds.push(deed);
    }

    fn write(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    /// That of a status; `None` is no answer at all, and a 5xx as good as none.
    pub fn of(status: Option<u16>) -> Self {
        match status {
            Some(200 | 202) => Self::Taken(Instant::now()),
            None | Some(500..) => Self::Missing,
            Some(status) => Self::Refused(status),
        }
    }

    /// Whether it was taken.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Taken(_))
    }
}
