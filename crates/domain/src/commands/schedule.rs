//! When a command may leave, and before which others.

use crate::{Error, Result, Timestamp};

/// Priorities reach from the negative of this to this.
pub const PRIORITY_LIMIT: i16 = 100;

/// When a command may be handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Higher ones go first; of equal ones, the older. 0 is usual.
    pub priority: i16,
    /// Not earlier than this.
    pub not_before: Option<Timestamp>,
    /// Not from this time on. What was handed over before and not answered is over by then as well.
    pub expires: Option<Timestamp>,
}

impl Schedule {
    /// A schedule that makes sense at `now`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a priority beyond [`PRIORITY_LIMIT`], and for a command that could never leave.
    pub fn checked(self, now: Timestamp) -> Result<Self> {
        if !(-PRIORITY_LIMIT..=PRIORITY_LIMIT).contains(&self.priority) {
            let range = format!("a whole number from -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}");
            return Err(Error::invalid("priority", range));
        }
        let earliest = self.not_before.map_or(now, |at| at.max(now));
        if self.expires.is_some_and(|expires| expires <= earliest) {
            return Err(Error::invalid("expires", "later than now and than not_before"));
        }
        Ok(self)
    }

    /// When the device is first to be woken for it.
    pub(crate) fn first_wake(&self, now: Timestamp) -> Timestamp {
        self.not_before.map_or(now, |at| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn is_sound(priority: i16, not_before: Option<i64>, expires: Option<i64>) -> bool {
        let schedule =
            Schedule { priority, not_before: not_before.map(Timestamp), expires: expires.map(Timestamp) };
        schedule.checked(NOW).is_ok()
    }

    #[test]
    fn a_command_that_could_never_leave_is_refused() {
        assert!(is_sound(0, None, None) && is_sound(0, Some(5_000), Some(5_001)));
        assert!(is_sound(0, Some(1), Some(1_001)), "it might have left before");
        assert!(!is_sound(0, None, Some(1_000)) && !is_sound(0, Some(5_000), Some(5_000)));
    }

    #[test]
    fn priorities_have_an_end() {
        assert!(is_sound(100, None, None) && is_sound(-100, None, None));
        assert!(!is_sound(101, None, None) && !is_sound(i16::MIN, None, None));
    }
}
