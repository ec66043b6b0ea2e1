//! The push worker.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{
    KEEP_PUSHES, Mdm, TenantId,
    ports::{Deliver, Delivery, PushCredentials, PushJob, SettledPush, Worker},
};
use tokio::{
    task::JoinSet,
    time::{Instant, interval_at},
};

use super::{LOOK, rest, take_over};
use crate::adapters::Wakes;

/// How many pushes are claimed and in flight at once.
const BATCH: u32 = 500;

/// Sends what is due, for ever.
pub async fn run(mdm: Arc<Mdm>, wakes: Arc<Wakes>, apns: Arc<dyn Deliver>) {
    take_over(&mdm, Worker::Pushes).await;
    loop {
        match send(&mdm, &apns).await {
            Ok(0) => wakes.wait(Worker::Pushes, wait(&mdm).await).await,
            Ok(_) => {}
            Err(error) => rest("pushes", &error).await,
        }
    }
}

/// Until the next push is due, and at most until another node may have asked for one.
async fn wait(mdm: &Mdm) -> Duration {
    let now = mdm.now();
    match mdm.next_push_due().await {
        Ok(Some(due)) => Duration::from_millis(u64::try_from(due.0 - now.0).unwrap_or(0)).clamp(FIRST, LOOK),
        Ok(None) | Err(_) => LOOK,
    }
}

/// A push that is claimed by another node looks due all the time.
const FIRST: Duration = Duration::from_millis(50);

async fn send(mdm: &Arc<Mdm>, apns: &Arc<dyn Deliver>) -> domain::Result<usize> {
    let jobs = mdm.claim_pushes(BATCH).await?;
    let count = jobs.len();
    let mut credentials = HashMap::new();
    let mut sending = JoinSet::new();
    for job in jobs.iter().cloned() {
        let credentials = of_tenant(mdm, &mut credentials, job.tenant).await?;
        sending.spawn(deliver(apns.clone(), mdm.clone(), credentials, job));
    }
    let settled = all(mdm, &jobs, sending).await?;
    if !settled.is_empty() {
        mdm.settle_pushes(&settled).await?;
    }
    Ok(count)
}

/// What became of all of `jobs`. All are kept until the last is done, also those that APNs has already: they are settled together.
async fn all(
    mdm: &Mdm,
    jobs: &[PushJob],
    mut sending: JoinSet<(SettledPush, Delivery)>,
) -> domain::Result<Vec<(SettledPush, Delivery)>> {
    let mut settled = Vec::with_capacity(jobs.len());
    let mut keep = interval_at(Instant::now() + KEEP_PUSHES, KEEP_PUSHES);
    loop {
        tokio::select! {
            done = sending.join_next() => match done {
                Some(done) => settled.push(done.map_err(domain::Error::internal)?),
                None => return Ok(settled),
            },
            _ = keep.tick() => {
                if let Err(error) = mdm.keep_pushes(jobs).await {
                    tracing::warn!(error = error.chain(), "claims of pushes could not be kept: some may be sent twice");
                }
            }
        }
    }
}

async fn deliver(
    apns: Arc<dyn Deliver>,
    mdm: Arc<Mdm>,
    credentials: Option<Arc<PushCredentials>>,
    job: PushJob,
) -> (SettledPush, Delivery) {
    let delivery = match credentials {
        Some(credentials) => apns.push(credentials, &job.token, &job.magic, mdm.now()).await,
        None => Delivery::Refused { status: 0, reason: "there is no push certificate".into() },
    };
    (mdm.settle_push(job, &delivery), delivery)
}

async fn of_tenant(
    mdm: &Mdm,
    known: &mut HashMap<TenantId, Option<Arc<PushCredentials>>>,
    tenant: TenantId,
) -> domain::Result<Option<Arc<PushCredentials>>> {
    if let Some(credentials) = known.get(&tenant) {
        return Ok(credentials.clone());
    }
    let credentials = mdm.push_credentials(tenant).await?;
    known.insert(tenant, credentials.clone());
    Ok(credentials)
}
