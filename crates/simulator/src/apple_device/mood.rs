//! What a device was told to do differently from the ordinary.

use std::collections::{HashMap, HashSet};

use apple::ErrorChainItem;

use super::AppleDevice;

/// How an answer gets lost after the server has sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostAnswer {
    /// The device sends the same bytes once more, and hears the second answer.
    Retried,
    /// The request fails with [`super::Failure::Lost`]; a result is kept and sent again at the next
    /// connection.
    ForGood,
}

impl AppleDevice {
    /// From now on every request fails with [`super::Failure::Offline`].
    pub fn go_offline(&mut self) {
        self.mood.offline = true;
    }

    /// Ends [`go_offline`](Self::go_offline).
    pub fn come_online(&mut self) {
        self.mood.offline = false;
    }

    /// The server's answer to the next message gets lost after it was sent.
    pub fn lose_next_answer(&mut self, how: LostAnswer) {
        self.mood.lose_next_answer = Some(how);
    }

    /// Says `NotNow` to the next so many commands.
    pub fn put_off_next(&mut self, commands: u32) {
        self.mood.put_off_next(commands);
    }

    /// Says `NotNow` to every command of this `RequestType`, or no longer.
    pub fn put_off(&mut self, request_type: &str, on: bool) {
        self.mood.put_off(request_type, on);
    }

    /// Says `NotNow` to everything, as if locked, or no longer.
    pub fn put_off_everything(&mut self, on: bool) {
        self.mood.put_off_everything(on);
    }

    /// Answers the next command with `Error` and this chain, without carrying it out.
    pub fn fail_next(&mut self, chain: Vec<ErrorChainItem>) {
        self.mood.fail_next(chain);
    }

    /// Answers every command of this `RequestType` with `Error` and this chain, or no longer.
    pub fn fail(&mut self, request_type: &str, chain: Option<Vec<ErrorChainItem>>) {
        self.mood.fail(request_type, chain);
    }

    /// From now on it is gone before it can answer an `EraseDevice`, or no longer. It is erased all the same.
    pub fn erase_before_answering(&mut self, on: bool) {
        self.mood.erase_before_answering = on;
    }

    /// From now on this Mac cannot erase all content and settings, or can again: what it does instead is up
    /// to the `ObliterationBehavior` of the `EraseDevice`.
    pub fn fail_erase_preflight(&mut self, on: bool) {
        self.mood.fail_erase_preflight = on;
    }
}

/// The switches of a device; all off at first.
#[derive(Debug, Default)]
pub(super) struct Mood {
    pub(super) offline: bool,
    pub(super) lose_next_answer: Option<LostAnswer>,
    put_off_everything: bool,
    put_off_next: u32,
    put_off: HashSet<String>,
    pub(super) erase_before_answering: bool,
    pub(super) fail_erase_preflight: bool,
    fail_next: Option<Vec<ErrorChainItem>>,
    fail: HashMap<String, Vec<ErrorChainItem>>,
}

impl Mood {
    pub(super) fn put_off_everything(&mut self, on: bool) {
        self.put_off_everything = on;
    }

    pub(super) fn put_off_next(&mut self, commands: u32) {
        self.put_off_next = commands;
    }

    pub(super) fn put_off(&mut self, request_type: &str, on: bool) {
        if on {
            self.put_off.insert(request_type.to_owned());
        } else {
            self.put_off.remove(request_type);
        }
    }

    pub(super) fn fail_next(&mut self, chain: Vec<ErrorChainItem>) {
        self.fail_next = Some(chain);
    }

    pub(super) fn fail(&mut self, request_type: &str, chain: Option<Vec<ErrorChainItem>>) {
        match chain {
            Some(chain) => self.fail.insert(request_type.to_owned(), chain),
            None => self.fail.remove(request_type),
        };
    }

    /// Whether to put this command off; counts down.
    pub(super) fn puts_off(&mut self, request_type: &str) -> bool {
        if self.put_off_everything || self.put_off.contains(request_type) {
            return true;
        }
        let counted = self.put_off_next > 0;
        self.put_off_next -= u32::from(counted);
        counted
    }

    /// With what this command is to fail, if it is to.
    pub(super) fn fails(&mut self, request_type: &str) -> Option<Vec<ErrorChainItem>> {
        self.fail_next.take().or_else(|| self.fail.get(request_type).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_two_are_put_off_and_no_more() {
        let mut mood = Mood::default();
        mood.put_off_next(2);
        assert_eq!([mood.puts_off("A"), mood.puts_off("B"), mood.puts_off("C")], [true, true, false]);
    }

    #[test]
    fn one_kind_of_command_is_put_off_until_it_is_not() {
        let mut mood = Mood::default();
        mood.put_off("A", true);
        assert_eq!([mood.puts_off("A"), mood.puts_off("B"), mood.puts_off("A")], [true, false, true]);
        mood.put_off("A", false);
        assert!(!mood.puts_off("A"));
    }

    #[test]
    fn one_failure_is_used_up_and_one_for_a_kind_stays() {
        let mut mood = Mood::default();
        mood.fail_next(vec![]);
        mood.fail("A", Some(vec![ErrorChainItem::default()]));
        assert_eq!(mood.fails("A").map(|chain| chain.len()), Some(0));
        assert_eq!(mood.fails("A").map(|chain| chain.len()), Some(1));
        assert_eq!(mood.fails("B"), None);
        mood.fail("A", None);
        assert_eq!(mood.fails("A"), None);
    }
}
