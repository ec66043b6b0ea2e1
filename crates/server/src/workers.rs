//! The workers: they carry out what the database says is due, so that a crash loses none of it.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use domain::{
    Mdm, Old,
    ports::{Deliver, Worker},
};
use outbound::{Apns, ApnsSettings};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{adapters::Wakes, config::Config, wire::Parts};

mod android;
mod pushes;

/// How long a worker waits at most before it looks for work that another node made.
const LOOK: Duration = Duration::from_secs(1);

/// How long a worker waits after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How often last contacts are written down.
const FLUSH: Duration = Duration::from_secs(1);

/// How long others have the database to themselves between two batches of what is old.
const BETWEEN_BATCHES: Duration = Duration::from_millis(20);

/// How often renewals are looked for, tombstones swept, old things removed, certificates and the key ring read again,
/// signing keys tended.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

/// Starts every worker; each ends at `stop`.
///
/// # Errors
/// What is wrong with the settings of the push service.
pub fn start(
    tasks: &mut JoinSet<()>,
    parts: &Arc<Parts>,
    config: &Arc<Config>,
    stop: &CancellationToken,
) -> Result<()> {
    let apns: Arc<dyn Deliver> = Arc::new(Apns::new(apns_settings(config)?)?);
    let (mdm, wakes) = (&parts.mdm, &parts.wakes);
    tasks.spawn(until(stop, pushes::run(mdm.clone(), wakes.clone(), apns)));
    tasks.spawn(until(stop, outcomes(mdm.clone(), wakes.clone())));
    tasks.spawn(until(stop, purges(mdm.clone(), wakes.clone())));
    tasks.spawn(until(stop, queue(mdm.clone(), wakes.clone())));
    tasks.spawn(android::run(mdm.clone(), wakes.clone(), stop.clone()));
    tasks.spawn(until(stop, android::pulls(mdm.clone())));
    tasks.spawn(until(stop, flush(mdm.clone())));
    tasks.spawn(until(stop, housekeeping(parts.clone(), config.clone())));
    Ok(())
}

fn apns_settings(config: &Config) -> Result<ApnsSettings> {
    let mut settings = ApnsSettings::new(&config.apns_url);
    if let Some(file) = &config.apns_root {
        let roots: std::result::Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        settings.extra_roots = roots.with_context(|| format!("--apns-root {}", file.display()))?;
    }
    Ok(settings)
}

fn until(
    stop: &CancellationToken,
    work: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let stop = stop.clone();
    async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }
}

async fn outcomes(mdm: Arc<Mdm>, wakes: Arc<Wakes>) {
    take_over(&mdm, Worker::Outcomes).await;
    loop {
        match mdm.apply_outcomes().await {
            Ok(0) => wakes.wait(Worker::Outcomes, LOOK).await,
            Ok(_) => {}
            Err(error) => rest("results", &error).await,
        }
    }
}

async fn purges(mdm: Arc<Mdm>, wakes: Arc<Wakes>) {
    take_over(&mdm, Worker::Purges).await;
    loop {
        match mdm.work_on_purges().await {
            Ok(false) => wakes.wait(Worker::Purges, LOOK).await,
            Ok(true) => {}
            Err(error) => rest("purges", &error).await,
        }
    }
}

async fn queue(mdm: Arc<Mdm>, wakes: Arc<Wakes>) {
    loop {
        match mdm.tend_queue().await {
            Ok(0) => wakes.wait(Worker::Queue, LOOK).await,
            Ok(_) => {}
            Err(error) => rest("the queue", &error).await,
        }
    }
}

async fn flush(mdm: Arc<Mdm>) {
    loop {
        tokio::time::sleep(FLUSH).await;
        if let Err(error) = mdm.flush().await {
            rest("last contacts", &error).await;
        }
    }
}

async fn housekeeping(parts: Arc<Parts>, config: Arc<Config>) {
    let mut secrets = None;
    loop {
        if let Err(error) = parts.mdm.queue_renewals().await {
            tracing::warn!(error = error.chain(), "renewals could not be queued yet");
        }
        if let Err(error) = parts.mdm.sweep().await {
            tracing::warn!(error = error.chain(), "tombstones could not be swept yet");
        }
        if let Err(error) = parts.mdm.sweep_android_notifications().await {
            tracing::warn!(error = error.chain(), "ids of notifications could not be swept yet");
        }
        if let Err(error) = parts.mdm.sweep_accounts().await {
            tracing::warn!(error = error.chain(), "access tokens that are over could not be swept yet");
        }
        for old in Old::ALL {
            if let Err(error) = forget(&parts.mdm, old).await {
                tracing::warn!(?old, error = error.chain(), "what is old could not be removed yet");
            }
        }
        match parts.mdm.forget_secrets(secrets).await {
            Ok(next) => secrets = next,
            Err(error) => tracing::warn!(error = error.chain(), "old secrets could not be removed yet"),
        }
        if let Err(error) = parts.mdm.tend_token_keys().await {
            tracing::warn!(error = error.chain(), "the signing keys could not be tended yet");
        }
        match parts.refresh_key_ring(&config) {
            Ok(true) => tracing::info!("the key ring was replaced"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the key ring could not be replaced"),
        }
        match parts.refresh_tls(&config) {
            Ok(true) => tracing::info!("the TLS certificate was replaced"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the TLS certificate could not be replaced"),
        }
        tokio::time::sleep(HOUSEKEEPING).await;
    }
}

/// Batch after batch, with room for others between them.
async fn forget(mdm: &Mdm, old: Old) -> domain::Result<()> {
    while mdm.forget(old).await? > 0 {
        tokio::time::sleep(BETWEEN_BATCHES).await;
    }
    Ok(())
}

/// A worker begins: what its predecessor left in the middle need not wait until its claims end.
async fn take_over(mdm: &Mdm, worker: Worker) {
    if let Err(error) = mdm.release_claims(worker).await {
        tracing::warn!(
            ?worker,
            error = error.chain(),
            "claims of before could not be ended: they end by themselves"
        );
    }
}

async fn rest(what: &str, error: &domain::Error) {
    tracing::warn!(what, error = error.chain(), "a worker could not go on yet");
    tokio::time::sleep(AFTER_FAILURE).await;
}
