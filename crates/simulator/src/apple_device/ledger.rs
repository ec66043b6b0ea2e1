//! What a device remembers of commands: it carries each `CommandUUID` out once, and knows when a server may
//! say it again.

use std::collections::{HashMap, HashSet};

use apple::{Report, Status};
use aws_lc_rs::digest::{SHA256, digest};

use super::failure::Breach;

/// All commands that a device was ever handed.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    commands: HashMap<String, Entry>,
    /// Put off since the last `Idle`, that is, on this connection.
    put_off_here: HashSet<String>,
    /// What the device said last.
    last: Option<Status>,
}

#[derive(Debug)]
struct Entry {
    body: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Not answered yet.
    Handed,
    /// Put off: the server is to send it again.
    PutOff,
    /// Carried out, but the server's 200 for the report did not arrive.
    Answered(Box<Report>),
    /// The server has the result.
    Over,
    /// Of a time before the device was erased.
    Forgotten,
}

impl Ledger {
    /// The device begins to say this.
    pub(super) fn says(&mut self, report: &Report) {
        self.last = Some(report.status);
        let Some(command_uuid) = &report.command_uuid else {
            self.put_off_here.clear();
            return;
        };
        let put_off = report.status == Status::NotNow;
        if put_off {
            self.put_off_here.insert(command_uuid.clone());
        }
        if let Some(entry) = self.commands.get_mut(command_uuid)
            && !matches!(entry.state, State::Over | State::Forgotten)
        {
            entry.state = if put_off { State::PutOff } else { State::Answered(Box::new(report.clone())) };
        }
    }

    /// The device has carried a command out, and is about to say this.
    pub(super) fn carried_out(&mut self, report: &Report) {
        let entry = report.command_uuid.as_ref().and_then(|command_uuid| self.commands.get_mut(command_uuid));
        if let Some(entry) = entry {
            entry.state = State::Answered(Box::new(report.clone()));
        }
    }

    /// The server has answered 200 to this.
    pub(super) fn confirmed(&mut self, report: &Report) {
        let entry = report.command_uuid.as_ref().and_then(|command_uuid| self.commands.get_mut(command_uuid));
        if let Some(entry) = entry.filter(|_| report.status.is_final()) {
            entry.state = State::Over;
        }
    }

    /// The device is erased. It knows nothing of earlier commands any more; the ledger does, because none of
    /// them may be done to the device's next enrollment.
    pub(super) fn forget(&mut self) {
        for entry in self.commands.values_mut() {
            entry.state = State::Forgotten;
        }
        self.put_off_here.clear();
        self.last = None;
    }

    /// The server hands over a command, as the answer to what the device said last.
    pub(super) fn handed_over(&mut self, command_uuid: &str, body: &[u8]) -> Result<(), Breach> {
        let body = digest(&SHA256, body).as_ref().to_vec();
        let Some(entry) = self.commands.get_mut(command_uuid) else {
            self.commands.insert(command_uuid.to_owned(), Entry { body, state: State::Handed });
            return Ok(());
        };
        let at_idle = self.last == Some(Status::Idle);
        let rule_broken = match entry.state {
            State::Over => Some("was handed over after its result"),
            State::Forgotten => Some("was handed over again after the device was erased"),
            State::PutOff if self.put_off_here.contains(command_uuid) => {
                Some("was handed over again on the connection on which it was put off")
            }
            State::Handed | State::Answered(_) if !at_idle => {
                Some("was handed over again, unanswered, at another time than Idle")
            }
            _ if entry.body != body => Some("was handed over again, but is not the same command"),
            State::Handed | State::PutOff | State::Answered(_) => None,
        };
        match rule_broken {
            Some(rule) => Err(Breach(format!("the command {command_uuid} {rule}"))),
            None => {
                if matches!(entry.state, State::PutOff) {
                    entry.state = State::Handed;
                }
                Ok(())
            }
        }
    }

