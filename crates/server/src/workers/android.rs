//! What is done with Google: calls are made, notifications taken and applied, commands followed, devices compared. Each has
//! tasks of its own, so that none waits for another.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{Mdm, TenantId, ports::Worker};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{LOOK, rest};
use crate::adapters::Wakes;

/// How often is looked for tenants that have come to Google.
const TENANTS: Duration = Duration::from_secs(1);

/// The pause between two looks where nothing waits: a real Google holds an empty pull open for a while by itself.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a tenant's messages are left where they are after Google was away.
const AWAY: Duration = Duration::from_secs(5);

/// How often Google is told anew that notifications are pushed: whoever changed that by hand is overruled.
const TOLD_AGAIN: Duration = Duration::from_hours(1);

/// How many calls are made side by side: Google's quota allows ten in a second, and takes its time for each.
const CALLERS: usize = 4;

/// How long what has begun may take to come to its end at a stop: what is dropped in the middle is left until its claim is over.
const GRACE: Duration = Duration::from_secs(3);

/// Does all of it, until `stop`.
pub async fn run(mdm: Arc<Mdm>, wakes: Arc<Wakes>, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    for _ in 0..CALLERS {
        tasks.spawn(calls(Arc::clone(&mdm), Arc::clone(&wakes), stop.clone()));
    }
    tasks.spawn(notifications(Arc::clone(&mdm), wakes, stop.clone()));
    tasks.spawn(operations(Arc::clone(&mdm), stop.clone()));
    tasks.spawn(comparisons(mdm, stop.clone()));
    stop.cancelled().await;
    let ended = tokio::time::timeout(GRACE, async { while tasks.join_next().await.is_some() {} });
    if ended.await.is_err() {
        tracing::info!(
            "a call to Google did not come to its end: another node, or the next start, looks after it"
        );
    }
}

async fn calls(mdm: Arc<Mdm>, wakes: Arc<Wakes>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match mdm.send_android_calls().await {
            Ok(0) => pause(&stop, wakes.wait(Worker::Android, LOOK)).await,
            Ok(_) => {}
            Err(error) => rest("calls to Google", &error).await,
        }
    }
}

async fn notifications(mdm: Arc<Mdm>, wakes: Arc<Wakes>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match mdm.apply_android_notifications().await {
            Ok(0) => pause(&stop, wakes.wait(Worker::AndroidNotifications, LOOK)).await,
            Ok(_) => {}
            Err(error) => rest("Google's notifications", &error).await,
        }
    }
}

async fn operations(mdm: Arc<Mdm>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match mdm.follow_android_operations().await {
            Ok(0) => pause(&stop, tokio::time::sleep(LOOK)).await,
            Ok(_) => {}
            Err(error) => rest("commands of Android devices", &error).await,
        }
    }
}

async fn comparisons(mdm: Arc<Mdm>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match mdm.reconcile_android().await {
            Ok(false) => pause(&stop, tokio::time::sleep(LOOK)).await,
            Ok(true) => {}
            Err(error) => rest("the comparison with Google's devices", &error).await,
        }
    }
}

/// Waits, but not beyond a stop.
async fn pause(stop: &CancellationToken, wait: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = wait => {}
    }
}

/// Takes the notifications of every tenant, side by side: an empty pull may take a minute and a half. Or sees to it that
/// Google pushes them.
pub async fn pulls(mdm: Arc<Mdm>) {
    let mut tasks = JoinSet::new();
    let mut running: HashMap<TenantId, AbortHandle> = HashMap::new();
    loop {
        match mdm.android_tenants().await {
            Ok(tenants) => {
                for tenant in tenants {
                    let runs = running.get(&tenant).is_some_and(|task| !task.is_finished());
                    if !runs {
                        running.insert(tenant, tasks.spawn(take(Arc::clone(&mdm), tenant)));
                    }
                }
            }
            Err(error) => rest("Android notifications", &error).await,
        }
        while tasks.try_join_next().is_some() {}
        tokio::time::sleep(TENANTS).await;
    }
}

async fn take(mdm: Arc<Mdm>, tenant: TenantId) {
    if mdm.takes_android_pushes() { be_pushed(&mdm, tenant).await } else { pull(&mdm, tenant).await }
}

async fn be_pushed(mdm: &Mdm, tenant: TenantId) {
    loop {
        match mdm.settle_android_delivery(tenant).await {
            Ok(()) => tokio::time::sleep(TOLD_AGAIN).await,
            Err(error) => {
                tracing::warn!(%tenant, error = error.chain(), "Google could not be asked for pushes yet");
                tokio::time::sleep(AWAY).await;
            }
        }
    }
}

async fn pull(mdm: &Mdm, tenant: TenantId) {
    loop {
        match mdm.pull_android_notifications(tenant).await {
            Ok(0) => tokio::time::sleep(PAUSE).await,
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%tenant, error = error.chain(), "notifications could not be taken yet");
                tokio::time::sleep(AWAY).await;
            }
        }
    }
}
