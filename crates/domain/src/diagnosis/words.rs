//! What a diagnosis says, in words for people.

use std::time::Duration;

use super::Diagnosis;
use crate::{
    ChannelKey, CommandState, CommandView, Device, Platform, Timestamp,
    ports::{AndroidCall, ChannelState, PushState},
};

/// How long after a push a device may take to come.
const ARRIVAL: Duration = Duration::from_mins(15);

/// How much later than it was handed a command a device has come once more.
const MOMENT: Duration = Duration::from_millis(1);

/// How long before its end something is spoken of.
const SOON: Duration = Duration::from_hours(30 * 24);

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

    /// Since when a channel has something to fetch.
    fn waits_since(&self, channel: &ChannelKey, now: Timestamp) -> Option<Timestamp> {
        let of_it = self
            .waiting
            .iter()
            .filter(|(command, _)| command.channel == *channel && command.state != CommandState::NotNow);
        let due = of_it.map(|(command, _)| {
            let due = command.schedule.not_before.map_or(command.queued_at, |at| at.max(command.queued_at));
            command.handed_over_at.map_or(due, |handed| handed.max(due))
        });
        due.filter(|due| *due <= now).min()
    }

    /// Whether something has waited for the device, which has not come since.
    fn is_silent(&self, now: Timestamp) -> bool {
        let since = self.waits_since(&ChannelKey::default(), now);
        since.is_some_and(|since| since.plus(ARRIVAL) <= now && !self.came_after(since.plus(MOMENT)))
    }

    fn came_after(&self, at: Timestamp) -> bool {
        self.device.last_contact.is_some_and(|contact| contact >= at)
    }

    pub(super) fn advise(&self, now: Timestamp) -> Vec<String> {
        let mut enrollment = self.about_enrollment();
        if let Some(why) = &self.google {
            enrollment
                .push(format!("Google does not do what it is asked ({why}): see remuda android status."));
        }
        // Google wakes Android devices, and they have no identities of ours.
        if !enrollment.is_empty() || self.device.facts.platform == Some(Platform::Android) {
            return enrollment;
        }
        let mut advice = self.about_certificates(now);
        advice.extend(self.about_parting());
        advice.extend(self.about_pushes(now));
        advice.extend(self.about_users(now));
        let put_off = |(command, _): &(CommandView, String)| command.state == CommandState::NotNow;
        if self.waiting.iter().any(put_off) {
            advice.push("Unlock the device, or wait until it is used: it puts commands off.".into());
        }
        advice
    }

    fn about_enrollment(&self) -> Vec<String> {
        let id = self.device.id.client_id();
        let advice = match &self.device {
            Device { quarantined: true, .. } => format!(
                "The device claims another one's identity: remuda device approve {id}, or remuda device reject {id}."
            ),
            Device { wiped: true, .. } => "The device was erased: enroll it again.".into(),
            Device { profile_removed: true, .. } => "Its profile was removed: enroll it again.".into(),
            Device { managed: false, .. } => "The device is not managed: enroll it again.".into(),
            _ => return Vec::new(),
        };
        vec![advice]
    }

    fn about_certificates(&self, now: Timestamp) -> Vec<String> {
        let mut advice = Vec::new();
        match self.push_certificate_ends {
            None => advice.push("There is no push certificate: remuda push-certificate request.".into()),
            Some(end) if end <= now => {
                advice.push("The push certificate has expired: renew it for the same topic, then remuda push-certificate import.".into());
            }
            Some(end) if end <= now.plus(SOON) => {
                advice.push(format!("The push certificate expires on {}: renew it.", end.rfc3339()));
            }
            Some(_) => {}
        }
        match self.certificate_ends {
            Some(end) if end <= now && self.foreign => advice.push(
                "The device's identity has expired, and your own CA renews it: give the device a new one.".into(),
            ),
            Some(end) if end <= now => advice.push(
                "The device's identity has expired: it gets its renewal at its next connection, and nothing else."
                    .into(),
            ),
            Some(_) => {}
            None => advice.push("The device has no identity in use: enroll it again.".into()),
        }
        advice
    }

    fn about_parting(&self) -> Option<String> {
        let (request_type, at) = self.parted.as_ref()?;
        Some(format!(
            "It was told to part ({request_type}, handed over at {}) and has been silent since, as a device is that has done \
             so: enroll it again, it takes this record over.",
            at.rfc3339()
        ))
    }

    /// Those for whom something waits.
    fn about_users(&self, now: Timestamp) -> Vec<String> {
        let advice = |user: &ChannelState| match &user.push {
            PushState { has_token: false, .. } => {
                Some(format!("APNs calls the token of {} dead: they have to log in again.", user.name()))
            }
            _ => Some(format!("Something waits for {}: it goes when they are logged in.", user.name())),
        };
        let is_late = |user: &&ChannelState| {
            self.waits_since(&user.key, now).is_some_and(|since| since.plus(ARRIVAL) <= now)
        };
        self.users.iter().filter(is_late).filter_map(advice).collect()
    }

    fn about_pushes(&self, now: Timestamp) -> Option<String> {
        match &self.push {
            None => Some("The device has not finished its enrollment: it never told how to wake it.".into()),
            Some(PushState { has_token: false, .. }) => Some(
                "APNs calls the device's token dead. Restart the device, or enroll it again if it does not come."
                    .into(),
            ),
            Some(PushState { due: Some((_, tries)), last, .. }) if *tries > 0 => {
                let said = last.as_ref().map_or("no answer", |(_, said)| said);
                Some(format!("Pushes fail ({said}): see remuda doctor."))
            }
            Some(PushState { last: Some(_), .. }) if self.parted.is_none() && self.is_silent(now) => Some(
                "APNs took the push, and the device does not come: see whether it is switched on, has a network, \
                 and may reach APNs (TCP 5223, or 443) and this server."
                    .into(),
            ),
            Some(_) => None,
        }
    }
}

