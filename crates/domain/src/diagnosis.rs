//! Why a device is stuck, and what to do about it.

use std::time::Duration;

use crate::{
    Actor, CertificateState, ChannelKey, CommandFilter, CommandState, CommandView, Device, DeviceId,
    DeviceName, Error, Mdm, Platform, Result, Role, Thing, Timestamp,
    ports::{PushState, Tx},
};

/// How many waiting commands of each state are shown.
const SHOWN: u32 = 50;

/// How long after a push a device may take to come.
const ARRIVAL: Duration = Duration::from_mins(15);

/// How long before its end something is spoken of.
const SOON: Duration = Duration::from_hours(30 * 24);

/// How a device stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The device.
    pub device: Device,
    /// How its channel stands with APNs; `None` where it never told a token.
    pub push: Option<PushState>,
    /// What waits, in the order in which it will go, and why.
    pub waiting: Vec<(CommandView, String)>,
    /// Until when its identity is good.
    pub certificate_ends: Option<Timestamp>,
    /// Until when the tenant's push certificate is good.
    pub push_certificate_ends: Option<Timestamp>,
    /// Of an Android device: why Google did not answer when it was last asked.
    pub google: Option<String>,
    /// What to do, the most urgent first; nothing where all is well.
    pub advice: Vec<String>,
}

impl Mdm {
    /// Tells why a device does not do what it is asked. Looks and changes nothing.
    pub async fn diagnose(&self, actor: &Actor, device: DeviceId) -> Result<Diagnosis> {
        actor.require(Role::Viewer)?;
        let now = self.clock.now();
        let mut tx = self.store.read(actor.tenant).await?;
        let device = tx.device_named(&DeviceName::Id(device)).await?.ok_or(Error::NotFound(Thing::Device))?;
        let push = tx.push_state(device.id, device.enrollment, &ChannelKey::default()).await?;
        let certificates = tx.certificates(device.enrollment).await?;
        let pinned = certificates.iter().find(|certificate| certificate.state == CertificateState::Pinned);
        let push_certificate = tx.push_certificate().await?;
        let is_android = device.facts.platform == Some(Platform::Android);
        let google = if is_android { tx.android_enterprise().await? } else { None };
        let mut found = Diagnosis {
            waiting: Vec::new(),
            certificate_ends: pinned.map(|certificate| certificate.not_after),
            push_certificate_ends: push_certificate.map(|certificate| certificate.expires_at),
            advice: Vec::new(),
            google: google.and_then(|enterprise| enterprise.trouble),
            push,
            device,
        };
        let waiting = waiting(&mut *tx, &found.device).await?;
        found.waiting =
            waiting.into_iter().map(|command| (command.clone(), found.why(&command, now))).collect();
        found.advice = found.advise(now);
        Ok(found)
    }
}

/// What is open, in the order of the queue.
async fn waiting(tx: &mut dyn Tx, device: &Device) -> Result<Vec<CommandView>> {
    let mut open = Vec::new();
    for state in [CommandState::Queued, CommandState::HandedOver, CommandState::NotNow] {
        let filter = CommandFilter { device: Some(device.id), state: Some(state) };
        open.extend(tx.commands(&filter, None, SHOWN).await?);
    }
    open.sort_by_key(|command| (-command.schedule.priority, command.id));
    Ok(open)
}

impl Diagnosis {
    fn why(&self, command: &CommandView, now: Timestamp) -> String {
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
            _ => self.why_queued(now),
        }
    }

    fn why_queued(&self, now: Timestamp) -> String {
        if self.device.facts.platform == Some(Platform::Android) {
            return match &self.google {
                Some(why) => format!("waits for Google, which does not do what it is asked: {why}"),
                None => "Google is asked as soon as its turn comes".into(),
            };
        }
        match &self.push {
            None => "the device has never told how to wake it".into(),
            Some(PushState { has_token: false, .. }) => {
                "the device cannot be woken: its token is dead".into()
            }
            Some(PushState { due: Some((due, 0)), .. }) if *due <= now => "a push is on its way".into(),
            Some(PushState { due: Some((due, tries)), last, .. }) if *tries > 0 => format!(
                "a push was tried {tries} time(s) in vain ({}); the next try is at {}",
                last.as_ref().map_or("no answer", |(_, said)| said),
                due.rfc3339()
            ),
            Some(PushState { last: Some((at, said)), .. }) if !self.came_after(*at) => {
                format!("pushed at {} ({said}); the device has not come since", at.rfc3339())
            }
            Some(_) => "goes when the device next connects".into(),
        }
    }

    fn came_after(&self, at: Timestamp) -> bool {
        self.device.last_contact.is_some_and(|contact| contact >= at)
    }

    fn advise(&self, now: Timestamp) -> Vec<String> {
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
        advice.extend(self.about_pushes(now));
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
            Some(end) if end <= now => advice.push(
                "The device's identity has expired: it gets its renewal at its next connection, and nothing else."
                    .into(),
            ),
            Some(_) => {}
            None => advice.push("The device has no identity in use: enroll it again.".into()),
        }
        advice
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
            Some(PushState { last: Some((at, _)), .. })
                if !self.waiting.is_empty() && !self.came_after(*at) && at.plus(ARRIVAL) <= now =>
            {
                Some(
                    "APNs took the push, and the device does not come: see whether it is switched on, has a network, \
                     and may reach APNs (TCP 5223, or 443) and this server."
                        .into(),
                )
            }
            Some(_) => None,
        }
    }
}
