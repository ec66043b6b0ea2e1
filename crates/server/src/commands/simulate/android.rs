//! `remuda simulate --android`: a pretend Google with pretend devices behind it, for any server that is set to find it.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::{Actor, DeviceFilter, Mdm, Page, Platform, TenantId};
use serde_json::json;
use simulator::{
    apple_device::Tally,
    google::{PretendGoogle, PretendGoogleSettings},
};
use tokio::time::Instant;

use super::{bar, tell};
use crate::{
    adapters::SystemClock,
    cli::Context,
    commands::{
        local,
        pretend_google::{Tokens, sign_up},
        serve::stop_signal,
    },
    config::Config,
    output::say,
    wire::{Ground, Parts, told},
};

/// Where the pretend Google listens, if nobody says it.
const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9080);

/// How long a pull of the server's waits for a message.
const PULL_WAIT: Duration = Duration::from_secs(20);

/// How often is looked which devices the server knows.
const LOOK: Duration = Duration::from_millis(50);

/// For so long nothing may happen before the server is taken to be absent.
const PATIENCE: Duration = Duration::from_mins(2);

/// Arguments of `remuda simulate --android`.
#[derive(Args)]
#[group(skip)]
pub struct Arguments {
    /// So many pretend Android devices instead, behind a pretend Google, which the server has to be told of
    #[arg(long, value_name = "N", conflicts_with_all = ["enroll", "bench"], requires = "tenant")]
    pub android: Option<usize>,
    /// Whose devices: a tenant in the server's database (--data, --database) that has no enterprise at Google yet
    #[arg(long, value_name = "TENANT", requires = "android")]
    tenant: Option<TenantId>,
    /// Where the pretend Google listens, on loopback [default: 127.0.0.1:9080]
    #[arg(long, value_name = "ADDR", requires = "android", value_parser = loopback)]
    google_listen: Option<SocketAddr>,
    /// Goes on until it is stopped: the devices do what they are told, and each thing is printed
    #[arg(long, requires = "android")]
    stay: bool,
}

/// Enrolls, tells how long it took until the server knew, and goes on if it is to.
pub async fn run(context: &Context, arguments: &Arguments, devices: usize) -> Result<ExitCode> {
    let tenant = arguments.tenant.context("--tenant is missing")?;
    let stopped = stop_signal()?;
    let google = start(arguments.google_listen.unwrap_or(USUAL)).await?;
    tokio::select! {
        told = simulate(context, arguments, tenant, &google, devices) => told.map(|()| ExitCode::SUCCESS),
        () = google.live() => Ok(ExitCode::SUCCESS),
        () = stopped => Ok(ExitCode::SUCCESS),
    }
}

async fn start(address: SocketAddr) -> Result<PretendGoogle> {
    let clock = Arc::new(|| domain::ports::Clock::now(&SystemClock).system_time());
    let usual = PretendGoogleSettings::new(clock);
    let settings = PretendGoogleSettings { address, pull_wait: PULL_WAIT, ..usual };
    PretendGoogle::start(settings).await.with_context(|| format!("--google-listen {address}"))
}

/// What the server has to be started with.
fn introduce(google: &PretendGoogle) {
    let (url, certificates) = (google.url(), google.certificates_url());
    say!("the pretend Google is at {url}; the server finds it if it runs with");
    say!("  --google-url {url} --google-pubsub-url {url} --google-certificates-url {certificates}");
}

async fn simulate(
    context: &Context,
    arguments: &Arguments,
    tenant: TenantId,
    google: &PretendGoogle,
    devices: usize,
) -> Result<()> {
    let parts = Parts::open(&beside(context, google), Ground::default()).await?;
    let measured = measure(context, &parts.mdm, tenant, google, devices).await;
    parts.close().await?;
    let told = tell(context, "Android enrollments", &measured?);
    if context.json {
        say!("{}", json!({ "google_url": google.url(), "steps": [told] }));
    }
    if arguments.stay {
        google.set_listener(Arc::new(|event| say!("{event}")));
        std::future::pending::<()>().await;
    }
    Ok(())
}

/// The settings of the server's database, with our Google.
fn beside(context: &Context, google: &PretendGoogle) -> Config {
    let mut config = context.config.clone();
    config.google_url = Some(google.url());
    config.google_pubsub_url = Some(google.url());
    config.google_oauth_url = None;
    config.google_certificates_url = Some(google.certificates_url());
    config
}

/// From the use of a token until the server knows what the device is.
async fn measure(
    context: &Context,
    mdm: &Mdm,
    tenant: TenantId,
    google: &PretendGoogle,
    devices: usize,
) -> Result<Tally<String>> {
    let actor = local(mdm, tenant).await.map_err(told)?;
    let set_up = sign_up(mdm, &actor, google).await;
    set_up.context("--tenant: a tenant that was never at Google is needed (remuda tenant add)")?;
    if !context.json {
        introduce(google);
    }
    let (bar, begun) = (bar(context, "known", devices), Instant::now());
    let (mut tokens, mut waiting) = (Tokens::default(), HashMap::new());
    for number in (1..).take(devices) {
        waiting.insert(tokens.enroll(mdm, &actor, google, number).await?, Instant::now());
    }
    let (mut latencies, mut progress) = (Vec::new(), Instant::now());
    while !waiting.is_empty() {
        let before = latencies.len();
        for resource in known(mdm, &actor).await? {
            latencies.extend(waiting.remove(&resource).map(|since| since.elapsed()));
        }
        if latencies.len() > before {
            progress = Instant::now();
            bar.set_position(u64::try_from(latencies.len()).unwrap_or(u64::MAX));
        } else if progress.elapsed() > PATIENCE {
            bail!("{} devices are not known: does the server run, with the settings above?", waiting.len());
        }
        tokio::time::sleep(LOOK).await;
    }
    bar.finish();
    Ok(Tally { latencies: latencies.into(), failures: Vec::new(), elapsed: begun.elapsed() })
}

/// What Google calls the Android devices that have said what they are.
async fn known(mdm: &Mdm, actor: &Actor) -> Result<Vec<String>> {
    let filter = DeviceFilter { managed: Some(true), ..DeviceFilter::default() };
    let (mut known, mut after) = (Vec::new(), None);
    loop {
        let page = Page { after, skip: 0, limit: domain::PAGE_LIMIT };
        let devices = mdm.devices(actor, &filter, page).await.map_err(told)?;
        let Some(last) = devices.last() else { return Ok(known) };
        after = Some(last.device.id);
        let told = devices.into_iter().map(|view| view.device).filter(|device| {
            device.facts.platform == Some(Platform::Android) && device.facts.os_version.is_some()
        });
        known.extend(told.map(|device| device.key));
    }
}

fn loopback(text: &str) -> Result<SocketAddr> {
    let address: SocketAddr = text.parse()?;
    let here = address.ip().is_loopback();
    anyhow::ensure!(here, "an address of this machine's loopback, since all is plain HTTP");
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_elses_machine_reaches_the_pretend_google() {
        assert!(loopback("127.0.0.1:0").is_ok() && loopback("[::1]:9080").is_ok());
        assert!(loopback("0.0.0.0:9080").is_err() && loopback("10.0.0.1:9080").is_err());
        assert!(loopback("localhost:9080").is_err() && loopback("9080").is_err());
    }
}
