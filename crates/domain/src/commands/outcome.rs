//! Results: what a command's answer changes, as work that can be restarted; a file per kind of effect.

use std::time::Duration;

use serde_json::{Value, json};

use super::{enqueue::plain_payload, result::report_of};
use crate::{
    Command, CommandState, Device, Error, Event, Mdm, Result, TenantId, Timestamp,
    enrollments::{Leaving, profile_identifier},
    ports::{OutcomeJob, Tx},
};

mod apps;
mod facts;
mod quiet;

/// How long a worker has a result to itself.
const CLAIM: Duration = Duration::from_secs(15);

/// How many results are claimed at once.
const BATCH: u32 = 128;

impl Mdm {
    /// Applies results that are stored and not yet applied, oldest first; how many there were.
    ///
    /// One that cannot be applied stays, and is tried again when its claim ends.
    pub async fn apply_outcomes(&self) -> Result<usize> {
        let now = self.clock.now();
        let jobs = self.outbox.claim_outcomes(now, now.plus(CLAIM), BATCH).await?;
        for job in &self.note_quiet(&jobs).await {
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
        tx.record(&event(command, report.as_ref(), now)).await
    }

    /// What the device did, written down; nothing where it belongs to another enrollment by now.
    async fn take_effect(
        &self,
        tx: &mut dyn Tx,
        tenant: TenantId,
        command: &Command,
        report: &apple::Report,
        now: Timestamp,
    ) -> Result<()> {
        let Some(effect) = self.effect(tenant, command)? else { return Ok(()) };
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

    /// What kind of effect `command` has when it is done.
    fn effect(&self, tenant: TenantId, command: &Command) -> Result<Option<Effect>> {
        Ok(match command.request_type.as_str() {
            "EraseDevice" => Some(Effect::Leaves(Leaving::Wiped)),
            "RemoveProfile" if self.ends_enrollment(tenant, command)? => {
                Some(Effect::Leaves(Leaving::ProfileRemoved))
            }
            "InstalledApplicationList" | "ManagedApplicationList" => Some(Effect::TellsApps),
            request_type => facts::tells(request_type).then_some(Effect::TellsFacts),
        })
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
        report: &apple::Report,
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
enum Effect {
    /// The enrollment is over.
    Leaves(Leaving),
    /// The device's apps are known.
    TellsApps,
    /// Something is known of the device itself.
    TellsFacts,
}

fn event(command: &Command, report: Option<&apple::Report>, now: Timestamp) -> Event {
    let kind = if command.state == CommandState::Acknowledged { "command.done" } else { "command.failed" };
    let errors: Vec<Value> = report
        .map(|report| {
            report
                .error_chain
                .iter()
                .map(|item| json!({ "code": item.code, "domain": item.domain }))
                .collect()
        })
        .unwrap_or_default();
    let details = json!({ "command": command.id, "request_type": command.request_type, "errors": errors });
    Event::of_device(kind, command.device, details, now)
}
