//! What Google tells of a device: a new one, a known one, or one that is gone.

use std::str::FromStr;

use ::android::DeviceName as Resource;
use serde_json::json;

use super::{facts::applications, place::Place};
use crate::{
    CommandState, Device, DeviceId, DeviceName, Enrollment, EnrollmentId, EnrollmentState, Error, Event,
    Facts, Mdm, Result, TenantId, Timestamp, UserId,
    devices::printable,
    ports::{GoogleFailure, Tx},
};

/// How many earlier names of a device are looked up.
const MOST_EARLIER: usize = 20;

impl Mdm {
    /// Takes a report over. A device that is not known yet is asked for first: what a notification tells may be long over.
    pub(super) async fn take_report(&self, place: &Place, told: ::android::Device) -> Result<()> {
        let name = told.name.clone();
        let mut tx = self.store.read(place.tenant).await?;
        if tx.is_given_up(name.as_str()).await? {
            return Ok(());
        }
        let known = tx.android_device(name.as_str()).await?;
        drop(tx);
        match known {
            Some((device, enrollment)) => self.report_of(place.tenant, (device, enrollment), &told).await,
            None if told.is_deleted() => Ok(()),
            None => self.meet(place, &name).await,
        }
    }

    /// Takes over what Google's list says now: a device that is not known yet need not be asked for.
    pub(super) async fn take_listed(&self, place: &Place, told: ::android::Device) -> Result<()> {
        let known = self.store.read(place.tenant).await?.android_device(told.name.as_str()).await?;
        match known {
            Some(_) => self.take_report(place, told).await,
            None if told.is_deleted() => Ok(()),
            None => self.enroll_android(place.tenant, &told).await,
        }
    }

    /// Makes the record of a device that Google has and we do not; nothing where Google has it no more.
    pub(super) async fn meet(&self, place: &Place, name: &Resource) -> Result<()> {
        match self.query(place, self.google.device(&place.account, name)).await? {
            Ok(told) if told.is_deleted() => Ok(()),
            Ok(told) => self.enroll_android(place.tenant, &told).await,
            Err(GoogleFailure::Gone { .. } | GoogleFailure::Refused { .. }) => Ok(()),
            Err(failure) => Err(Error::Unavailable(failure.to_string())),
        }
    }

    async fn report_of(
        &self,
        tenant: TenantId,
        (id, enrollment): (DeviceId, EnrollmentId),
        told: &::android::Device,
    ) -> Result<()> {
        if told.is_deleted() {
            return self.device_is_gone(tenant, told.name.as_str()).await;
        }
        let mut tx = self.store.begin(tenant).await?;
        tx.enrollment_for_update(enrollment).await?;
        let Some(mut device) = tx.device_for_update(id).await? else { return Ok(()) };
        // What is said of a device that has left since is over.
        if device.enrollment != enrollment || !device.managed {
            return Ok(());
        }
        if device.facts.take_android(told) {
            tx.set_device(&device).await?;
            take_applications(&mut *tx, &device, told).await?;
        }
        if let Some(at) = told.last_contact() {
            tx.touch_device(id, at.into()).await?;
        }
        tx.commit().await
    }

