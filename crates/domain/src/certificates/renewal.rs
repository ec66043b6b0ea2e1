//! Renewal: before an identity ends, the device gets its enrollment profile again, with a fresh challenge.

use std::time::Duration;

use crate::{
    ChannelKey, CommandId, EnrollmentId, EnrollmentState, Mdm, RENEWAL, Result, TenantId, ports::Worker,
};

/// How long after a renewal that came to nothing a device is asked again.
const AGAIN: Duration = Duration::from_hours(24);

/// How many renewals are looked for at once.
const BATCH: u32 = 500;

impl Mdm {
    /// Queues the renewals that are due; how many. Called every few minutes.
    pub async fn queue_renewals(&self) -> Result<usize> {
        let now = self.clock.now();
        let before = now.plus(self.settings.renew_before);
        let due = self.outbox.due_renewals(before, now.minus(AGAIN), BATCH).await?;
        for (tenant, enrollment) in &due {
            self.queue_renewal(*tenant, *enrollment).await?;
        }
        Ok(due.len())
    }

    /// Queues the renewal of one enrollment's identity, unless one is open, or another CA than ours issued it.
    pub(crate) async fn queue_renewal(&self, tenant: TenantId, enrollment: EnrollmentId) -> Result<()> {
        let profile = self.renewal_profile(tenant, enrollment).await?;
        let mut tx = self.store.begin(tenant).await?;
        let Some(row) = tx.enrollment_for_update(enrollment).await? else { return Ok(()) };
        if row.state != EnrollmentState::Active || row.link.is_none() {
            return Ok(());
        }
        let Some(device) = tx.device_for_update(row.device).await? else { return Ok(()) };
        if device.enrollment != enrollment || tx.open_command(device.id, RENEWAL).await?.is_some() {
            return Ok(());
        }
        let request = apple::command::InstallProfile { payload: profile }.into();
        let id = CommandId(self.random.ordered_id());
        // The profile holds a challenge: whoever reads it could take the device's place.
        let mut command = self.new_command(&device, id, &request, true)?;
        command.dedupe = Some(RENEWAL.into());
        tx.add_commands(&[command]).await?;
        tx.ask_push(device.id, &ChannelKey::default(), self.clock.now()).await?;
        tx.commit().await?;
        self.wake.wake(Worker::Pushes);
        Ok(())
    }

    /// How long before the end of an identity its renewal is queued.
    pub fn renew_before(&self) -> Duration {
        self.settings.renew_before
    }
}
