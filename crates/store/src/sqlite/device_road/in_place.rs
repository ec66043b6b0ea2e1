//! Looks that whoever asks does on the spot: with the pages in memory, one is over before a thread is awake. Where many look at once,
//! the thread does it for less, for many of them in one transaction.

use std::{
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::ports::Poll;
use rusqlite::Connection;

use super::{
    looking::{Looked, look_up},
    steps::Steps,
};

/// Looks that follow each other faster than this are many.
const APART: Duration = Duration::from_micros(50);

/// A look that takes longer has waited for the disk, or for the processor.
const LONG: Duration = Duration::from_micros(500);

/// How much a long look counts, where a short one takes one off again.
const COUNTS: u32 = 16;

/// With more than this the disk is to blame: a busy processor makes one look in hundreds long.
const MOST: u32 = 2 * COUNTS;

/// For how long the thread then does the looks.
const REST: Duration = Duration::from_secs(1);

/// A connection for one look at a time.
pub(super) struct InPlace(Mutex<State>);

struct State {
    /// `None` once the road has ended.
    connection: Option<Connection>,
    last: Instant,
    long: u32,
    rests_until: Option<Instant>,
}

impl InPlace {
    /// `connection` reads alone, and waits for nobody.
    pub(super) fn new(connection: Connection) -> Self {
        Self(Mutex::new(State::of(Some(connection))))
    }

    /// Ends it: from now on all looks are for the thread.
    pub(super) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).connection = None;
    }

    /// What the look brought; `None` where it is for the thread: there are many, they wait for the disk, or this one failed.
    pub(super) fn look(&self, step: &Poll) -> Option<Looked> {
        let mut state = self.0.try_lock().ok()?;
        let began = Instant::now();
        if state.are_many(began) || state.rests(began) {
            return None;
        }
        // The statement is a transaction of its own: it sees whatever was committed before.
        let looked = look_up(&mut Steps::of(state.connection.as_ref()?), step).ok()?;
        let now = Instant::now();
        state.took(now - began, now);
        Some(looked)
    }
}

impl State {
    fn of(connection: Option<Connection>) -> Self {
        Self { connection, last: Instant::now(), long: 0, rests_until: None }
    }

    /// Whether the look before this one, which begins `now`, was a moment ago.
    fn are_many(&mut self, now: Instant) -> bool {
        now.saturating_duration_since(mem::replace(&mut self.last, now)) < APART
    }

    fn rests(&mut self, now: Instant) -> bool {
        self.rests_until = self.rests_until.filter(|until| *until > now);
        self.rests_until.is_some()
    }

    /// Counts a look that took so long until `now`: where more than one in `COUNTS` is long, the next ones are for the thread.
    fn took(&mut self, time: Duration, now: Instant) {
        if time < LONG {
            self.long = self.long.saturating_sub(1);
            return;
        }
        self.long += COUNTS;
        if self.long > MOST {
            (self.long, self.rests_until) = (0, Some(now + REST));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_looks_are_for_the_thread() {
        let mut state = State::of(None);
        let mut now = state.last;
        for (apart, are_many) in [(APART, false), (APART / 2, true), (APART / 2, true), (APART * 2, false)] {
            now += apart;
            assert_eq!(state.are_many(now), are_many);
        }
    }

    #[test]
    fn where_looks_wait_for_the_disk_the_thread_does_them_for_a_while() {
        let (mut state, now) = (State::of(None), Instant::now());
        for _ in 0..2 {
            state.took(LONG, now);
            assert!(!state.rests(now));
        }
        state.took(LONG, now);
        assert!(state.rests(now));
        assert!(!state.rests(now + REST), "it is tried again");
    }

    #[test]
    fn a_busy_processor_sends_nobody_to_the_thread() {
        let (mut state, now) = (State::of(None), Instant::now());
        for _ in 0..100 {
            state.took(LONG, now);
            (0..COUNTS).for_each(|_| state.took(LONG / 100, now));
        }
        assert!(!state.rests(now));
    }
}
