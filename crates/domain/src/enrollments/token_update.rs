//! `TokenUpdate`: how to wake a device. The first one enrolls it.

use serde_json::json;

use super::{
    authenticate::keeps_topic,
    identity::{Admission, Rejection, admit},
    parting::Evidence,
};
use crate::{
    CertificateState, Channel, ChannelKey, CommandId, Credential, Device, Enrollment, EnrollmentId,
    EnrollmentState, Error, Event, Identity, Mdm, Refusal, Result, Timestamp,
    actions::unlock_token_context,
    ports::{TokenStep, Tx, Worker},
};

/// The dedupe key of the command that ends a wait in Setup Assistant.
const RELEASE: &str = "release";

impl Mdm {
    /// Takes a `TokenUpdate`: a repeated one on the hot road, the first one of a channel on the ordinary one.
    pub(super) async fn update_token(
        &self,
        credential: &Credential,
        message: &apple::TokenUpdate,
    ) -> std::result::Result<(), Rejection> {
        if self.judge(credential).await?.expired {
            return Err(Refusal::Expired.into());
        }
        if self.told_again(credential, message).await? {
            return Ok(());
        }
        Box::pin(self.told_anew(credential, message)).await
    }

    /// The first one of a channel, or one that brings something new.
    async fn told_anew(
        &self,
        credential: &Credential,
        message: &apple::TokenUpdate,
    ) -> std::result::Result<(), Rejection> {
        let identity = match self.directory.identity(&credential.fingerprint()).await? {
            Some(identity) => identity,
            None => return Err(self.unknown(credential).await),
        };
        let key = message.ids.device_key();
        let admission = admit(&identity, key)?;
        let now = self.clock.now();
        let channel = self.channel_of(identity.enrollment, message, now)?;
        keeps_topic(&mut *self.store.read(identity.tenant).await?, &message.topic).await?;
        let awaits = message.awaiting_configuration;
        if matches!(admission, Admission::Pin) {
            if identity.certificate_state != CertificateState::Pinned {
                self.pin_now(credential, &identity).await?;
            }
            let step = TokenStep {
                fingerprint: credential.fingerprint(),
                key: key.into(),
                channel: channel.clone(),
                bound: None,
                now,
            };
            if awaits != Some(true) && self.road.update_token(step).await?.served.is_some() {
                return Ok(());
            }
        }
        match self.take_token(&identity, channel.clone(), awaits).await {
            // Another enrollment has just become the device that this one claims to be: now it is there to be seen.
            Err(Rejection::Failed(Error::Conflict(_))) => self.take_token(&identity, channel, awaits).await,
            taken => taken,
        }
    }

    pub(super) fn channel_of(
        &self,
        enrollment: EnrollmentId,
        message: &apple::TokenUpdate,
        now: Timestamp,
    ) -> Result<Channel> {
        let context = unlock_token_context(enrollment);
        let unlock_token =
            message.unlock_token.as_ref().map(|token| self.installation.seal(&context, token)).transpose()?;
        Ok(Channel {
            key: channel_key(&message.ids),
            push_token: message.token.clone(),
            push_magic: message.push_magic.clone(),
            unlock_token,
            user_name: message
                .ids
                .user_short_name
                .clone()
                .filter(|_| message.ids.channel() != apple::Channel::Device),
            updated_at: now,
        })
    }

    /// A token that is more than a repeated one: the first of its channel, or one of a device that waits.
    async fn take_token(
        &self,
        identity: &Identity,
        channel: Channel,
        awaits: Option<bool>,
    ) -> std::result::Result<(), Rejection> {
        let mut tx = self.store.begin(identity.tenant).await?;
        let enrollment = tx.enrollment_for_update(identity.enrollment).await?;
        let mut enrollment = enrollment.ok_or(Refusal::Unknown)?;
        let is_device = channel.key == ChannelKey::default();
        match enrollment.state {
            EnrollmentState::Issued | EnrollmentState::Over => return Err(Refusal::NotEnrolled.into()),
            EnrollmentState::Pending if is_device => self.settle(&mut *tx, &mut enrollment).await?,
            EnrollmentState::Pending => return Err(Refusal::NotEnrolled.into()),
            EnrollmentState::Active | EnrollmentState::Quarantined => {}
        }
        tx.set_channel(enrollment.device, enrollment.id, &channel).await?;
        if let (EnrollmentState::Quarantined, Some(awaits)) = (enrollment.state, awaits) {
            // It is let go on when it is approved.
            tx.set_awaiting(enrollment.id, &channel.key, awaits).await?;
        }
        if enrollment.state == EnrollmentState::Active {
            if awaits == Some(true) {
                self.release(&mut *tx, &enrollment, &channel.key).await?;
            }
            if let Some(device) = tx.device_for_update(enrollment.device).await?.filter(|_| is_device) {
                self.declare(&mut *tx, &device, self.clock.now()).await?;
            }
            tx.ask_push(enrollment.device, &channel.key, self.clock.now()).await?;
        }
        tx.commit().await?;
        self.wake.wake(Worker::Pushes);
        Ok(())
    }

    /// Gives a pending enrollment its device: a new one, the one that it may take over, or one in quarantine.
    async fn settle(&self, tx: &mut dyn Tx, enrollment: &mut Enrollment) -> Result<()> {
        let key =
            enrollment.key.clone().ok_or_else(|| Error::internal("a pending enrollment without a key"))?;
        match tx.device_by_key(&key).await? {
            None => self.add(tx, enrollment, false).await,
            Some(device) if self.may_take_over(tx, enrollment, &device).await? => {
                self.take_over(tx, enrollment, device).await
            }
            Some(holder) => {
                tracing::warn!(device = %holder.id, enrollment = %enrollment.id,
                    "another enrollment claims this device's identity; it is in quarantine until it is approved or rejected");
                self.add(tx, enrollment, true).await
            }
        }
    }

