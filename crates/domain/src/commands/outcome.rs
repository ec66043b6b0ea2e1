//! Results: what a command's answer changes, as work that can be restarted.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    ChannelKey, Command, CommandState, Device, Event, Mdm, Result, Timestamp,
    ports::{OutcomeJob, Tx},
};

/// How long a worker has a result to itself.
const CLAIM: Duration = Duration::from_secs(15);

/// How many results are claimed at once.
const BATCH: u32 = 64;

impl Mdm {
    /// Applies results that are stored and not yet applied, oldest first; how many there were.
    ///
    /// One that cannot be applied stays, and is tried again when its claim ends.
    pub async fn apply_outcomes(&self) -> Result<usize> {
        let now = self.clock.now();
        let jobs = self.outbox.claim_outcomes(now, now.plus(CLAIM), BATCH).await?;
        for job in &jobs {
            if let Err(error) = self.apply_outcome(job).await {
                tracing::error!(command = %job.command, error = error.chain(), "a result could not be applied yet");
            }
        }
        Ok(jobs.len())
    }

    /// Nothing is written where another worker, to which the claim had passed, was quicker.
    async fn apply_outcome(&self, job: &OutcomeJob) -> Result<()> {
        let mut tx = self.store.begin(job.tenant).await?;
        if let Some(command) = tx.command(job.device, job.command).await? {
            self.apply(&mut *tx, &command).await?;
        }
        if tx.remove_outcome(job.device, job.command).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    async fn apply(&self, tx: &mut dyn Tx, command: &Command) -> Result<()> {
        let now = self.clock.now();
        let report = command.result.as_deref().and_then(|result| match apple::Report::parse(result) {
            Ok(report) => Some(report),
            Err(error) => {
                tracing::warn!(command = %command.id, %error, "a stored report cannot be read");
                None
            }
        });
        if let Some(report) = report.as_ref().filter(|_| command.state == CommandState::Acknowledged) {
            let learned = learn(tx, command, report, now).await?;
            if let Some((before, device)) = learned {
                self.judge_queue(tx, &before, &device, now).await?;
            }
        }
        tx.record(&event(command, report.as_ref(), now)).await
    }
}

/// Takes over what a report says of its device; the device before and now, where its commands are to be judged again.
async fn learn(
    tx: &mut dyn Tx,
    command: &Command,
    report: &apple::Report,
    now: Timestamp,
) -> Result<Option<(Device, Device)>> {
    if !matches!(command.request_type.as_str(), "DeviceInformation" | "SecurityInfo") {
        return Ok(None);
    }
    let Some(mut device) = tx.device_for_update(command.device).await? else { return Ok(None) };
    if device.enrollment != command.enrollment {
        return Ok(None);
    }
    let before = device.clone();
    if command.request_type == "DeviceInformation" {
        device.facts.take_information(&apple::inventory::DeviceInformation::from_report(report), now);
    } else {
        device.facts.take_security(&apple::inventory::SecurityInfo::from_report(report));
    }
    tx.set_device(&device).await?;
    Ok(judged_otherwise(&before, &device).then_some((before, device)))
}

/// Whether what is now known of a device lets its commands be judged otherwise.
fn judged_otherwise(before: &Device, now: &Device) -> bool {
    let channel = ChannelKey::default();
    before.target(&channel) != now.target(&channel)
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
