//! What the flow of pushes asks of the rest of the server.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    Mdm, Result, TenantId, Timestamp,
    ports::{Delivery, PushCredentials, PushJob, SettledPush, Worker},
};

use super::super::LOOK;
use crate::adapters::Wakes;

/// A push that is claimed by somebody looks due all the time.
pub const SOON: Duration = Duration::from_millis(50);

/// The server's operations on pushes. (`Mdm` has them all; the tests of the flow have a desk without a database, whose hands they
/// hold.)
#[async_trait]
pub trait Desk: Send + Sync {
    /// Claims up to `limit` pushes that are due, but those of `except`.
    async fn claim(&self, limit: u32, except: &[TenantId]) -> Result<Vec<PushJob>>;

    /// With what a tenant pushes; `None` without a push certificate.
    async fn credentials(&self, tenant: TenantId) -> Result<Option<Arc<PushCredentials>>>;

    /// Keeps what is claimed from other nodes.
    async fn keep(&self, jobs: &[PushJob]) -> Result<()>;

    /// What follows from a delivery.
    fn judge(&self, job: PushJob, delivery: &Delivery) -> SettledPush;

    /// Writes that down.
    async fn settle(&self, settled: &[(SettledPush, Delivery)]) -> Result<()>;

    /// Waits until something may be due that was not at the last look, which `found` something or nothing.
    async fn wait(&self, found: bool);

    /// Now, for APNs.
    fn now(&self) -> Timestamp;
}

/// The desk of a server.
pub struct Office {
    pub mdm: Arc<Mdm>,
    pub wakes: Arc<Wakes>,
}

#[async_trait]
impl Desk for Office {
    async fn claim(&self, limit: u32, except: &[TenantId]) -> Result<Vec<PushJob>> {
        self.mdm.claim_pushes(limit, except).await
    }

    async fn credentials(&self, tenant: TenantId) -> Result<Option<Arc<PushCredentials>>> {
        self.mdm.push_credentials(tenant).await
    }

    async fn keep(&self, jobs: &[PushJob]) -> Result<()> {
        self.mdm.keep_pushes(jobs).await
    }

    fn judge(&self, job: PushJob, delivery: &Delivery) -> SettledPush {
        self.mdm.settle_push(job, delivery)
    }

    async fn settle(&self, settled: &[(SettledPush, Delivery)]) -> Result<()> {
        self.mdm.settle_pushes(settled).await
    }

    async fn wait(&self, found: bool) {
        let at_most = if found { SOON } else { until_due(&self.mdm).await };
        self.wakes.wait(Worker::Pushes, at_most).await;
    }

    fn now(&self) -> Timestamp {
        self.mdm.now()
    }
}

/// Until the next push is due, and at most until another node may have asked for one.
async fn until_due(mdm: &Mdm) -> Duration {
    let now = mdm.now();
    match mdm.next_push_due().await {
        Ok(Some(due)) => due.since(now).clamp(SOON, LOOK),
        Ok(None) | Err(_) => LOOK,
    }
}

/// A push, and with what it is sent; or what is to be said of it since it cannot be.
pub type Ready = (PushJob, std::result::Result<Arc<PushCredentials>, Delivery>);

/// Claims what is due, each push with the credentials of its tenant. A tenant whose credentials cannot be read holds up no other.
pub async fn claim(desk: &dyn Desk, limit: u32, except: &[TenantId]) -> Result<Vec<Ready>> {
    let jobs = desk.claim(limit, except).await?;
    let mut known = HashMap::new();
    for job in &jobs {
        if let Entry::Vacant(unknown) = known.entry(job.tenant) {
            unknown.insert(credentials(desk, job.tenant).await);
        }
    }
    let ready = jobs.into_iter().filter_map(|job| known.get(&job.tenant).cloned().map(|with| (job, with)));
    Ok(ready.collect())
}

async fn credentials(
    desk: &dyn Desk,
    tenant: TenantId,
) -> std::result::Result<Arc<PushCredentials>, Delivery> {
    match desk.credentials(tenant).await {
        Ok(Some(credentials)) => Ok(credentials),
        Ok(None) => Err(Delivery::Refused { status: 0, reason: "there is no push certificate".into() }),
        Err(error) => {
            tracing::warn!(%tenant, error = error.chain(), "a push certificate could not be read");
            Err(Delivery::TryLater { after: None, why: "the push certificate could not be read".into() })
        }
    }
}
