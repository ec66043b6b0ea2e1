//! Quarantine: what an administrator decides about an enrollment that claims another device's identity.

use serde_json::json;

use crate::{
    Actor, CertificateState, Device, DeviceId, DeviceName, EnrollmentState, Error, Event, Mdm, Result, Role,
    Thing,
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
        let now = self.clock.now();
        let id = match tx.device_by_key(&device.key).await? {
            Some(holder) => {
                // With its users, its bootstrap token, and who waits in Setup Assistant.
                tx.move_channels(enrollment.id, holder.id).await?;
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
        self.take_up_channels(&mut *tx, id, &enrollment).await?;
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

    /// What the channels of an enrollment told while it was in quarantine counts from now on: who waits is let go on, and all
    /// are woken.
    async fn take_up_channels(
        &self,
        tx: &mut dyn Tx,
        device: DeviceId,
        enrollment: &crate::Enrollment,
    ) -> Result<()> {
        let now = self.clock.now();
        for channel in tx.channels(device, enrollment.id).await? {
            if channel.awaits {
                self.release(tx, enrollment, &channel.key).await?;
                tx.set_awaiting(enrollment.id, &channel.key, false).await?;
            }
            tx.ask_push(device, &channel.key, now).await?;
        }
        if let Some(device) = tx.device_for_update(device).await? {
            self.declare(tx, &device, now).await?;
        }
        Ok(())
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
    let seen = tx.device_named(&DeviceName::Id(id)).await?.ok_or(Error::NotFound(Thing::Device))?;
    // First the enrollment, and with it that of the device whose identity it claims: check-ins lock them in this order.
    let enrollment = tx.enrollment_for_update(seen.enrollment).await?;
    let device = tx.device_for_update(id).await?.filter(|device| device.quarantined);
    let device = device.ok_or(Error::NotFound(Thing::Device))?;
    Ok((device, enrollment.ok_or(Error::NotFound(Thing::Device))?))
}