    /// What the device answered already, where it has carried this command out but nobody has heard of it.
    pub(super) fn answer_already_given(&self, command_uuid: &str) -> Option<&Report> {
        match &self.commands.get(command_uuid)?.state {
            State::Answered(report) => Some(report),
            State::Handed | State::PutOff | State::Over | State::Forgotten => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apple::Identifiers;

    const BODY: &[u8] = b"<plist/>";

    fn ids() -> Identifiers {
        Identifiers { udid: Some("U".into()), ..Identifiers::default() }
    }

    /// A device that said `Idle` and was handed the command `c`.
    fn handed() -> Ledger {
        let mut ledger = Ledger::default();
        says(&mut ledger, &Report::idle(ids()));
        ledger.handed_over("c", BODY).unwrap();
        ledger
    }

    fn says(ledger: &mut Ledger, report: &Report) {
        ledger.says(report);
        ledger.confirmed(report);
    }

    fn breach(result: Result<(), Breach>) -> String {
        result.unwrap_err().0
    }

    #[test]
    fn a_command_is_never_handed_over_after_its_result() {
        for report in [Report::acknowledged(ids(), "c"), Report::error(ids(), "c", vec![])] {
            let mut ledger = handed();
            says(&mut ledger, &report);
            says(&mut ledger, &Report::idle(ids()));
            assert!(breach(ledger.handed_over("c", BODY)).contains("after its result"));
        }
    }

    #[test]
    fn an_unanswered_command_is_handed_over_again_at_idle_only() {
        let mut ledger = handed();
        says(&mut ledger, &Report::idle(ids()));
        ledger.handed_over("c", BODY).unwrap();
        says(&mut ledger, &Report::acknowledged(ids(), "another"));
        assert!(breach(ledger.handed_over("c", BODY)).contains("another time than Idle"));
    }

    #[test]
    fn a_command_put_off_does_not_come_again_on_this_connection() {
        let mut ledger = handed();
        says(&mut ledger, &Report::not_now(ids(), "c"));
        assert!(breach(ledger.handed_over("c", BODY)).contains("put off"));
        ledger.handed_over("d", BODY).unwrap();
        says(&mut ledger, &Report::acknowledged(ids(), "d"));
        assert!(breach(ledger.handed_over("c", BODY)).contains("put off"));
    }

    #[test]
    fn a_command_put_off_comes_again_on_the_next_connection() {
        let mut ledger = handed();
        says(&mut ledger, &Report::not_now(ids(), "c"));
        says(&mut ledger, &Report::idle(ids()));
        ledger.handed_over("d", BODY).unwrap();
        says(&mut ledger, &Report::acknowledged(ids(), "d"));
        ledger.handed_over("c", BODY).unwrap();
    }

    #[test]
    fn a_result_that_nobody_heard_is_kept_for_the_next_hand_over() {
        let mut ledger = handed();
        let report = Report::acknowledged(ids(), "c").with("Answer", 42);
        ledger.says(&report);
        assert_eq!(ledger.answer_already_given("c"), Some(&report));
        says(&mut ledger, &Report::idle(ids()));
        ledger.handed_over("c", BODY).unwrap();
        assert_eq!(ledger.answer_already_given("c"), Some(&report));
        says(&mut ledger, &report);
        assert_eq!(ledger.answer_already_given("c"), None);
    }

    #[test]
    fn a_device_cut_off_before_its_report_does_not_do_it_again() {
        let mut ledger = handed();
        let report = Report::acknowledged(ids(), "c");
        ledger.carried_out(&report);
        says(&mut ledger, &Report::idle(ids()));
        ledger.handed_over("c", BODY).unwrap();
        assert_eq!(ledger.answer_already_given("c"), Some(&report));
    }

    #[test]
    fn nothing_of_the_time_before_an_erasure_comes_again() {
        let mut ledger = handed();
        ledger.forget();
        says(&mut ledger, &Report::idle(ids()));
        assert!(breach(ledger.handed_over("c", BODY)).contains("after the device was erased"));
        ledger.handed_over("d", BODY).unwrap();
    }

    #[test]
    fn one_uuid_is_one_command() {
        let mut ledger = handed();
        says(&mut ledger, &Report::idle(ids()));
        assert!(breach(ledger.handed_over("c", b"<plist></plist>")).contains("not the same command"));
    }

    #[test]
    fn a_result_sent_twice_changes_nothing() {
        let mut ledger = handed();
        let report = Report::acknowledged(ids(), "c");
        says(&mut ledger, &report);
        ledger.says(&report);
        assert_eq!(ledger.answer_already_given("c"), None);
        assert!(ledger.handed_over("c", BODY).is_err());
    }
}
