//! Pushes: waking devices, as work that survives a crash.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;

use crate::{
    Error, Event, Mdm, Result, TenantId, Timestamp,
    ports::{Delivery, PushCredentials, PushJob, PushTarget, SettledPush},
    push_certificates::key_context,
};

/// How long a worker has a push to itself, unless it says that it goes on. What a server that died was at waits for so long,
/// and what is asked for meanwhile with it.
const CLAIM: Duration = Duration::from_secs(15);

/// How often a worker says so while deliveries are under way: some of its words may be late or lost.
pub const KEEP_PUSHES: Duration = Duration::from_secs(3);

/// The first wait after a failure; each further one doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// The longest wait between two tries, and what a refusal waits for a person to mend.
const LONGEST_RETRY: Duration = Duration::from_mins(30);

impl Mdm {
    /// Up to `limit` pushes that are due and not of the tenants in `except`, each claimed for 15 seconds, and for as long as
    /// [`keep_pushes`](Self::keep_pushes) is called every [`KEEP_PUSHES`].
    pub async fn claim_pushes(&self, limit: u32, except: &[TenantId]) -> Result<Vec<PushJob>> {
        let now = self.clock.now();
        self.outbox.claim_pushes(now, now.plus(CLAIM), limit, except).await
    }

    /// Keeps pushes that were claimed from other nodes: a delivery may take longer than a claim.
    pub async fn keep_pushes(&self, jobs: &[PushJob]) -> Result<()> {
        self.outbox.keep_pushes(jobs, self.clock.now().plus(CLAIM)).await
    }

    /// What proves to APNs that `tenant` may push; `None` without a push certificate.
    pub async fn push_credentials(&self, tenant: TenantId) -> Result<Option<Arc<PushCredentials>>> {
        let Some(certificate) = self.store.read(tenant).await?.push_certificate().await? else {
            return Ok(None);
        };
        let key = self.installation.open_sealed(&key_context(tenant), &certificate.sealed_key)?;
        let chain = pki::Certificate::all_from_pem(&certificate.certificates).map_err(Error::internal)?;
        let leaf =
            chain.first().ok_or_else(|| Error::internal("a push certificate without a certificate"))?;
        Ok(Some(Arc::new(PushCredentials {
            topic: certificate.topic,
            fingerprint: leaf.fingerprint().0,
            certificates: chain.iter().map(|certificate| certificate.der().to_vec()).collect(),
            key,
        })))
    }

    /// Decides what follows from a delivery: only 410 retires a token, and only success or that ends the trying.
    pub fn settle_push(&self, job: PushJob, delivery: &Delivery) -> SettledPush {
        let at = self.clock.now();
        let back_off = back_off(job.attempts);
        let (retry_at, said) = match delivery {
            Delivery::Accepted => (None, "accepted".to_owned()),
            Delivery::TokenGone => (None, "410 Unregistered".to_owned()),
            Delivery::Refused { status, reason } => {
                (Some(at.plus(LONGEST_RETRY)), format!("{status} {reason}"))
            }
            Delivery::TryLater { after, why } => {
                (Some(at.plus(after.map_or(back_off, |after| after.max(back_off)))), why.clone())
            }
        };
        SettledPush { job, retry_at, token_gone: *delivery == Delivery::TokenGone, at, said }
    }

    /// Writes down what became of pushes, and raises an alarm for each refusal.
    ///
    /// # Errors
    /// Nothing is written down, and the same may be said again. (An alarm that the audit log does not take is in the log only: what
    /// was refused is refused again.)
    pub async fn settle_pushes(&self, settled: &[(SettledPush, Delivery)]) -> Result<()> {
        let rows: Vec<SettledPush> = settled.iter().map(|(row, _)| row.clone()).collect();
        self.outbox.settle_pushes(&rows).await?;
        let mut alarms: BTreeMap<TenantId, Vec<Event>> = BTreeMap::new();
        for (row, delivery) in settled {
            if let Some(event) = alarm(row, delivery) {
                alarms.entry(row.job.tenant).or_default().push(event);
            }
        }
        for (tenant, events) in alarms {
            if let Err(error) = self.record_alarms(tenant, &events).await {
                tracing::error!(%tenant, error = error.chain(), "what APNs refused could not be written into the audit log");
            }
        }
        Ok(())
    }

    /// When the next push is due.
    pub async fn next_push_due(&self) -> Result<Option<Timestamp>> {
        self.outbox.next_push_due().await
    }

    async fn record_alarms(&self, tenant: TenantId, events: &[Event]) -> Result<()> {
        let mut tx = self.store.begin(tenant).await?;
        for event in events {
            tx.record(event).await?;
        }
        tx.commit().await
    }
}

/// What the audit log is told of a push, if anything.
fn alarm(row: &SettledPush, delivery: &Delivery) -> Option<Event> {
    let kind = match delivery {
        Delivery::Accepted | Delivery::TryLater { .. } => return None,
        Delivery::TokenGone => "push.token_gone",
        Delivery::Refused { .. } => {
            tracing::error!(tenant = %row.job.tenant, said = row.said, "APNs refuses our pushes: see `remuda doctor`");
            "push.refused"
        }
    };
    let details = json!({ "apns": row.said });
    Some(match &row.job.target {
        PushTarget::Channel { device, .. } => Event::of_device(kind, *device, details, row.at),
        PushTarget::Tombstone(_) => Event::of_tenant(kind, details, row.at),
    })
}

fn back_off(attempts: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << attempts.min(16)).min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_half_an_hour() {
        let waits: Vec<u64> = [0, 1, 2, 10, 40].map(|attempts| back_off(attempts).as_secs()).to_vec();
        assert_eq!(waits, [2, 4, 8, 1800, 1800]);
    }
}
