//! Results that change nothing but that they are there: most of them. They are noted many at a time.

use std::collections::{BTreeMap, HashMap};

use super::{super::result::report_of, event};
use crate::{
    Command, CommandId, DeviceId, Mdm, Result, TenantId, escrow::is_about_secrets, ports::OutcomeJob,
};

impl Mdm {
    /// Notes the results of quiet commands, a transaction for each tenant; those that are left are to be applied one by one.
    ///
    /// No row but their own is locked, so that nobody waits for it. Where that fails, nothing is noted: one by one, it shows
    /// whose fault it is.
    pub(super) async fn note_quiet(&self, jobs: &[OutcomeJob]) -> Vec<OutcomeJob> {
        let mut left = Vec::new();
        let mut tenants = BTreeMap::<TenantId, Vec<OutcomeJob>>::new();
        for job in jobs {
            tenants.entry(job.tenant).or_default().push(*job);
        }
        for (tenant, jobs) in tenants {
            match self.note_quiet_of(tenant, &jobs).await {
                Ok(some) => left.extend(some),
                Err(error) => {
                    tracing::warn!(error = error.chain(), "results could not be noted together");
                    left.extend(jobs);
                }
            }
        }
        left
    }

    async fn note_quiet_of(&self, tenant: TenantId, jobs: &[OutcomeJob]) -> Result<Vec<OutcomeJob>> {
        if jobs.len() < 2 {
            return Ok(jobs.to_vec());
        }
        let now = self.clock.now();
        let mut tx = self.store.begin(tenant).await?;
        let named: Vec<_> = jobs.iter().map(name).collect();
        let commands = tx.commands_of(&named).await?;
        let commands: HashMap<_, _> =
            commands.iter().map(|command| ((command.device, command.id), command)).collect();
        let (mut left, mut noted, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for job in jobs {
            match commands.get(&name(job)) {
                Some(command) if self.is_quiet(tenant, command)? => {
                    noted.push(name(job));
                    events.push(event(command, report_of(&self.installation, command)?.as_ref(), now));
                }
                _ => left.push(*job),
            }
        }
        if noted.is_empty() {
            return Ok(left);
        }
        tx.record_all(&events).await?;
        if tx.remove_outcomes(&noted).await? != noted.len() as u64 {
            // Another worker, to which a claim had passed, was quicker with one of them.
            return Ok(jobs.to_vec());
        }
        tx.commit().await?;
        Ok(left)
    }

    fn is_quiet(&self, tenant: TenantId, command: &Command) -> Result<bool> {
        Ok(!is_about_secrets(&command.request_type) && self.effect(tenant, command)?.is_none())
    }
}

fn name(job: &OutcomeJob) -> (DeviceId, CommandId) {
    (job.device, job.command)
}
