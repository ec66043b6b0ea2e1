//! `remuda simulate`: pretend devices against any server.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use simulator::apple_device::{DeviceModel, EnrollOptions, Fleet, KeyPool, Latencies, Tally, Trust};

use crate::{adapters::SystemClock, cli::Context, output::say};

mod android;
mod bench;

/// How many devices enroll where nobody says it, and how many are measured.
const DEVICES: [usize; 2] = [10, 1000];

/// Arguments of `remuda simulate`.
#[derive(Args)]
pub struct Arguments {
    /// The enrollment link, which must allow as many uses
    #[arg(long, value_name = "URL", required_unless_present_any = ["bench", "floor", "android"])]
    enroll: Option<String>,
    /// How many pretend devices [default: 10; 1000 to be measured]
    #[arg(long, value_parser = devices)]
    devices: Option<usize>,
    /// How many of them are busy at the same time
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
    /// How often each connects after it has enrolled
    #[arg(long, default_value_t = 1)]
    connects: usize,
    /// A root that the devices trust from the beginning, PEM; needed where the profile carries none
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// How many RSA keys the devices share; 0: each makes its own
    #[arg(long, default_value_t = 16)]
    keys: usize,
    #[command(flatten)]
    bench: bench::Arguments,
    #[command(flatten)]
    android: android::Arguments,
}

/// Enrolls, connects and tells how it went; fails if anything did.
pub async fn run(context: &Context, arguments: Arguments) -> Result<ExitCode> {
    if let Some(devices) = arguments.android.android {
        return android::run(context, &arguments.android, devices).await;
    }
    let [enrolled, measured] = DEVICES;
    match &arguments.enroll {
        Some(link) => enroll(context, &arguments, link, arguments.devices.unwrap_or(enrolled)).await,
        None if arguments.bench.floor => bench::floor::run(context).await.map(|()| ExitCode::SUCCESS),
        None => {
            let measured = arguments.bench.case.map_or(measured, bench::Case::devices);
            bench::run(context, &arguments.bench, arguments.devices.unwrap_or(measured)).await
        }
    }
}

async fn enroll(context: &Context, arguments: &Arguments, link: &str, devices: usize) -> Result<ExitCode> {
    let clock = Arc::new(|| domain::ports::Clock::now(&SystemClock).system_time());
    let mut options = EnrollOptions::new(link, DeviceModel::nth(0), clock);
    if arguments.keys > 0 {
        options = options.keys(KeyPool::shared(arguments.keys));
    }
    if let Some(file) = &arguments.root {
        let pem = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        options = options.trust(Trust::Roots(pki::Certificate::all_from_pem(&pem)?));
    }
    let first = u64::from(std::process::id()) << 20;
    let bar = bar(context, "enrolled", devices);
    let mut fleet = Fleet::enroll(&options, first, devices, arguments.concurrency, progress(&bar)).await;
    bar.finish();
    let mut failed = !fleet.enrollment.failures.is_empty();
    let mut told = vec![tell(context, "enrollments", &fleet.enrollment)];
    for _ in 0..arguments.connects {
        let bar = self::bar(context, "connected", fleet.devices.len());
        let (_, tally) = fleet.connect(arguments.concurrency, progress(&bar)).await;
        bar.finish();
        failed |= !tally.failures.is_empty();
        told.push(tell(context, "conversations", &tally));
    }
    if context.json {
        say!("{}", json!({ "steps": told }));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn devices(text: &str) -> Result<usize> {
    let devices = text.parse()?;
    anyhow::ensure!((1..=1_000_000).contains(&devices), "1 to 1,000,000 devices");
    Ok(devices)
}

fn bar(context: &Context, what: &'static str, count: usize) -> ProgressBar {
    if context.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {per_sec}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what)
}

fn progress(bar: &ProgressBar) -> Arc<dyn Fn(usize, bool) + Send + Sync> {
    let bar = bar.clone();
    Arc::new(move |done, _| bar.set_position(u64::try_from(done).unwrap_or(u64::MAX)))
}

fn tell<E: std::fmt::Display>(context: &Context, what: &str, tally: &Tally<E>) -> Value {
    if !context.json {
        let Tally { latencies, failures, .. } = tally;
        say!(
            "{what}: {} done, {} failed, {:.1}/s, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
            tally.succeeded(),
            failures.len(),
            tally.per_second(),
            ms(latencies, 50),
            ms(latencies, 99),
            ms(latencies, 100)
        );
        for (serial_number, error) in failures.iter().take(10) {
            say!("  {serial_number}: {error}");
        }
    }
    let failures: Vec<_> = tally
        .failures
        .iter()
        .map(|(serial, error)| json!({ "device": serial, "why": error.to_string() }))
        .collect();
    json!({
        "step": what, "done": tally.succeeded(), "per_s": tally.per_second(), "failures": failures,
        "p50_ms": ms(&tally.latencies, 50), "p99_ms": ms(&tally.latencies, 99), "max_ms": ms(&tally.latencies, 100),
    })
}

fn ms(latencies: &Latencies, percent: u8) -> f64 {
    latencies.percentile(percent).as_secs_f64() * 1000.0
}
