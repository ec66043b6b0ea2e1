//! Patience: after a 429, a 503 or a failed connection nothing is asked for a while, by anybody on this
//! server.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::error::Error;

/// The first pause, if Google does not say how long; each following one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// The longest of those.
const LONGEST: Duration = Duration::from_secs(64);

/// The pause of one of Google's services.
#[derive(Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Clone, Copy, Default)]
struct State {
    /// Failures since the last success.
    failures: u32,
    pause: Option<(SystemTime, SystemTime)>,
}

impl Pace {
    /// What is left of a pause.
    pub(super) fn check(&self, now: SystemTime) -> Result<(), Error> {
        match self.state(|state| state.left(now)) {
            None => Ok(()),
            Some(left) => {
                let why = "a pause after an earlier failure".to_owned();
                Err(Error::TryLater { after: Some(left), maybe_done: false, why })
            }
        }
    }

    pub(super) fn succeeded(&self) {
        self.state(|state| *state = State::default());
    }

    /// Begins a pause, or makes the one that is longer; calls that were under way when it began do not add to
    /// it.
    pub(super) fn failed(&self, asked: Option<Duration>, now: SystemTime) {
        self.state(|state| {
            if state.left(now).is_none() {
                state.failures = state.failures.saturating_add(1);
            }
            let pause = asked.unwrap_or_else(|| by_count(state.failures));
            if state.left(now).is_none_or(|left| pause > left) {
                state.pause = now.checked_add(pause).map(|until| (now, until));
            }
        });
    }

    fn state<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        step(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// A clock that was set back ends the pause: better one call too early than none for hours.
    fn left(&self, now: SystemTime) -> Option<Duration> {
        let (since, until) = self.pause?;
        if now < since { None } else { until.duration_since(now).ok().filter(|left| !left.is_zero()) }
    }
}

fn by_count(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(10);
    (FIRST * 2_u32.pow(doublings)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn left(pace: &Pace, now: SystemTime) -> Option<u64> {
        pace.check(now).err().map(|error| error.retry_after().unwrap().as_secs())
    }

    #[test]
    fn pauses_grow_until_something_succeeds() {
        let pace = Pace::default();
        assert_eq!(left(&pace, at(0)), None);
        pace.failed(None, at(0));
        assert_eq!(left(&pace, at(0)), Some(1));
        assert_eq!(left(&pace, at(1)), None);
        let mut now = at(1);
        for expected in [2, 4, 8, 16, 32, 64, 64, 64] {
            pace.failed(None, now);
            assert_eq!(left(&pace, now), Some(expected));
            now += Duration::from_secs(expected);
        }
        pace.succeeded();
        pace.failed(None, now);
        assert_eq!(left(&pace, now), Some(1));
    }

    #[test]
    fn google_may_say_how_long() {
        let pace = Pace::default();
        pace.failed(Some(Duration::from_secs(600)), at(0));
        assert_eq!(left(&pace, at(1)), Some(599));
    }

    #[test]
    fn calls_that_were_under_way_make_a_pause_no_longer() {
        let pace = Pace::default();
        for _ in 0..20 {
            pace.failed(None, at(0));
        }
        assert_eq!(left(&pace, at(0)), Some(1));
        pace.failed(Some(Duration::from_secs(9)), at(0));
        assert_eq!(left(&pace, at(0)), Some(9));
    }

    #[test]
    fn a_clock_that_was_set_back_ends_a_pause() {
        let pace = Pace::default();
        pace.failed(Some(Duration::from_secs(600)), at(100));
        assert_eq!(left(&pace, at(0)), None);
    }
}
