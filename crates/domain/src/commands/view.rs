//! Commands as they are shown: never with what they say, which may be secret.

use crate::{ChannelKey, CommandId, CommandState, DeviceId, Schedule, Timestamp};

/// A command without its payload and its result.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandView {
    /// Its id.
    pub id: CommandId,
    /// Who is to do it.
    pub device: DeviceId,
    /// On which channel.
    pub channel: ChannelKey,
    /// Apple's `RequestType`.
    pub request_type: String,
    /// The action that it carries out, where it is one.
    pub action: Option<String>,
    /// Its dedupe key.
    pub dedupe: Option<String>,
    /// How far it got.
    pub state: CommandState,
    /// When it may leave, and before which others.
    pub schedule: Schedule,
    /// How often the device said "not now".
    pub put_off: u32,
    /// When its device is woken again for it, if it is open.
    pub wake_at: Timestamp,
    /// Why the device would refuse it, as far as is known.
    pub faults: Option<String>,
    /// When it was asked.
    pub queued_at: Timestamp,
    /// When it was last handed over.
    pub handed_over_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
}

/// Which commands to list; everything that is set must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandFilter {
    /// Of this device.
    pub device: Option<DeviceId>,
    /// In this state.
    pub state: Option<CommandState>,
}
