//! Attempts at an account, slowed down: some at once, and then one after the other.
//!
//! They are counted before the password is looked at, so that many at once are no way around it, and taken back when it
//! was right. Those beyond the measure are refused unheard, right ones too, and count for nothing, so that who is told to
//! wait need not wait for ever. A name that nobody has is counted like any other: nobody learns which there are.

use std::time::Duration;

use crate::Timestamp;

/// How many wrong passwords an account takes at once.
const AT_ONCE: i64 = 10;

/// How long until it takes one more.
pub(super) const EACH: Duration = Duration::from_secs(30);

/// What becomes of an account's count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedAttempt {
    /// When the account will have made up for all attempts.
    pub even_at: Timestamp,
    /// How long to wait, for an attempt that is one too many.
    pub wait: Option<Duration>,
}

/// One more attempt at `now` at an account that is even at `even_at`.
pub fn count_attempt(even_at: Timestamp, now: Timestamp) -> CountedAttempt {
    let each = millis(EACH);
    // A clock that was set back must not lock anyone out for longer than all this can take.
    let owed = even_at.0.clamp(now.0, now.0.saturating_add(each * AT_ONCE));
    let early = owed - each * (AT_ONCE - 1) - now.0;
    match u64::try_from(early) {
        Ok(early) if early > 0 => {
            CountedAttempt { even_at: Timestamp(owed), wait: Some(Duration::from_millis(early)) }
        }
        _ => CountedAttempt { even_at: Timestamp(owed).plus(EACH), wait: None },
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The waits of attempts at these times, milliseconds.
    fn waits(even_at: &mut Timestamp, times: impl IntoIterator<Item = i64>) -> Vec<u128> {
        let attempt = |now| {
            let counted = count_attempt(*even_at, Timestamp(now));
            *even_at = counted.even_at;
            counted.wait.map_or(0, |wait| wait.as_millis())
        };
        times.into_iter().map(attempt).collect()
    }

    #[test]
    fn ten_are_heard_at_once_and_then_one_in_thirty_seconds() {
        let mut account = Timestamp(0);
        assert_eq!(waits(&mut account, [1_000_000; 10]), [0; 10]);
        assert_eq!(
            waits(&mut account, [1_000_000, 1_000_000, 1_029_999, 1_030_000, 1_030_000]),
            [30_000, 30_000, 1, 0, 30_000]
        );
    }

    #[test]
    fn an_account_is_forgiven_with_time() {
        let mut account = Timestamp(0);
        waits(&mut account, [0; 10]);
        assert_eq!(waits(&mut account, [300_000; 10]), [0; 10]);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut account = Timestamp(1_000_000_000);
        assert_eq!(waits(&mut account, [0, 30_000]), [30_000, 0]);
    }
}
