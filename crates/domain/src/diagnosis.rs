//! Why a device is stuck, and what to do about it.

use crate::{
    Actor, CertificateState, ChannelKey, CommandFilter, CommandState, CommandView, Device, DeviceId,
    DeviceName, Error, Mdm, Platform, Result, Role, Thing, Timestamp,
    ports::{ChannelState, PushState, Tx},
};

mod advice;
#[cfg(test)]
mod fixtures;
mod why;

/// How many waiting commands of each state are shown.
const SHOWN: u32 = 50;

/// How a device stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The device.
    pub device: Device,
    /// How its own channel stands with APNs; `None` where it never told a token.
    pub push: Option<PushState>,
    /// The channels of its users, each with a push of its own.
    pub users: Vec<ChannelState>,
    /// What waits, in the order in which it will go, and why.
    pub waiting: Vec<(CommandView, String)>,
    /// Until when its identity is good.
    pub certificate_ends: Option<Timestamp>,
    /// Whether a company's own CA issued that, which renews it as well.
    pub foreign: bool,
    /// Until when the tenant's push certificate is good.
    pub push_certificate_ends: Option<Timestamp>,
    /// What ends its enrollment and was handed over, where the device was silent from then on.
    pub parted: Option<(String, Timestamp)>,
    /// Of an Android device: why Google does not do what it is asked, or does not hand notifications over.
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
        let channels = tx.channels(device.id, device.enrollment).await?;
        let (own, users): (Vec<_>, Vec<_>) =
            channels.into_iter().partition(|channel| channel.key == ChannelKey::default());
        let certificates = tx.certificates(device.enrollment).await?;
        let pinned = certificates.iter().find(|certificate| certificate.state == CertificateState::Pinned);
        let enrollment = tx.enrollment(device.enrollment).await?;
        let push_certificate = tx.push_certificate().await?;
        let is_android = device.facts.platform == Some(Platform::Android);
        let google = if is_android { tx.android_enterprise().await? } else { None };
        let mut found = Diagnosis {
            waiting: Vec::new(),
            certificate_ends: pinned.map(|certificate| certificate.not_after),
            foreign: enrollment.is_some_and(|enrollment| enrollment.link.is_none()),
            push_certificate_ends: push_certificate.map(|certificate| certificate.expires_at),
            advice: Vec::new(),
            google: google.and_then(|enterprise| enterprise.trouble().map(str::to_owned)),
            push: own.into_iter().next().map(|channel| channel.push),
            users,
            parted: self.parted(&mut *tx, &device).await?,
            device,
        };
        let waiting = waiting(&mut *tx, &found.device).await?;
        let mut calls = tx.android_calls(found.device.id).await?;
        calls.retain(|call| call.operation.is_none());
        let why = |command: &CommandView| match calls.iter().find(|call| call.id == command.id) {
            Some(call) => found.why_not_at_google(call),
            None => found.why(command, now),
        };
        found.waiting = waiting.into_iter().map(|command| (command.clone(), why(&command))).collect();
        found.advice = found.advise(now);
        Ok(found)
    }

    async fn parted(&self, tx: &mut dyn Tx, device: &Device) -> Result<Option<(String, Timestamp)>> {
        if !device.managed || !self.went(tx, device).await? {
            return Ok(None);
        }
        let command = self.parting_command(tx, device).await?;
        Ok(command.and_then(|command| Some((command.request_type, command.handed_over_at?))))
    }
}

impl Diagnosis {
    fn came_after(&self, at: Timestamp) -> bool {
        self.device.last_contact.is_some_and(|contact| contact >= at)
    }
}

impl ChannelState {
    /// Whose it is, for people.
    fn name(&self) -> &str {
        self.user_name.as_deref().unwrap_or(&self.key.0)
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
