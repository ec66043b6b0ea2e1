//! Results: what a command's answer changes, as work that can be restarted; a file per kind of effect.

use std::time::Duration;

use apple::Report;
use serde_json::{Value, json};

use super::{enqueue::plain_payload, result::report_of};
use crate::{
    Command, CommandState, Device, Error, Event, Mdm, Result, TenantId, Timestamp,
    enrollments::{Leaving, profile_identifier},
    ports::{OutcomeJob, Tx},
};

mod apps;
mod facts;

/// How long a worker has a result to itself.
const CLAIM: Duration = Duration::from_secs(15);

/// How many results are claimed at once.
const BATCH: u32 = 128;

/// The request types whose results may change something, by name. Those of all others are stored and told by the device road
/// at once, and leave nothing to apply.
pub const APPLIED: [&str; 16] = [
    "ActivationLockBypassCode",
    "ClearPasscode",
    "DeviceInformation",
    "DeviceLocation",
    "DeviceLock",
    "DisableLostMode",
    "EnableLostMode",
    "EraseDevice",
    "InstalledApplicationList",
    "ManagedApplicationList",
    "RemoveProfile",
    "RequestUnlockToken",
    "RotateFileVaultKey",
    "SecurityInfo",
    "SetFirmwarePassword",
    "SetRecoveryLock",
];

impl Mdm {
    /// Applies results that are stored and not yet applied, oldest first; how many there were.
    ///
    /// One that cannot be applied stays, and is tried again when its claim ends.
    pub async fn apply_outcomes(&self) -> Result<usize> {
        let now = self.clock.now();
        let jobs = self.outbox.claim_outcomes(now, now.plus(CLAIM), BATCH).await?;
        for job in &jobs {
            match self.apply_outcome(job).await {
                Ok(()) => {}
                // The database is away: nothing is wrong with the result.
                Err(error @ Error::Unavailable(_)) => {
                    tracing::warn!(command = %job.command, error = error.chain(), "a result could not be applied yet");
                }
                Err(error) => {
                    tracing::error!(command = %job.command, error = error.chain(), "a result could not be applied yet");
                }
            }
        }
        Ok(jobs.len())
    }

    /// Nothing is written where another worker, to which the claim had passed, was quicker.
    async fn apply_outcome(&self, job: &OutcomeJob) -> Result<()> {
        let mut tx = self.store.begin(job.tenant).await?;
        if let Some(command) = tx.command(job.device, job.command).await? {
            self.apply(&mut *tx, job.tenant, &command).await?;
        }
        if tx.remove_outcome(job.device, job.command).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    async fn apply(&self, tx: &mut dyn Tx, tenant: TenantId, command: &Command) -> Result<()> {
        let now = self.clock.now();
        let report = report_of(&self.installation, command)?;
        // A command that failed changes nothing: what is not done has no effect.
        if let Some(report) = report.as_ref().filter(|_| command.state == CommandState::Acknowledged) {
            self.take_effect(tx, tenant, command, report, now).await?;
        }
        self.settle_secrets(tx, command, report.as_ref(), now).await?;
        let errors = report.as_ref().map_or_else(|| json!([]), error_chain);
        tx.record(&Event::of_result(
            (command.device, command.id),
            &command.request_type,
            command.state,
            &errors,
            now,
        ))
        .await
    }

    /// What the device did, written down; nothing where it belongs to another enrollment by now.
    async fn take_effect(
        &self,
        tx: &mut dyn Tx,
        tenant: TenantId,
        command: &Command,
        report: &Report,
        now: Timestamp,
    ) -> Result<()> {
        let Some(effect) = effect(&command.request_type) else { return Ok(()) };
        if effect == Effect::Leaves(Leaving::ProfileRemoved) && !self.ends_enrollment(tenant, command)? {
            return Ok(());
        }
        let device = tx.device_for_update(command.device).await?;
        let Some(device) = device.filter(|device| device.enrollment == command.enrollment) else {
            return Ok(());
        };
        let Some(enrollment) = tx.enrollment_for_update(device.enrollment).await? else { return Ok(()) };
        match effect {
            Effect::Leaves(leaving) => self.leave(tx, enrollment, leaving).await,
            Effect::TellsApps => apps::take(tx, &device, report).await,
            Effect::TellsFacts => self.learn(tx, command, report, device, now).await,
        }
    }

    /// Whether a `RemoveProfile` names the profile of the enrollment.
    fn ends_enrollment(&self, tenant: TenantId, command: &Command) -> Result<bool> {
        let removed = match apple::Envelope::parse(&self.plain(command)?) {
            Ok(apple::Envelope { command: apple::Command::RemoveProfile(removed), .. }) => removed.identifier,
            _ => return Ok(false),
        };
        Ok(removed == profile_identifier(tenant))
    }

    fn plain(&self, command: &Command) -> Result<Vec<u8>> {
        plain_payload(&self.installation, command.id, command.payload.clone(), command.sealed)
    }

    /// Takes over what a report says of its device; what waits for the device is judged again where that matters.
    async fn learn(
        &self,
        tx: &mut dyn Tx,
        command: &Command,
        report: &Report,
        mut device: Device,
        now: Timestamp,
    ) -> Result<()> {
        let before = device.clone();
        let plain = self.plain(command)?;
        let told_at = command.finished_at.unwrap_or(now);
        facts::take(&mut device.facts, (&command.request_type, &plain), (report, told_at), now);
        self.learned(tx, &before, &device, now).await
    }
}

/// What a command does to what we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// The enrollment is over.
    Leaves(Leaving),
    /// The device's apps are known.
    TellsApps,
    /// Something is known of the device itself.
    TellsFacts,
}

/// What kind of effect a command has when it is done; `RemoveProfile` only if it is the enrollment's.
fn effect(request_type: &str) -> Option<Effect> {
    match request_type {
        "EraseDevice" => Some(Effect::Leaves(Leaving::Wiped)),
        "RemoveProfile" => Some(Effect::Leaves(Leaving::ProfileRemoved)),
        "InstalledApplicationList" | "ManagedApplicationList" => Some(Effect::TellsApps),
        request_type => facts::tells(request_type).then_some(Effect::TellsFacts),
    }
}

/// What a report says went wrong, for the audit log: codes and domains, and none of the texts.
pub(super) fn error_chain(report: &Report) -> Value {
    report.error_chain.iter().map(|item| json!({ "code": item.code, "domain": item.domain })).collect()
}

#[cfg(test)]
mod tests {
    use apple::facts::Kind;

    use super::*;
    use crate::escrow::is_about_secrets;

    #[test]
    fn what_has_an_effect_is_applied_and_nothing_else() {
        let commands: Vec<_> = apple::facts::all().filter(|entry| entry.kind == Kind::Command).collect();
        assert!(commands.len() > 60);
        for request_type in commands.iter().map(|entry| entry.name).chain(APPLIED) {
            let has_effect = effect(request_type).is_some() || is_about_secrets(request_type);
            assert_eq!(APPLIED.contains(&request_type), has_effect, "{request_type}");
        }
        assert!(APPLIED.is_sorted() && APPLIED.iter().all(|name| apple::facts::command(name).is_some()));
    }
}
