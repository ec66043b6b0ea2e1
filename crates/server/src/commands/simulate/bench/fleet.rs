//! The devices of a benchmark: they enroll as real ones do, each with a certificate of its own, and tell all that they
//! are asked at first.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use http::{HeaderName, HeaderValue, Method, header::AUTHORIZATION};
use simulator::{
    apns::PretendApns,
    apple_device::{
        AppleDevice, DeviceModel, EnrollOptions, Fleet, HeaderForm, Identity, KeyPool, PushService, Tally,
    },
    load::{Line, LoadDevice, Message, Proof, Target},
};
use tokio::task::JoinSet;

use super::{
    installation::Installation,
    progress::Progress,
    way::{Keys, Way},
};

/// How many devices enroll at the same time.
pub const AT_ONCE: usize = 32;

/// How many keys the devices share: making one on RSA takes 50 ms.
const KEYS: usize = 16;

/// How long follow-up work may take until none is left.
const SETTLED: Duration = Duration::from_mins(10);

/// Enrolls `count` devices, the first of them number `first`, each with a certificate for a key of this kind.
///
/// # Errors
/// Where one of them does not get through.
pub async fn enroll(
    installation: &Installation,
    way: Way,
    apns: &Arc<PretendApns>,
    (first, count): (u64, usize),
    progress: &Progress,
) -> Result<Vec<AppleDevice>> {
    let identity = match way.proof() {
        Proof::Header => Identity::Header { name: "Client-Cert".into(), form: HeaderForm::Rfc9440 },
        Proof::Signature | Proof::Tls => Identity::Signature(pki::Hash::Sha256),
    };
    let options = EnrollOptions::new(&installation.link, DeviceModel::nth(0), super::clock())
        .identity(identity)
        .keys(KeyPool::shared(KEYS))
        .push_service(issuer(apns));
    let bar = progress.bar("devices enroll", count);
    let mut fleet = Fleet::enroll(&options, first, count, AT_ONCE, bar.teller()).await;
    all_went_well(&fleet.enrollment, "enroll")?;
    if way.keys == Keys::P256 {
        let bar = progress.bar("devices renew with P-256", count);
        let keys = KeyPool::shared(KEYS).on_p256();
        all_went_well(&fleet.renew(&keys, AT_ONCE, bar.teller()).await, "renew")?;
    }
    Ok(fleet.devices)
}

/// Lets every device tell what it is asked after its enrollment, until nothing is left to be asked.
///
/// # Errors
/// Where one of them does not get through.
pub async fn introduce(devices: Vec<AppleDevice>, progress: &Progress) -> Result<Vec<AppleDevice>> {
    let mut fleet = Fleet::of(devices);
    let bar = progress.bar("devices tell what they are", fleet.devices.len());
    let (_, tally) = fleet.connect(AT_ONCE, bar.teller()).await;
    all_went_well(&tally, "say what it is")?;
    Ok(fleet.devices)
}

/// The devices' messages, signed by all cores.
///
/// # Errors
/// Where one cannot be signed.
pub async fn prepare(devices: Vec<AppleDevice>, proof: Proof) -> Result<Vec<Arc<LoadDevice>>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let devices = Arc::new(devices);
    let share = devices.len().div_ceil(cores).max(1);
    let mut making = JoinSet::new();
    for begin in (0..devices.len()).step_by(share) {
        let devices = devices.clone();
        making.spawn_blocking(move || {
            let at = super::clock()();
            let some = devices[begin..].iter().take(share);
            let made: Result<Vec<_>, _> =
                some.map(|device| LoadDevice::new(device, proof, at).map(Arc::new)).collect();
            (begin, made)
        });
    }
    let mut all = making.join_all().await;
    all.sort_by_key(|(begin, _)| *begin);
    let mut prepared = Vec::with_capacity(devices.len());
    for (_, some) in all {
        prepared.extend(some?);
    }
    Ok(prepared)
}

/// Waits until no result waits to be applied and no push to be sent.
///
/// # Errors
/// Where it takes too long, or the server does not answer.
pub async fn settle(api: &Target) -> Result<()> {
    let mut line = Line::open(api).await?;
    let deadline = tokio::time::Instant::now() + SETTLED;
    while backlog(&mut line).await? > 0.0 {
        if tokio::time::Instant::now() > deadline {
            bail!("follow-up work does not come to an end");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Queues Apple's `request_type` for these devices, by serial number, in one call of the admin API.
///
/// # Errors
/// Where a key or a tenant cannot stand in a header.
pub fn order(installation: &Installation, serials: &[String], request_type: &str) -> Result<Message> {
    let devices: Vec<String> = serials.iter().map(|serial| format!("serial:{serial}")).collect();
    let body = serde_json::json!({ "devices": devices, "command": { "RequestType": request_type } });
    let bearer = HeaderValue::try_from(format!("Bearer {}", installation.api_key))?;
    let json = HeaderValue::from_static("application/json");
    Ok(Message {
        method: Method::POST,
        path: format!("/api/admin/v1/commands?tenant={}", installation.tenant()),
        headers: vec![(AUTHORIZATION, bearer), (HeaderName::from_static("content-type"), json)],
        body: body.to_string().into(),
    })
}

async fn backlog(line: &mut Line) -> Result<f64> {
    let ask =
        Message { method: Method::GET, path: "/metrics".into(), headers: vec![], body: Default::default() };
    let answer = line.ask(&ask).await?.fine()?;
    let text = std::str::from_utf8(&answer)?;
    let waiting = text.lines().filter(|line| line.starts_with("remuda_outbox_backlog{"));
    let waiting = waiting.map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    let waiting: Option<f64> = waiting.sum();
    waiting.context("the server does not tell what waits")
}

fn all_went_well<E: std::fmt::Display>(tally: &Tally<E>, what: &str) -> Result<()> {
    match tally.failures.first() {
        Some((serial, error)) => {
            bail!("{} devices failed: {serial} did not {what}: {error}", tally.failures.len())
        }
        None => Ok(()),
    }
}

/// The pretend push service knows every token; pushes to devices that are not online are kept there.
fn issuer(apns: &Arc<PretendApns>) -> PushService {
    let apns = apns.clone();
    Arc::new(move |address| drop(apns.register(&address.token, &address.magic)))
}
