//! Quarantine: what an administrator decides about an enrollment that claims another device's identity.

use serde_json::json;

use crate::{
    Actor, CertificateState, Device, DeviceId, EnrollmentState, Error, Event, Mdm, Result, Role, Thing,
    ports::{Tx, Worker},
};

impl Mdm {
    /// Approves a quarantined device: it takes over the record of the device whose identity it claims.
    ///
    /// Gives the id of the record that it now has. The quarantined record is gone.
    pub async fn approve_device(&self, actor: &Actor, id: DeviceId) -> Result<DeviceId> {
        actor.require(Role::Operator)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let (device, mut enrollment) = quarantined(&mut *tx, id).await?;
        let channels = tx.channel(enrollment.id, &crate::ChannelKey::default()).await?;
        let bootstrap_token = tx.bootstrap_token(enrollment.id).await?;
        let now = self.clock.now();
        let id = match tx.device_by_key(&device.key).await? {
            Some(holder) => {
                tx.discard_quarantined(device.id).await?;
                let id = holder.id;
                self.take_over(&mut *tx, &mut enrollment, holder).await?;
                id
            }
            None => {
                enrollment.state = EnrollmentState::Active;
                tx.set_enrollment(&enrollment).await?;
                let device = Device { quarantined: false, managed: true, ..device };
                tx.set_device(&device).await?;
                self.welcome(&mut *tx, &device, "device.enrolled", now).await?;
                device.id
            }
        };
        if let Some(channel) = channels {
            tx.set_channel(id, enrollment.id, &channel).await?;
            tx.set_bootstrap_token(enrollment.id, bootstrap_token.as_deref()).await?;
            if let Some(device) = tx.device_for_update(id).await? {
                self.declare(&mut *tx, &device, now).await?;
            }
            tx.ask_push(id, &channel.key, now).await?;
        }
        tx.record(&Event::by(
            actor,
            "device.approved",
            Some(id),
            json!({ "enrollment": enrollment.id }),
            now,
        ))
        .await?;
        tx.commit().await?;
        self.wake.wake(Worker::Pushes);
        Ok(id)
    }

    /// Rejects a quarantined device: its enrollment is over and its certificates are revoked.
    pub async fn reject_device(&self, actor: &Actor, id: DeviceId) -> Result<()> {
        actor.require(Role::Operator)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let (_, mut enrollment) = quarantined(&mut *tx, id).await?;
        enrollment.state = EnrollmentState::Over;
        tx.set_enrollment(&enrollment).await?;
        tx.set_certificate_states(enrollment.id, CertificateState::Revoked).await?;
        tx.discard_quarantined(id).await?;
        let details = json!({});
        tx.record(&Event::by(actor, "device.rejected", None, details, self.clock.now())).await?;
        tx.commit().await
    }
}

async fn quarantined(tx: &mut dyn Tx, id: DeviceId) -> Result<(Device, crate::Enrollment)> {
    let device = tx.device_for_update(id).await?.filter(|device| device.quarantined);
    let device = device.ok_or(Error::NotFound(Thing::Device))?;
    let enrollment = tx.enrollment_for_update(device.enrollment).await?;
    Ok((device, enrollment.ok_or(Error::NotFound(Thing::Device))?))
}
