//! What must be so in the end of a command that the admin API has listed as queued.

use std::time::Instant;

use serde_json::Value;

use crate::{
    journal::{Answer, Deed, Pages, Sent},
    record::Finding,
};

/// Everything about this command that must not be; `shown` is what the server says of it: status and body.
///
/// Its state has to be true, and it must not leave once that was promised: after it was taken back, after its
/// time, after another one took its place.
pub fn judge(
    device: &str,
    sent: &Sent,
    pages: &Pages,
    is_managed: bool,
    shown: Option<&(u16, Value)>,
) -> Vec<Finding> {
    let Some(uuid) = &sent.uuid else { return Vec::new() };
    let of_it = |what: &str| format!("{device}: the command {uuid} {what}: {sent:?}");
    let mut findings: Vec<_> =
        left_in_spite(sent, pages).map(|what| Finding::Wrong(of_it(what))).into_iter().collect();
    let state = match shown {
        Some((200, command)) => command["state"].as_str().unwrap_or_default(),
        // It goes with its device.
        Some((404, _)) if may_be_purged(pages) => return findings,
        _ => {
            findings.push(Finding::Lost(of_it(&format!("is shown as {shown:?}"))));
            return findings;
        }
    };
    if !is_true(state, sent, pages, is_managed) {
        let deed = deed(sent, pages);
        findings
            .push(Finding::Lost(of_it(&format!("is {state:?} to the server, and its device did {deed:?}"))));
    }
    findings
}

/// Why it should not have been handed over, if it should not.
fn left_in_spite(sent: &Sent, pages: &Pages) -> Option<&'static str> {
    let handed = pages.handed.get(sent.uuid.as_ref()?)?;
    let replaced = replaced(sent, pages);
    // What was put off may be taken back too.
    if handed.iter().any(|asked| sent.taken_back().is_some_and(|taken| *asked > taken)) {
        return Some("was taken back, and handed over");
    }
    if sent.taken_back().is_some() && deed(sent, pages).is_some() {
        return Some("was taken back, and done");
    }
    if handed.iter().any(|asked| sent.expires.is_some_and(|end| *asked > end)) {
        return Some("was handed over after its end");
    }
    let is_late = handed.iter().any(|asked| replaced.is_some_and(|replaced| *asked > replaced));
    is_late.then_some("was handed over after another took its place")
}

fn is_true(state: &str, sent: &Sent, pages: &Pages, is_managed: bool) -> bool {
    let deed = deed(sent, pages);
    // Whoever leaves or comes under another management takes no queue along.
    let is_of_before = !is_managed || pages.parted.is_some_and(|parted| sent.asked < parted);
    if deed.is_some_and(|deed| deed.confirmed.is_some()) {
        return deed.is_some_and(|deed| state == if deed.done { "done" } else { "failed" });
    }
    match state {
        "done" => deed.is_some_and(|deed| deed.done),
        "failed" => deed.is_some_and(|deed| !deed.done),
        "cancelled" => sent.may_be_taken_back() || is_of_before || may_be_replaced(sent, pages),
        "expired" => sent.expires.is_some(),
        "queued" | "handed_over" | "not_now" => is_of_before,
        _ => false,
    }
}

fn deed<'a>(sent: &Sent, pages: &'a Pages) -> Option<&'a Deed> {
    pages.deeds.iter().find(|deed| Some(&deed.command) == sent.uuid.as_ref())
}

/// What was asked with the same key for the same device, and queued or perhaps queued.
fn rivals<'a>(sent: &'a Sent, pages: &'a Pages) -> impl Iterator<Item = &'a Sent> {
    let may_be_queued = |other: &Sent| other.listed().is_some() || other.answer == Answer::Missing;
    pages.sent.iter().filter(move |other| {
        sent.key.is_some() && other.key == sent.key && other.uuid != sent.uuid && may_be_queued(other)
    })
}

/// When another one had taken its place for certain.
fn replaced(sent: &Sent, pages: &Pages) -> Option<Instant> {
    let answered = sent.listed()?;
    let later = rivals(sent, pages).filter(|other| other.asked > answered);
    later.filter_map(Sent::listed).min()
}

/// Whether another one may have taken its place: one that was not answered before this one was asked for.
fn may_be_replaced(sent: &Sent, pages: &Pages) -> bool {
    rivals(sent, pages).any(|other| other.listed().is_none_or(|answered| answered > sent.asked))
}

