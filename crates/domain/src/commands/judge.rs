//! Whether a device would take a command, by Apple's facts and what is known of the device.

use apple::enrollment::AccessRights;
use apple::facts;
use apple::guard::{self, Limits};
use apple::validate::{self, Options, Target, TargetChannel, Verdict};

use super::enqueue::plain_payload;
use crate::{
    ChannelKey, Command, CommandState, Device, EnrollmentKind, Event, Facts, Mdm, Platform, Result,
    Timestamp, Unsupported, actions::unsupported, ports::Tx,
};

/// What was found about a command when it was queued, or when its device changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Apple's facts and the class of the device, by which it was judged.
    pub facts_revision: String,
    /// Why the device would refuse it, a line each; `None` if it would not.
    pub faults: Option<String>,
}

impl Facts {
    /// What is known of a device that decides what it may be sent on `channel`.
    pub(crate) fn target(&self, channel: &ChannelKey) -> Target {
        let device_channel = *channel == ChannelKey::default();
        Target {
            os: self.platform.and_then(Platform::apple).map(Into::into),
            version: self.os_version.as_deref().and_then(|version| version.parse().ok()),
            supervised: self.supervised,
            // That it was automated is told later than that it enrolled; until then nothing is known.
            automated: (self.enrollment == EnrollmentKind::Automated).then_some(true),
            user_enrollment: Some(self.enrollment == EnrollmentKind::User),
            rights: self.access_rights.and_then(|bits| AccessRights::new(bits.into())),
            channel: Some(if device_channel { TargetChannel::Device } else { TargetChannel::User }),
            apple_silicon: self.apple_silicon,
            pin_for_lock: self.pin_required_for_lock,
            pin_for_erase: self.pin_required_for_erase,
            shared_ipad: self.shared,
            ..Target::default()
        }
    }
}

/// The revision of all facts that a judgement on this device rests on.
pub(super) fn revision(target: &Target) -> String {
    format!("{} {}", facts::REVISION, target.class())
}

/// Judges the plist of a command.
pub(super) fn judge(plain: &[u8], target: &Target) -> Judgement {
    let verdict = verdict(plain, target);
    let faults: Vec<_> = verdict.faults.iter().map(ToString::to_string).collect();
    Judgement { facts_revision: revision(target), faults: (!faults.is_empty()).then(|| faults.join("\n")) }
}

/// Why the device would refuse `request`, where `command`, which was made of it, was found to be faulty.
pub(crate) fn why_refused(
    command: &Command,
    request: &apple::Command,
    device: &Device,
) -> Option<Unsupported> {
    command.judged.as_ref()?.faults.as_ref()?;
    let verdict = verdict(&request.encode(""), &device.facts.target(&command.channel));
    Some(verdict.faults.first().map_or(Unsupported::Refused, |fault| unsupported(&fault.problem)))
}

fn verdict(plain: &[u8], target: &Target) -> Verdict {
    let document = guard::parse(plain, Limits::server_answer()).ok();
    let document = document.as_ref().and_then(apple::Value::as_dictionary);
    let command = document.and_then(|document| document.get("Command")).and_then(apple::Value::as_dictionary);
    let nothing = apple::Dictionary::new();
    validate::command(command.unwrap_or(&nothing), target, Options::default())
}

impl Mdm {
    /// Judges again what waits for `device`, which was `before`: what is known of it has changed, above all its OS.
    /// What it would have taken before and would now refuse is taken back; how many that were.
    pub(crate) async fn judge_queue(
        &self,
        tx: &mut dyn Tx,
        before: &Device,
        device: &Device,
        now: Timestamp,
    ) -> Result<usize> {
        let mut taken_back = 0;
        for command in tx.open_commands(device.id).await? {
            let Some(judged) = self.judge_again(before, device, &command)? else { continue };
            let refused = judged.faults.is_some();
            if tx.set_judgement(device.id, command.id, &judged, refused.then_some(now)).await? && refused {
                tx.record(&taken_back_event(&command, &judged, now)).await?;
                taken_back += 1;
            }
        }
        Ok(taken_back)
    }

    /// The new judgement on a command that still waits; `None` where it stays as it is, as a command does that the
    /// device would have refused before as well.
    fn judge_again(&self, before: &Device, device: &Device, command: &Command) -> Result<Option<Judgement>> {
        let target = device.facts.target(&command.channel);
        let known = command.judged.as_ref().map(|judged| judged.facts_revision.as_str());
        let waits = matches!(command.state, CommandState::Queued | CommandState::NotNow);
        if !waits || known == Some(revision(&target).as_str()) {
            return Ok(None);
        }
        let plain = plain_payload(&self.installation, command.id, command.payload.clone(), command.sealed)?;
        let old =
            command.judged.clone().unwrap_or_else(|| judge(&plain, &before.facts.target(&command.channel)));
        Ok(old.faults.is_none().then(|| judge(&plain, &target)))
    }
}

fn taken_back_event(command: &Command, judged: &Judgement, now: Timestamp) -> Event {
    let details = serde_json::json!({
        "command": command.id, "request_type": command.request_type, "faults": judged.faults,
    });
    Event::of_device("command.taken_back", command.device, details, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use apple::facts::Os;

    fn iphone() -> Target {
        Target { supervised: Some(false), ..Target::of(Os::IOs, apple::OsVersion::new(18, 1, 0)) }
    }

    fn lock(pin: Option<&str>) -> Vec<u8> {
        let pin = pin.and_then(|pin| apple::command::Pin::new(pin).ok());
        apple::Command::from(apple::command::DeviceLock { pin, ..Default::default() }).encode("c")
    }

    #[test]
    fn a_judgement_names_the_facts_that_it_rests_on() {
        let judged = judge(&lock(None), &iphone());
        assert_eq!(judged.faults, None);
        assert_eq!(judged.facts_revision, format!("{} iOS 18.1 !supervised", facts::REVISION));
    }

    #[test]
    fn what_the_enrollment_does_not_grant_is_refused() {
        let granted = |bits| Target { rights: AccessRights::new(bits), ..iphone() };
        assert_eq!(judge(&lock(None), &granted(8191)).faults, None);
        assert_eq!(judge(&lock(None), &iphone()).faults, None, "of an unknown grant nothing is judged");
        let judged = judge(&lock(None), &granted(8191 - 4));
        assert_eq!(
            judged.faults.as_deref(),
            Some(
                "RequestType: the enrollment does not grant the access right 4 (lock the device and remove its passcode)"
            )
        );
        assert!(judged.facts_revision.ends_with("rights=8187"), "{}", judged.facts_revision);
    }

    #[test]
    fn what_a_device_would_refuse_has_its_faults_and_none_of_its_secrets() {
        let judged = judge(&lock(Some("482913")), &iphone());
        assert_eq!(judged.faults.as_deref(), Some("PIN: not available on iOS"));
        assert!(judge(b"no plist", &iphone()).faults.is_some());
    }
}
