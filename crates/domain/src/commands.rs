//! The command queue: what was asked of a device, and how far it got.

use crate::{ChannelKey, CommandId, DeviceId, EnrollmentId, Timestamp};

mod enqueue;
mod judge;
mod look;
mod outcome;
mod poll;
mod recipients;
mod result;
mod schedule;
mod send;
mod tend;
mod view;

pub(crate) use enqueue::{payload_context, plain_payload};
pub use judge::Judgement;
pub(crate) use judge::why_refused;
pub use look::{COMMANDS_LIMIT, CommandDetails};
pub use outcome::APPLIED;
pub use poll::{Polled, ReportOutcome};
pub(crate) use result::{result_context, stored};
pub use schedule::{PRIORITY_LIMIT, Schedule};
pub use send::{NewCommand, NotSent, SEND_LIMIT, Sent};
pub use view::{CommandFilter, CommandView};

/// How far a command got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandState {
    /// Waits to be handed over.
    Queued,
    /// Handed over; the device has not answered.
    HandedOver,
    /// The device said "not now".
    NotNow,
    /// Done.
    Acknowledged,
    /// Refused: `Error` or `CommandFormatError`.
    Failed,
    /// Taken back before it was done.
    Cancelled,
    /// Not done in time. A device that was handed it may still report, and then its result counts.
    Expired,
}

impl CommandState {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::HandedOver,
        Self::NotNow,
        Self::Acknowledged,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// As it is stored: open states are below 3.
    pub fn code(self) -> i16 {
        match self {
            Self::Queued => 0,
            Self::HandedOver => 1,
            Self::NotNow => 2,
            Self::Acknowledged => 3,
            Self::Failed => 4,
            Self::Cancelled => 5,
            Self::Expired => 6,
        }
    }

    /// The state of that code.
    pub fn of(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Its name, as people and programs are told it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::HandedOver => "handed_over",
            Self::NotNow => "not_now",
            Self::Acknowledged => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a result may still come.
    pub fn is_open(self) -> bool {
        self.code() < 3
    }
}

/// The dedupe key of a certificate renewal: the one command that an expired certificate may fetch.
pub const RENEWAL: &str = "renewal";

/// A command for one channel of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Its id; of commands of one priority, the order of the ids is that of the queue.
    pub id: CommandId,
    /// Who is to do it.
    pub device: DeviceId,
    /// In which enrollment: a later one does not inherit it.
    pub enrollment: EnrollmentId,
    /// On which channel.
    pub channel: ChannelKey,
    /// Apple's `RequestType`.
    pub request_type: String,
    /// The [`crate::ActionKind`] that it carries out, where it is one.
    pub action: Option<String>,
    /// At most one open command of a device has a given key.
    pub dedupe: Option<String>,
    /// What its device is sent: of one of Apple's what is the same for every device ([`apple::Command::body`]), or the whole plist.
    pub payload: Vec<u8>,
    /// Whether `payload` is sealed.
    pub sealed: bool,
    /// How Apple's facts judge it; `None` where nobody asked.
    pub judged: Option<Judgement>,
    /// When it may leave, and before which others.
    pub schedule: Schedule,
    /// How often the device said "not now".
    pub put_off: u32,
    /// When its device is woken again, if it is still open by then.
    pub wake_at: Timestamp,
    /// How far it got.
    pub state: CommandState,
    /// The device's report as it came, sealed where it tells secrets; once it is applied, without those in escrow.
    pub result: Option<Vec<u8>>,
    /// Whether `result` is sealed.
    pub result_sealed: bool,
    /// When it was asked.
    pub queued_at: Timestamp,
    /// When it was last handed over.
    pub handed_over_at: Option<Timestamp>,
    /// When it was done, refused or taken back.
    pub finished_at: Option<Timestamp>,
}