fn may_be_purged(pages: &Pages) -> bool {
    pages.purges.iter().any(|purge| !matches!(purge.answer, Answer::Refused(_)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    /// A command `A` that was asked for at 10 and listed at 20 (milliseconds), and what became of it.
    struct Story {
        beginning: Instant,
        pages: Pages,
        sent: Sent,
    }

    impl Story {
        fn new() -> Self {
            let beginning = Instant::now();
            let mut story = Self { beginning, pages: Pages::default(), sent: Sent::now(None, None) };
            story.sent = story.listed("A", 10, 20);
            story
        }

        fn at(&self, milliseconds: u64) -> Instant {
            self.beginning + Duration::from_millis(milliseconds)
        }

        fn listed(&self, uuid: &str, asked: u64, answered: u64) -> Sent {
            Sent {
                uuid: Some(uuid.into()),
                asked: self.at(asked),
                answer: Answer::Taken(self.at(answered)),
                ..Sent::now(Some("key".into()), None)
            }
        }

        fn handed(mut self, asked: u64) -> Self {
            let asked = self.at(asked);
            self.pages.handed.entry("A".into()).or_default().push(asked);
            self
        }

        fn done(mut self, confirmed: Option<u64>) -> Self {
            let deed = Deed {
                command: "A".into(),
                request_type: "SecurityInfo".into(),
                message: None,
                done: true,
                at: self.at(40),
                confirmed: confirmed.map(|confirmed| self.at(confirmed)),
            };
            self.pages.deeds.push(deed);
            self.handed(30)
        }

        fn is_fine_as(&self, state: &str) -> bool {
            let shown = (200, json!({ "state": state }));
            judge("device", &self.sent, &self.pages, true, Some(&shown)).is_empty()
        }
    }

    #[test]
    fn what_was_done_and_confirmed_is_done() {
        let story = Story::new().done(Some(50));
        assert!(story.is_fine_as("done"));
        for other in ["queued", "handed_over", "failed", "expired", "cancelled"] {
            assert!(!story.is_fine_as(other), "{other}");
        }
    }

    #[test]
    fn what_was_listed_cannot_wait_for_ever_nor_vanish() {
        assert!(!Story::new().is_fine_as("queued"));
        let (story, gone) = (Story::new(), (404, Value::Null));
        let judged = judge("device", &story.sent, &story.pages, true, Some(&gone));
        assert!(matches!(judged[..], [Finding::Lost(_)]));
    }

    #[test]
    fn who_came_under_another_management_took_no_queue_along() {
        let mut story = Story::new();
        story.pages.parted = Some(story.at(30));
        assert!(story.is_fine_as("cancelled") && story.is_fine_as("queued") && !story.is_fine_as("done"));
    }

    #[test]
    fn what_was_taken_back_is_not_handed_over() {
        let mut story = Story::new();
        story.sent.cancelled = Some(Answer::Taken(story.at(25)));
        assert!(story.is_fine_as("cancelled"));
        let story = story.handed(22);
        assert!(story.is_fine_as("cancelled"), "it was put off");
        assert!(!story.handed(30).is_fine_as("cancelled"));
        let mut story = Story::new().done(None);
        story.sent.cancelled = Some(Answer::Taken(story.at(45)));
        assert!(!story.is_fine_as("cancelled"), "it was done");
    }

    #[test]
    fn nothing_is_cancelled_for_no_reason() {
        assert!(!Story::new().is_fine_as("cancelled"));
        let mut story = Story::new();
        story.sent.cancelled = Some(Answer::Refused(409));
        assert!(!story.is_fine_as("cancelled"));
        story.sent.cancelled = Some(Answer::Missing);
        assert!(story.is_fine_as("cancelled"));
    }

    #[test]
    fn what_is_over_or_replaced_does_not_leave() {
        let mut story = Story::new();
        story.sent.expires = Some(story.at(60));
        assert!(story.is_fine_as("expired"));
        assert!(!story.handed(70).is_fine_as("expired"));
        let mut story = Story::new();
        story.pages.sent = vec![story.sent.clone(), story.listed("B", 30, 40)];
        assert!(story.is_fine_as("cancelled"));
        assert!(!story.handed(50).is_fine_as("cancelled"));
    }

    #[test]
    fn nothing_expires_that_has_no_end() {
        assert!(!Story::new().is_fine_as("expired"));
    }
}
