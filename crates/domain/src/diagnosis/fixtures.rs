//! What the tests of diagnoses share: one of a device that is well, and what may wait for it.

use std::time::Duration;

use super::Diagnosis;
use crate::{
    ChannelKey, CommandId, CommandState, CommandView, Device, Platform, Schedule, Timestamp, fixtures,
    ports::{ChannelState, PushState},
};

pub(super) const NOW: Timestamp = Timestamp(1_750_000_000_000);
pub(super) const DAY: Duration = Duration::from_hours(24);

pub(super) fn ago(minutes: u64) -> Timestamp {
    NOW.minus(Duration::from_mins(minutes))
}

/// A channel that was last pushed to so many minutes ago.
pub(super) fn push(last: Option<u64>) -> PushState {
    let last = last.map(|minutes| (ago(minutes), "accepted".to_owned()));
    PushState { has_token: true, told_at: ago(5000), last, due: None }
}

/// One that is well: it came a minute ago, and nothing waits for it.
pub(super) fn well() -> Diagnosis {
    Diagnosis {
        device: Device { last_contact: Some(ago(1)), ..fixtures::device(Platform::Macos, "15.1") },
        push: Some(push(Some(1))),
        users: Vec::new(),
        waiting: Vec::new(),
        certificate_ends: Some(NOW.plus(365 * DAY)),
        foreign: false,
        push_certificate_ends: Some(NOW.plus(365 * DAY)),
        parted: None,
        google: None,
        advice: Vec::new(),
    }
}

pub(super) fn with(change: impl FnOnce(&mut Diagnosis)) -> Diagnosis {
    let mut found = well();
    change(&mut found);
    found
}

/// One for a channel, queued so many minutes ago.
pub(super) fn command(channel: &str, state: CommandState, queued: u64) -> CommandView {
    CommandView {
        id: CommandId(uuid::Uuid::from_u128(9)),
        device: well().device.id,
        channel: ChannelKey(channel.into()),
        request_type: "DeviceLock".into(),
        action: None,
        dedupe: None,
        state,
        schedule: Schedule::default(),
        put_off: 1,
        wake_at: NOW,
        faults: None,
        queued_at: ago(queued),
        handed_over_at: None,
        finished_at: None,
    }
}

pub(super) fn waits(command: CommandView) -> impl FnOnce(&mut Diagnosis) {
    |found| found.waiting.push((command, String::new()))
}

/// The user `A-1`, for whom was pushed twenty minutes ago.
pub(super) fn user(has_token: bool) -> ChannelState {
    let push = PushState { has_token, ..push(Some(20)) };
    ChannelState { key: ChannelKey("A-1".into()), user_name: Some("ada".into()), awaits: false, push }
}
