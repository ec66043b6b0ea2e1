//! What is done with Google: calls are made, notifications taken and applied, commands followed, devices compared.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{Mdm, TenantId, ports::Worker};
use tokio::task::{AbortHandle, JoinSet};

use super::{LOOK, rest, take_over};
use crate::adapters::Wakes;

/// How often is looked for tenants that have come to Google.
const TENANTS: Duration = Duration::from_secs(1);

/// The pause between two looks where nothing waits: a real Google holds an empty pull open for a while by itself.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a tenant's messages are left where they are after Google was away.
const AWAY: Duration = Duration::from_secs(5);

/// Makes calls, applies notifications, follows commands and compares devices.
pub async fn run(mdm: Arc<Mdm>, wakes: Arc<Wakes>) {
    take_over(&mdm, Worker::Android).await;
    loop {
        match turn(&mdm).await {
            Ok(0) => wakes.wait(Worker::Android, LOOK).await,
            Ok(_) => {}
            Err(error) => rest("Android devices", &error).await,
        }
    }
}

async fn turn(mdm: &Mdm) -> domain::Result<usize> {
    let applied = mdm.apply_android_notifications().await?;
    let sent = mdm.send_android_calls().await?;
    let followed = mdm.follow_android_operations().await?;
    if let Err(error) = mdm.reconcile_android().await {
        tracing::warn!(error = error.chain(), "devices could not be compared with Google's yet");
    }
    Ok(applied + sent + followed)
}

/// Takes the notifications of every tenant, side by side: an empty pull may take a minute and a half.
pub async fn pulls(mdm: Arc<Mdm>) {
    let mut tasks = JoinSet::new();
    let mut running: HashMap<TenantId, AbortHandle> = HashMap::new();
    loop {
        match mdm.android_tenants().await {
            Ok(tenants) => {
                for tenant in tenants {
                    let pulls = running.get(&tenant).is_some_and(|task| !task.is_finished());
                    if !pulls {
                        running.insert(tenant, tasks.spawn(pull(Arc::clone(&mdm), tenant)));
                    }
                }
            }
            Err(error) => rest("Android notifications", &error).await,
        }
        while tasks.try_join_next().is_some() {}
        tokio::time::sleep(TENANTS).await;
    }
}

async fn pull(mdm: Arc<Mdm>, tenant: TenantId) {
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
