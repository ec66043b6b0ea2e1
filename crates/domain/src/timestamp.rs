//! The one form in which time crosses this crate.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This time and `duration` more; saturates at the end of time.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// This time less `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long after `earlier` it is; nothing where it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds since 1970, as JWTs count them.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// As the standard library has it; times before 1970 become 1970.
    pub fn system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }

    /// RFC 3339 in UTC, to the millisecond; for logs and people.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map(|at| format!("{at:.3}")).unwrap_or_default()
    }

    /// RFC 3339 in UTC, in whole seconds, as declarative management wants it.
    pub fn rfc3339_seconds(self) -> String {
        jiff::Timestamp::from_second(self.seconds()).map(|at| at.to_string()).unwrap_or_default()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(millis(since)),
            Err(before) => Self(-millis(before.duration())),
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_standard_librarys_form() {
        let time = Timestamp(1_732_000_000_123);
        assert_eq!(Timestamp::from(time.system_time()), time);
        assert_eq!(time.rfc3339(), "2024-11-19T07:06:40.123Z");
        assert_eq!(time.rfc3339_seconds(), "2024-11-19T07:06:40Z");
    }
}