    /// A device that comes in: with its earlier record, if Google says that it is the same hardware.
    async fn enroll_android(&self, tenant: TenantId, told: &::android::Device) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.store.begin(tenant).await?;
        if tx.is_given_up(told.name.as_str()).await? || tx.android_device(told.name.as_str()).await?.is_some()
        {
            return Ok(());
        }
        let user = user_of(&mut *tx, told).await?;
        let earlier = self.earlier_record(&mut *tx, told, user).await?;
        let enrollment = EnrollmentId(self.random.id());
        let id = earlier.as_ref().map_or_else(|| DeviceId(self.random.id()), |device| device.id);
        let key = told.name.as_str().to_owned();
        tx.add_enrollment(&Enrollment {
            id: enrollment,
            device: id,
            key: Some(key.clone()),
            link: None,
            wanted_device: None,
            user,
            state: EnrollmentState::Active,
            claimed: None,
            created_at: now,
        })
        .await?;
        let is_new = earlier.is_none();
        let mut device = earlier.unwrap_or_else(|| unknown(id, enrollment, now));
        device =
            Device { enrollment, key, user, managed: true, wiped: false, profile_removed: false, ..device };
        device.facts.android = None;
        device.facts.lost_mode = None;
        device.facts.take_android(told);
        let contact = told.last_contact().or(told.enrollment_time).map_or(now, Timestamp::from);
        if is_new {
            device.last_contact = Some(contact);
            tx.add_device(&device).await?;
        } else {
            tx.set_device(&device).await?;
            tx.touch_device(id, contact).await?;
        }
        take_applications(&mut *tx, &device, told).await?;
        let details = json!({ "enrollment": enrollment, "again": !is_new });
        tx.record(&Event::of_device("device.enrolled", id, details, now)).await?;
        tx.commit().await
    }

    /// The record of the same hardware, its old enrollment ended. One that is still managed for somebody else stays as it is.
    async fn earlier_record(
        &self,
        tx: &mut dyn Tx,
        told: &::android::Device,
        user: Option<UserId>,
    ) -> Result<Option<Device>> {
        let records = same_hardware(tx, told).await?;
        // All at once: whoever locks the enrollments of several devices does it in the order of the devices' ids.
        tx.hold_devices(&records.iter().map(|(id, _)| *id).collect::<Vec<_>>()).await?;
        for (id, enrollment) in records {
            let before = tx.enrollment_for_update(enrollment).await?;
            let Some(device) = tx.device_for_update(id).await? else { continue };
            if device.managed && (device.user.is_none() || device.user != user) {
                continue;
            }
            if let Some(mut before) = before {
                before.state = EnrollmentState::Over;
                tx.set_enrollment(&before).await?;
            }
            tx.cancel_commands(id, None, self.clock.now()).await?;
            tx.drop_android_calls(id).await?;
            return Ok(Some(device));
        }
        Ok(None)
    }

    /// Google has the device no more: it was wiped, where that was asked, or else it left.
    pub(super) async fn device_is_gone(&self, tenant: TenantId, resource: &str) -> Result<()> {
        let mut tx = self.store.begin(tenant).await?;
        let Some((id, enrollment)) = tx.android_device(resource).await? else { return Ok(()) };
        tx.enrollment_for_update(enrollment).await?;
        let Some(device) = tx.device_for_update(id).await? else { return Ok(()) };
        if device.enrollment != enrollment || !device.managed {
            return Ok(());
        }
        let now = self.clock.now();
        let mut wiped = false;
        for command in tx.open_commands(id).await? {
            let parts = command.state == CommandState::HandedOver
                && matches!(command.request_type.as_str(), "WIPE" | "RELINQUISH_OWNERSHIP");
            // The operation went with the device: that is how it ended.
            if parts && tx.settle_command(id, command.id, CommandState::Acknowledged, now).await? {
                wiped |= command.request_type == "WIPE";
                tx.record(&Event::android_command(&command, CommandState::Acknowledged, None, now)).await?;
            }
        }
        self.android_leaves(&mut *tx, &device, enrollment, wiped).await?;
        tx.commit().await
    }
}

/// The records of the same hardware: by the names that Google says it had, and by its serial number, which is Google's word
/// and not the device's claim.
async fn same_hardware(tx: &mut dyn Tx, told: &::android::Device) -> Result<Vec<(DeviceId, EnrollmentId)>> {
    let mut found = Vec::new();
    for name in told.previous_device_names.iter().rev().take(MOST_EARLIER) {
        found.extend(tx.android_device(name).await?);
    }
    if let Some(serial_number) = told.serial_number() {
        let named = tx.device_named(&DeviceName::SerialNumber(printable(serial_number))).await?;
        let named = named.filter(|device| device.facts.android.is_some());
        found.extend(named.map(|device| (device.id, device.enrollment)));
    }
    Ok(found)
}

async fn take_applications(tx: &mut dyn Tx, device: &Device, told: &::android::Device) -> Result<()> {
    match applications(told) {
        Some(apps) => tx.set_installed_apps(device.id, &apps).await,
        None => Ok(()),
    }
}

/// For whom the token was made by which the device came.
async fn user_of(tx: &mut dyn Tx, told: &::android::Device) -> Result<Option<UserId>> {
    let reference = told.token_data().and_then(|data| data.reference().map(str::to_owned));
    let Some(id) = reference.and_then(|reference| UserId::from_str(&reference).ok()) else { return Ok(None) };
    Ok(tx.user(id).await?.map(|user| user.id))
}

fn unknown(id: DeviceId, enrollment: EnrollmentId, now: Timestamp) -> Device {
    Device {
        id,
        enrollment,
        key: String::new(),
        user: None,
        external_id: None,
        managed: true,
        wiped: false,
        profile_removed: false,
        quarantined: false,
        enrolled_at: now,
        last_contact: None,
        unlockable: false,
        facts: Facts::default(),
    }
}