impl ChannelState {
    /// Whose it is, for people.
    fn name(&self) -> &str {
        self.user_name.as_deref().unwrap_or(&self.key.0)
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
    use crate::{CommandId, Schedule, fixtures};

    const NOW: Timestamp = Timestamp(1_750_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn ago(minutes: u64) -> Timestamp {
        NOW.minus(Duration::from_mins(minutes))
    }

    fn push(last: Option<u64>) -> PushState {
        let last = last.map(|minutes| (ago(minutes), "accepted".to_owned()));
        PushState { has_token: true, told_at: ago(5000), last, due: None }
    }

    /// One that is well: it came a minute ago, and nothing waits for it.
    fn well() -> Diagnosis {
        Diagnosis {
            device: Device { last_contact: Some(ago(1)), ..fixtures::device(Platform::Macos, "15.1") },
            push: Some(push(Some(1))),
            users: Vec::new(),
            waiting: Vec::new(),
            certificate_ends: Some(NOW.plus(365 * DAY)),
            foreign: false,
            push_certificate_ends: Some(NOW.plus(365 * DAY)),
            parted: None,
            google: None,
            advice: Vec::new(),
        }
    }

    fn with(change: impl FnOnce(&mut Diagnosis)) -> Diagnosis {
        let mut found = well();
        change(&mut found);
        found
    }

    fn command(channel: &str, state: CommandState, queued: u64) -> CommandView {
        CommandView {
            id: CommandId(uuid::Uuid::from_u128(9)),
            device: well().device.id,
            channel: ChannelKey(channel.into()),
            request_type: "DeviceLock".into(),
            action: None,
            dedupe: None,
            state,
            schedule: Schedule::default(),
            put_off: 1,
            wake_at: NOW,
            faults: None,
            queued_at: ago(queued),
            handed_over_at: None,
            finished_at: None,
        }
    }

    fn waits(command: CommandView) -> impl FnOnce(&mut Diagnosis) {
        |found| found.waiting.push((command, String::new()))
    }

    fn user(has_token: bool) -> ChannelState {
        let push = PushState { has_token, ..push(Some(20)) };
        ChannelState { key: ChannelKey("A-1".into()), user_name: Some("ada".into()), awaits: false, push }
    }

    #[track_caller]
    fn says(found: &Diagnosis, words: &[&str]) {
        let advice = found.advise(NOW);
        assert_eq!(advice.len(), words.len(), "{advice:?}");
        for (said, words) in advice.iter().zip(words) {
            assert!(said.contains(words), "{said:?} and not {words:?}");
        }
    }

    #[test]
    fn where_all_is_well_nothing_is_to_be_done() {
        says(&well(), &[]);
        says(&with(waits(command("", CommandState::Queued, 5))), &[]);
        says(&with(waits(command("", CommandState::Queued, 90))), &[]);
        assert_eq!(
            well().why(&command("", CommandState::Queued, 2), NOW),
            "goes when the device next connects"
        );
    }

    #[test]
    fn a_device_that_was_never_seen_has_not_finished_its_enrollment() {
        let found = with(|found| (found.push, found.device.last_contact) = (None, None));
        says(&found, &["never told how to wake it"]);
        let why = found.why(&command("", CommandState::Queued, 5), NOW);
        assert_eq!(why, "the device has never told how to wake it");
        says(&with(|found| found.certificate_ends = None), &["no identity in use: enroll it again"]);
    }

    #[test]
    fn the_end_of_the_push_certificate_is_told_before_and_after() {
        let ends = |at| with(|found| found.push_certificate_ends = at);
        says(&ends(None), &["remuda push-certificate request"]);
        says(&ends(Some(NOW)), &["has expired: renew it for the same topic"]);
        says(&ends(Some(NOW.plus(10 * DAY))), &["The push certificate expires on 2025-06-25"]);
        says(&ends(Some(NOW.plus(31 * DAY))), &[]);
    }

    #[test]
    fn an_expired_identity_is_renewed_by_whoever_issued_it() {
        says(&with(|found| found.certificate_ends = Some(NOW)), &["gets its renewal at its next connection"]);
        let foreign = with(|found| (found.certificate_ends, found.foreign) = (Some(NOW), true));
        says(&foreign, &["your own CA renews it"]);
    }

    #[test]
    fn a_dead_token_is_told() {
        let found = with(|found| found.push = Some(PushState { has_token: false, ..push(Some(1)) }));
        says(&found, &["token dead. Restart the device"]);
        assert!(found.why(&command("", CommandState::Queued, 5), NOW).contains("its token is dead"));
    }

    #[test]
    fn pushes_that_fail_are_told_with_what_apns_said() {
        let due = Some((NOW.plus(DAY), 3));
        let last = Some((ago(1), "403 BadCertificate".to_owned()));
        let found = with(|found| found.push = Some(PushState { due, last, ..push(None) }));
        says(&found, &["Pushes fail (403 BadCertificate): see remuda doctor"]);
        let why = found.why(&command("", CommandState::Queued, 5), NOW);
        assert!(
            why.contains("3 time(s) in vain (403 BadCertificate); the next try is at 2025-06-16"),
            "{why}"
        );
        let soon = with(|found| found.push = Some(PushState { due: Some((NOW, 0)), ..push(None) }));
        assert_eq!(soon.why(&command("", CommandState::Queued, 5), NOW), "a push is on its way");
    }

    #[test]
    fn a_device_that_does_not_come_although_apns_took_the_push_is_to_be_looked_for() {
        let silent = |waiting: CommandView| {
            let mut found = with(|found| found.device.last_contact = Some(ago(100)));
            found.waiting.push((waiting, String::new()));
            found
        };
        let found = silent(command("", CommandState::Queued, 20));
        says(&found, &["APNs took the push, and the device does not come"]);
        let why = found.why(&found.waiting[0].0, NOW);
        assert!(why.contains("(accepted); the device has not come since"), "{why}");
        says(&silent(command("", CommandState::Queued, 5)), &[]);
        let handed =
            CommandView { handed_over_at: Some(ago(100)), ..command("", CommandState::HandedOver, 200) };
        says(&silent(handed), &["the device does not come"]);
    }

    #[test]
    fn what_is_put_off_or_waits_for_its_time_is_no_sign_of_silence() {
        let found = with(waits(command("", CommandState::NotNow, 500)));
        says(&found, &["Unlock the device"]);
        let why = found.why(&found.waiting[0].0, NOW);
        assert!(why.starts_with("put off by the device, 1 time(s)"), "{why}");
        let mut later = command("", CommandState::Queued, 500);
        later.schedule.not_before = Some(NOW.plus(DAY));
        let found = with(waits(later.clone()));
        says(&found, &[]);
        assert_eq!(found.why(&later, NOW), "waits for its time, 2025-06-16T15:06:40.000Z");
    }

    #[test]
    fn a_device_in_quarantine_is_decided_about() {
        let found = with(|found| (found.device.quarantined, found.device.managed) = (true, false));
        says(&found, &["remuda device approve 00000000000000000000000000000007, or remuda device reject"]);
    }

    #[test]
    fn a_device_that_left_is_enrolled_again() {
        for (change, words) in [
            ((|device| device.wiped = true) as fn(&mut Device), "was erased: enroll it again"),
            (|device| device.profile_removed = true, "profile was removed: enroll it again"),
            (|_| {}, "is not managed: enroll it again"),
        ] {
            let found = with(|found| {
                found.device.managed = false;
                change(&mut found.device);
            });
            says(&found, &[words]);
        }
    }

    #[test]
    fn a_device_that_was_told_to_part_and_is_silent_has_most_likely_done_so() {
        let mut found = with(waits(CommandView {
            handed_over_at: Some(ago(60)),
            ..command("", CommandState::HandedOver, 60)
        }));
        found.parted = Some(("EraseDevice".into(), ago(60)));
        found.device.last_contact = Some(ago(60));
        says(&found, &["told to part (EraseDevice, handed over at 2025-06-15T14:06:40.000Z)"]);
    }

    #[test]
    fn each_user_is_woken_and_told_for_themselves() {
        let found = |has_token, queued| {
            let mut found = with(waits(command("A-1", CommandState::Queued, queued)));
            found.users = vec![user(has_token)];
            found
        };
        let late = found(true, 20);
        says(&late, &["Something waits for ada: it goes when they are logged in"]);
        let why = late.why(&late.waiting[0].0, NOW);
        assert!(why.contains("(accepted); goes when ada is logged in"), "{why}");
        says(&found(true, 5), &[]);
        let dead = found(false, 20);
        says(&dead, &["APNs calls the token of ada dead: they have to log in again"]);
        assert_eq!(dead.why(&dead.waiting[0].0, NOW), "it cannot be woken: its token is dead");
        let gone = with(waits(command("A-2", CommandState::Queued, 20)));
        assert_eq!(gone.why(&gone.waiting[0].0, NOW), "its user is no longer managed there");
    }
}
