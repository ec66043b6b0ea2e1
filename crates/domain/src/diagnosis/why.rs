//! Why a command waits, in words for people.

use super::Diagnosis;
use crate::{
    ChannelKey, CommandState, CommandView, Platform, Timestamp,
    ports::{AndroidCall, PushState},
};

impl Diagnosis {
    pub(super) fn why(&self, command: &CommandView, now: Timestamp) -> String {
        match (command.state, command.schedule.not_before) {
            (_, Some(at)) if at > now => format!("waits for its time, {}", at.rfc3339()),
            (CommandState::NotNow, _) => format!(
                "put off by the device, {} time(s): it is locked, or busy; it is woken again at {}",
                command.put_off,
                command.wake_at.rfc3339()
            ),
            (CommandState::HandedOver, _) => {
                let at = command.handed_over_at.map(Timestamp::rfc3339).unwrap_or_default();
                format!("handed over at {at}; the device has not answered")
            }
            _ => self.why_queued(&command.channel, now),
        }
    }

    /// Why Google has not confirmed that it has a command.
    pub(super) fn why_not_at_google(&self, call: &AndroidCall) -> String {
        let at = call.due_at.rfc3339();
        match (&call.said, &self.google, call.after) {
            (_, _, Some(_)) => "waits until the command before it is done".into(),
            (Some(why), _, _) if call.asked => format!(
                "waits for Google, which may have it already; its last answer was: {why}; it is asked again at {at}"
            ),
            (Some(why), _, _) => {
                format!("waits for Google, whose last answer was: {why}; it is asked again at {at}")
            }
            (None, Some(why), _) => format!("waits for Google, which does not do what it is asked: {why}"),
            (None, None, _) => "Google is asked as soon as its turn comes".into(),
        }
    }

    fn why_queued(&self, channel: &ChannelKey, now: Timestamp) -> String {
        if self.device.facts.platform == Some(Platform::Android) {
            return match &self.google {
                Some(why) => format!("waits for Google, which does not do what it is asked: {why}"),
                None => "Google is asked as soon as its turn comes".into(),
            };
        }
        if *channel != ChannelKey::default() {
            return self.why_for_a_user(channel, now);
        }
        match &self.push {
            None => "the device has never told how to wake it".into(),
            Some(push) => push.obstacle(now).unwrap_or_else(|| match &push.last {
                Some((at, said)) if !self.came_after(*at) => {
                    format!("pushed at {} ({said}); the device has not come since", at.rfc3339())
                }
                _ => "goes when the device next connects".into(),
            }),
        }
    }

    /// A push wakes one channel and no other, and a user's comes only while that user is logged in.
    fn why_for_a_user(&self, key: &ChannelKey, now: Timestamp) -> String {
        let Some(user) = self.users.iter().find(|user| user.key == *key) else {
            return "its user is no longer managed there".into();
        };
        user.push.obstacle(now).unwrap_or_else(|| match &user.push.last {
            Some((at, said)) => format!(
                "pushed for at {} ({said}); goes when {} is logged in and the device has a network",
                at.rfc3339(),
                user.name()
            ),
            None => format!("goes when {} next logs in", user.name()),
        })
    }
}

impl PushState {
    /// Why no push has come through yet, where one is needed.
    fn obstacle(&self, now: Timestamp) -> Option<String> {
        match self {
            PushState { has_token: false, .. } => Some("it cannot be woken: its token is dead".into()),
            PushState { due: Some((due, 0)), .. } if *due <= now => Some("a push is on its way".into()),
            PushState { due: Some((due, tries)), last, .. } if *tries > 0 => Some(format!(
                "a push was tried {tries} time(s) in vain ({}); the next try is at {}",
                last.as_ref().map_or("no answer", |(_, said)| said),
                due.rfc3339()
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixtures::{DAY, NOW, ago, command, push, user, waits, well, with};

    /// What is said of a command of the device that has been queued for five minutes.
    fn said(found: &Diagnosis) -> String {
        found.why(&command("", CommandState::Queued, 5), NOW)
    }

    #[test]
    fn what_nothing_stands_in_the_way_of_goes_next() {
        assert_eq!(said(&well()), "goes when the device next connects");
    }

    #[test]
    fn a_device_that_was_never_seen_cannot_be_woken() {
        let found = with(|found| (found.push, found.device.last_contact) = (None, None));
        assert_eq!(said(&found), "the device has never told how to wake it");
        let found = with(|found| found.push = Some(PushState { has_token: false, ..push(Some(1)) }));
        assert!(said(&found).contains("its token is dead"));
    }

    #[test]
    fn pushes_that_fail_are_told_with_what_apns_said() {
        let due = Some((NOW.plus(DAY), 3));
        let last = Some((ago(1), "403 BadCertificate".to_owned()));
        let why = said(&with(|found| found.push = Some(PushState { due, last, ..push(None) })));
        assert!(
            why.contains("3 time(s) in vain (403 BadCertificate); the next try is at 2025-06-16"),
            "{why}"
        );
        let soon = with(|found| found.push = Some(PushState { due: Some((NOW, 0)), ..push(None) }));
        assert_eq!(said(&soon), "a push is on its way");
    }

    #[test]
    fn a_push_that_the_device_did_not_follow_is_told() {
        let why = said(&with(|found| found.device.last_contact = Some(ago(100))));
        assert!(why.contains("(accepted); the device has not come since"), "{why}");
    }

    #[test]
    fn what_is_put_off_or_waits_for_its_time_says_so() {
        let why = well().why(&command("", CommandState::NotNow, 500), NOW);
        assert!(why.starts_with("put off by the device, 1 time(s)"), "{why}");
        let mut later = command("", CommandState::Queued, 500);
        later.schedule.not_before = Some(NOW.plus(DAY));
        assert_eq!(well().why(&later, NOW), "waits for its time, 2025-06-16T15:06:40.000Z");
    }

    #[test]
    fn what_waits_for_a_user_waits_for_that_one() {
        let of_ada = |has_token| {
            let mut found = with(waits(command("A-1", CommandState::Queued, 20)));
            found.users = vec![user(has_token)];
            found.why(&found.waiting[0].0, NOW)
        };
        let why = of_ada(true);
        assert!(why.contains("(accepted); goes when ada is logged in"), "{why}");
        assert_eq!(of_ada(false), "it cannot be woken: its token is dead");
        let gone = well().why(&command("A-2", CommandState::Queued, 20), NOW);
        assert_eq!(gone, "its user is no longer managed there");
    }
}
