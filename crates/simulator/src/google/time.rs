//! Time as Google writes it.

use std::time::{Duration, SystemTime};

/// RFC 3339 in UTC, to the millisecond.
pub(super) fn rfc3339(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map(|at| format!("{at:.3}")).unwrap_or_default()
}

/// A span such as `600s`; strict: whole seconds, no sign.
pub(super) fn span(text: &str) -> Option<Duration> {
    let seconds = text.strip_suffix('s')?;
    seconds
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| seconds.parse().ok().map(Duration::from_secs))?
}

pub(super) fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(super) fn shifted(at: SystemTime, seconds: i64) -> SystemTime {
    let span = Duration::from_secs(seconds.unsigned_abs());
    let moved = if seconds < 0 { at.checked_sub(span) } else { at.checked_add(span) };
    moved.unwrap_or(at)
}
