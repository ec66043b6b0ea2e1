//! What happened in a run: the journals of its devices, its figures, and what was found wrong.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rand::{Rng, rngs::StdRng};

use crate::journal::Journal;

/// Of so many devices that enrolled last, most are chosen: it is there that things happen.
const LAST: usize = 24;

/// How many findings are told.
const TOLD: usize = 30;

/// The record of a run.
#[derive(Default)]
pub struct Record {
    /// Its figures.
    pub tally: Tally,
    enrolled: Mutex<Vec<(String, Arc<Journal>)>>,
    findings: Mutex<Vec<Finding>>,
}

/// Figures of a run.
#[derive(Default)]
pub struct Tally {
    /// SIGKILLs.
    pub kills: AtomicU64,
    /// Enrollments whose TokenUpdate was answered with 200.
    pub enrollments: AtomicU64,
    /// Check-ins and reports that were answered with 200.
    pub messages: AtomicU64,
    /// Messages of devices that got no answer, and were said again.
    pub unanswered: AtomicU64,
    /// Locks that were answered with 200.
    pub locks: AtomicU64,
    /// Commands that devices carried out.
    pub deeds: AtomicU64,
    /// Commands that were handed over to a device that had been handed them before.
    pub handed_again: AtomicU64,
    /// Purges that were answered with 202.
    pub purges: AtomicU64,
    /// Commands that a bulk call answered with 202 has listed.
    pub sent: AtomicU64,
    /// Commands that were taken back, answered with 200.
    pub cancelled: AtomicU64,
    /// Bootstrap tokens, status reports and logins of users that were answered with 200.
    pub extras: AtomicU64,
    /// Devices that dropped their management since the server said so.
    pub dismissed: AtomicU64,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// What was answered is not there.
    Lost(String),
    /// What was done was done again.
    Doubled(String),
    /// Anything else.
    Wrong(String),
}

impl Record {
    /// A device is enrolled: from now on it is asked to do things.
    pub fn enrolled(&self, serial_number: &str, journal: &Arc<Journal>) {
        let mut enrolled = lock(&self.enrolled);
        if !enrolled.iter().any(|(known, _)| known == serial_number) {
            enrolled.push((serial_number.to_owned(), journal.clone()));
        }
    }

    /// Any enrolled device, mostly one of the newest.
    pub fn any_device(&self, dice: &mut StdRng) -> Option<(String, Arc<Journal>)> {
        let enrolled = lock(&self.enrolled);
        let first = if dice.random_ratio(1, 5) { 0 } else { enrolled.len().saturating_sub(LAST) };
        let place = (first < enrolled.len()).then(|| dice.random_range(first..enrolled.len()))?;
        enrolled.get(place).cloned()
    }

    /// Adds to what was found.
    pub fn find(&self, finding: Finding) {
        lock(&self.findings).push(finding);
    }

    /// Whether there is no need to go on.
    pub fn has_gone_wrong(&self) -> bool {
        lock(&self.findings).len() > TOLD
    }

    /// What there is to tell, in one line.
    pub fn figures(&self) -> String {
        let findings = lock(&self.findings);
        let count = |is: fn(&Finding) -> bool| findings.iter().filter(|finding| is(finding)).count();
        let lost = count(|finding| matches!(finding, Finding::Lost(_)));
        let doubled = count(|finding| matches!(finding, Finding::Doubled(_)));
        let wrong = findings.len() - lost - doubled;
        format!("{}; {lost} lost, {doubled} doubled, {wrong} otherwise wrong", self.tally)
    }

    /// Everything that must not be, or as much of it as anyone reads.
    pub fn findings(&self) -> Vec<String> {
        lock(&self.findings).iter().take(TOLD).map(|finding| format!("{finding:?}")).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
        write!(
            f,
            "{} kills, {} enrollments, {} messages answered 200 and {} cut off, {} locks answered 200, \
             {} commands listed by 202, {} taken back, {} carried out, {} handed over again, \
             {} tokens, states and users told, {} purges answered 202, {} devices let go",
            of(&self.kills),
            of(&self.enrollments),
            of(&self.messages),
            of(&self.unanswered),
            of(&self.locks),
            of(&self.sent),
            of(&self.cancelled),
            of(&self.deeds),
            of(&self.handed_again),
            of(&self.extras),
            of(&self.purges),
            of(&self.dismissed),
        )
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts one more.
pub fn count(number: &AtomicU64) {
    number.fetch_add(1, Ordering::Relaxed);
}
