//! What must be so in the end, judged by a device's journal alone.

pub mod sent;

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use crate::{
    journal::{Answer, Deed, Lock, Pages},
    record::Finding,
};

const LOCK: &str = "DeviceLock";

/// Everything in these pages that must not be; `is_managed` says how the device ended.
pub fn judge(device: &str, pages: &Pages, is_managed: bool) -> Vec<Finding> {
    let mut findings = doubled(device, pages);
    findings.extend(unasked(device, pages));
    findings.extend(dismissed_for_nothing(device, pages));
    let lost = pages.locks.iter().filter(|lock| !is_accounted_for(lock, pages, is_managed));
    findings.extend(lost.map(|lock| Finding::Lost(format!("{device}: the lock {:?}", lock.message))));
    findings
}

/// Whether a lock that was answered with 200 came to something.
///
/// It did if its command was carried out or refused by the device: the command may have shown a later
/// message, for it is replaced while it waits, or an earlier one, if it had left and was not yet answered.
/// Who leaves, or comes under another management, takes no queue along.
fn is_accounted_for(lock: &Lock, pages: &Pages, is_managed: bool) -> bool {
    let Answer::Taken(answered) = lock.answer else { return true };
    if !is_managed || pages.parted.is_some_and(|parted| lock.asked < parted) {
        return true;
    }
    let due = due(answered, &pages.idle);
    pages.deeds.iter().any(|deed| {
        let was_open = deed.confirmed.is_none_or(|confirmed| confirmed > lock.asked);
        deed.request_type == LOCK && was_open && due.is_none_or(|due| deed.at < due)
    })
}

/// When something that was queued by `answered` must have been done: a device that says `Idle` gets all that
/// waits.
fn due(answered: Instant, idle: &[Instant]) -> Option<Instant> {
    idle.iter().filter(|began| **began > answered).min().copied()
}

fn doubled(device: &str, pages: &Pages) -> Vec<Finding> {
    let mut times: HashMap<&str, u32> = HashMap::new();
    for deed in pages.deeds.iter().filter(|deed| deed.done) {
        for name in [Some(deed.command.as_str()), deed.message.as_deref()].into_iter().flatten() {
            *times.entry(name).or_default() += 1;
        }
    }
    let doubled = times.into_iter().filter(|(_, times)| *times > 1);
    doubled
        .map(|(name, times)| Finding::Doubled(format!("{device}: {name:?} was done {times} times")))
        .collect()
}

/// Locks that nobody asked for, or that were refused.
fn unasked(device: &str, pages: &Pages) -> Vec<Finding> {
    let heard = |lock: &&Lock| !matches!(lock.answer, Answer::Refused(_));
    let asked: HashSet<_> = pages.locks.iter().filter(heard).map(|lock| lock.message.as_str()).collect();
    let is_unasked = |deed: &&Deed| deed.message.as_deref().is_some_and(|message| !asked.contains(message));
    let unasked = pages.deeds.iter().filter(is_unasked);
    unasked.map(|deed| Finding::Wrong(format!("{device}: nobody asked for {:?}", deed.message))).collect()
}

