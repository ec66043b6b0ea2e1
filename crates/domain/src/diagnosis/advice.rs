//! What to do about a device, in words for people.

use std::time::Duration;

use super::Diagnosis;
use crate::{
    ChannelKey, CommandState, CommandView, Device, Platform, Timestamp,
    ports::{ChannelState, PushState},
};

/// How long after a push a device may take to come.
const ARRIVAL: Duration = Duration::from_mins(15);

/// How much later than it was handed a command a device has come once more.
const MOMENT: Duration = Duration::from_millis(1);

/// How long before its end something is spoken of.
const SOON: Duration = Duration::from_hours(30 * 24);

impl Diagnosis {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::fixtures::{DAY, NOW, ago, command, push, user, waits, well, with};

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
    }

    #[test]
    fn a_device_that_was_never_seen_has_not_finished_its_enrollment() {
        let found = with(|found| (found.push, found.device.last_contact) = (None, None));
        says(&found, &["never told how to wake it"]);
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
    }

    #[test]
    fn pushes_that_fail_are_told_with_what_apns_said() {
        let due = Some((NOW.plus(DAY), 3));
        let last = Some((ago(1), "403 BadCertificate".to_owned()));
        let found = with(|found| found.push = Some(PushState { due, last, ..push(None) }));
        says(&found, &["Pushes fail (403 BadCertificate): see remuda doctor"]);
    }

    #[test]
    fn a_device_that_does_not_come_although_apns_took_the_push_is_to_be_looked_for() {
        let silent = |waiting: CommandView| {
            let mut found = with(|found| found.device.last_contact = Some(ago(100)));
            found.waiting.push((waiting, String::new()));
            found
        };
        let late = command("", CommandState::Queued, 20);
        says(&silent(late), &["APNs took the push, and the device does not come"]);
        says(&silent(command("", CommandState::Queued, 5)), &[]);
        let handed =
            CommandView { handed_over_at: Some(ago(100)), ..command("", CommandState::HandedOver, 200) };
        says(&silent(handed), &["the device does not come"]);
    }

    #[test]
    fn what_is_put_off_or_waits_for_its_time_is_no_sign_of_silence() {
        says(&with(waits(command("", CommandState::NotNow, 500))), &["Unlock the device"]);
        let mut later = command("", CommandState::Queued, 500);
        later.schedule.not_before = Some(NOW.plus(DAY));
        says(&with(waits(later)), &[]);
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
        says(&found(true, 20), &["Something waits for ada: it goes when they are logged in"]);
        says(&found(true, 5), &[]);
        says(&found(false, 20), &["APNs calls the token of ada dead: they have to log in again"]);
    }
}