    /// Lets a device in Setup Assistant, or a user at the login of a Shared iPad, go on: it waits until it is told to. The
    /// open command is the memory of that, so that a later message without the key changes nothing
    /// (`protocol-subtleties` 17).
    pub(super) async fn release(
        &self,
        tx: &mut dyn Tx,
        enrollment: &Enrollment,
        channel: &ChannelKey,
    ) -> Result<()> {
        let Some(device) = tx.device_for_update(enrollment.device).await? else { return Ok(()) };
        let open = tx.open_commands(device.id).await?;
        if open.iter().any(|open| open.channel == *channel && open.dedupe.as_deref() == Some(RELEASE)) {
            return Ok(());
        }
        let request: apple::Command = if *channel == ChannelKey::default() {
            apple::command::DeviceConfigured.into()
        } else {
            apple::command::UserConfigured.into()
        };
        let mut command = self.new_command(&device, CommandId(self.random.ordered_id()), &request, false)?;
        command.channel = channel.clone();
        command.dedupe = Some(RELEASE.into());
        tx.add_commands(&[command]).await
    }

    async fn add(&self, tx: &mut dyn Tx, enrollment: &mut Enrollment, quarantined: bool) -> Result<()> {
        let now = self.clock.now();
        let device = Device {
            id: enrollment.device,
            enrollment: enrollment.id,
            key: enrollment.key.clone().unwrap_or_default(),
            user: enrollment.user,
            external_id: None,
            managed: !quarantined,
            wiped: false,
            profile_removed: false,
            quarantined,
            enrolled_at: now,
            last_contact: Some(now),
            unlockable: false,
            facts: enrollment.claimed.clone().unwrap_or_default(),
        };
        enrollment.state = if quarantined { EnrollmentState::Quarantined } else { EnrollmentState::Active };
        tx.set_enrollment(enrollment).await?;
        tx.add_device(&device).await?;
        let kind = if quarantined { "device.quarantined" } else { "device.enrolled" };
        self.welcome(tx, &device, kind, now).await
    }

    /// The rule of the Device API's contract: a UDID is only claimed, so that a live enrollment goes on untouched. One that
    /// was told to end itself, and was silent from then on, is over ([`went`]).
    async fn may_take_over(&self, tx: &mut dyn Tx, enrollment: &Enrollment, device: &Device) -> Result<bool> {
        if device.enrollment == enrollment.id || enrollment.wanted_device == Some(device.id) {
            return Ok(true);
        }
        if enrollment.user.is_some() && enrollment.user == device.user {
            return Ok(true);
        }
        let holder = tx.enrollment_for_update(device.enrollment).await?;
        let is_over = holder.is_none_or(|holder| holder.state == EnrollmentState::Over);
        Ok(is_over
            || device.wiped
            || device.profile_removed
            || !device.managed
            || self.went(tx, device).await?)
    }

    /// Puts `enrollment` in the place of the one before. Its queue and escrow are archived, not inherited.
    pub(super) async fn take_over(
        &self,
        tx: &mut dyn Tx,
        enrollment: &mut Enrollment,
        mut device: Device,
    ) -> Result<()> {
        let now = self.clock.now();
        self.settle_parting(tx, &device, Evidence::EnrolledAgain, now).await?;
        self.end_enrollment(tx, &device, enrollment.id, now).await?;
        enrollment.device = device.id;
        enrollment.state = EnrollmentState::Active;
        tx.set_enrollment(enrollment).await?;
        device.enrollment = enrollment.id;
        device.user = enrollment.user.or(device.user);
        device.managed = true;
        device.wiped = false;
        device.profile_removed = false;
        device.enrolled_at = now;
        device.facts.renew(enrollment.claimed.clone().unwrap_or_default());
        tx.set_device(&device).await?;
        self.welcome(tx, &device, "device.enrolled_again", now).await?;
        self.restore_lost_mode(tx, &device).await
    }

    /// Ends the enrollment that holds `device`, unless it is `next` itself.
    async fn end_enrollment(
        &self,
        tx: &mut dyn Tx,
        device: &Device,
        next: crate::EnrollmentId,
        now: Timestamp,
    ) -> Result<()> {
        tx.cancel_commands(device.id, None, now).await?;
        tx.drop_pushes(device.id).await?;
        if device.enrollment == next {
            return Ok(());
        }
        if let Some(mut before) = tx.enrollment_for_update(device.enrollment).await? {
            before.state = EnrollmentState::Over;
            tx.set_enrollment(&before).await?;
            tx.set_certificate_states(before.id, CertificateState::Revoked).await?;
        }
        Ok(())
    }

    /// Writes down that a device is here, and asks it what it is.
    pub(super) async fn welcome(
        &self,
        tx: &mut dyn Tx,
        device: &Device,
        kind: &str,
        now: Timestamp,
    ) -> Result<()> {
        let details = json!({ "enrollment": device.enrollment });
        tx.record(&Event::of_device(kind, device.id, details, now)).await?;
        if device.quarantined { Ok(()) } else { self.ask_inventory(tx, device, now).await }
    }
}

/// Which channel a message comes on.
pub(crate) fn channel_key(ids: &apple::Identifiers) -> ChannelKey {
    match ids.channel() {
        apple::Channel::Device => ChannelKey::default(),
        apple::Channel::User { key } => ChannelKey(key),
    }
}