/// Only a purge makes a device drop its management.
fn dismissed_for_nothing(device: &str, pages: &Pages) -> Vec<Finding> {
    let is_asked = |at: &&Instant| pages.purges.iter().any(|purge| purge.asked < **at);
    let for_nothing = pages.dismissed.iter().filter(|at| !is_asked(at));
    for_nothing
        .map(|_| Finding::Lost(format!("{device}: was unenrolled, and nobody had asked for it")))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::journal::Purge;

    /// Pages in which times are milliseconds since a beginning.
    struct Story {
        beginning: Instant,
        pages: Pages,
    }

    impl Story {
        fn new() -> Self {
            Self { beginning: Instant::now(), pages: Pages::default() }
        }

        fn at(&self, milliseconds: u64) -> Instant {
            self.beginning + Duration::from_millis(milliseconds)
        }

        fn lock(mut self, message: &str, asked: u64, answered: Option<u64>) -> Self {
            let answer = answered.map_or(Answer::Missing, |answered| Answer::Taken(self.at(answered)));
            self.pages.locks.push(Lock { message: message.into(), asked: self.at(asked), answer });
            self
        }

        fn did(mut self, command: &str, message: &str, at: u64, confirmed: u64) -> Self {
            let deed = Deed {
                command: command.into(),
                request_type: LOCK.into(),
                message: Some(message.into()),
                done: true,
                at: self.at(at),
                confirmed: Some(self.at(confirmed)),
            };
            self.pages.deeds.push(deed);
            self
        }

        fn idle(mut self, began: u64) -> Self {
            self.pages.idle.push(self.at(began));
            self
        }

        fn judged(&self) -> Vec<Finding> {
            judge("device", &self.pages, true)
        }

        fn is_fine(&self) -> bool {
            self.judged().is_empty()
        }
    }

    #[test]
    fn a_lock_that_was_done_is_fine_and_one_that_was_not_is_lost() {
        let asked = || Story::new().lock("a", 10, Some(20));
        assert!(asked().did("1", "a", 30, 40).idle(50).is_fine());
        assert!(matches!(asked().idle(50).judged()[..], [Finding::Lost(_)]));
        assert!(matches!(asked().judged()[..], [Finding::Lost(_)]));
    }

    #[test]
    fn a_lock_without_an_answer_may_be_done_or_not() {
        let asked = || Story::new().lock("a", 10, None);
        assert!(asked().idle(50).is_fine());
        assert!(asked().did("1", "a", 30, 40).is_fine());
    }

    #[test]
    fn a_lock_may_be_replaced_by_a_later_one_while_it_waits() {
        let story = Story::new().lock("a", 10, Some(20)).lock("b", 30, Some(40));
        assert!(story.did("1", "b", 50, 60).idle(70).is_fine());
    }

    #[test]
    fn a_later_lock_is_no_excuse_once_the_device_had_nothing_to_do() {
        let story = Story::new().lock("a", 10, Some(20)).idle(25).lock("b", 30, Some(40));
        assert!(matches!(story.did("1", "b", 50, 60).judged()[..], [Finding::Lost(_)]));
    }

    #[test]
    fn a_lock_may_find_that_an_earlier_one_has_left_already() {
        let asked = |at: u64| Story::new().lock("a", 10, Some(20)).lock("b", at, Some(at + 10));
        assert!(asked(35).did("1", "a", 30, 40).idle(50).is_fine());
        assert!(matches!(asked(41).did("1", "a", 30, 40).idle(60).judged()[..], [Finding::Lost(_)]));
    }

    #[test]
    fn who_came_under_another_management_owes_nothing_of_before() {
        let mut story = Story::new().lock("a", 10, Some(20)).lock("b", 40, Some(50));
        story.pages.parted = Some(story.at(30));
        let lost = Finding::Lost("device: the lock \"b\"".into());
        assert_eq!(story.judged(), [lost]);
        assert!(judge("device", &story.pages, false).is_empty());
    }

    #[test]
    fn nothing_is_done_twice_under_the_same_name_or_with_the_same_message() {
        let asked = || Story::new().lock("a", 10, Some(20)).lock("b", 11, Some(21));
        let twice = asked().did("1", "a", 30, 40).did("2", "a", 50, 60);
        assert!(matches!(twice.judged()[..], [Finding::Doubled(_)]));
        let twice = asked().did("1", "a", 30, 40).did("1", "b", 50, 60);
        assert!(matches!(twice.judged()[..], [Finding::Doubled(_)]));
    }

    #[test]
    fn what_nobody_asked_for_or_what_was_refused_is_not_done() {
        assert!(matches!(Story::new().did("1", "a", 30, 40).judged()[..], [Finding::Wrong(_)]));
        let mut refused = Story::new().lock("a", 10, None).did("1", "a", 30, 40);
        refused.pages.locks[0].answer = Answer::Refused(404);
        assert!(matches!(refused.judged()[..], [Finding::Wrong(_)]));
    }

    #[test]
    fn only_a_purge_lets_a_device_go() {
        let mut story = Story::new();
        story.pages.dismissed.push(story.at(50));
        assert!(matches!(story.judged()[..], [Finding::Lost(_)]));
        let (client_id, asked) = (String::new(), story.at(40));
        story.pages.purges.push(Purge { client_id, asked, answer: Answer::Missing });
        assert!(story.is_fine());
    }
}
