//! `remuda simulate --bench`: how much a server costs, and how fast it is, on this very machine.
//!
//! Server, database and the floor are processes of their own, so that their CPU time is told apart from that of the callers,
//! which run in this process. `measure` is the way through all cases: `stage` makes a server with devices, `cases` is what
//! callers do, `floor` what the server is compared with, `way` how devices prove who they are and what that may cost,
//! `report` what is printed. `scale` has the cases of size.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use simulator::apns::{PretendApns, PretendApnsSettings};

use crate::{adapters::SystemClock, cli::Context, output::say};

mod cases;
mod figures;
mod fleet;
pub mod floor;
mod installation;
mod measure;
mod postgres;
mod processes;
mod progress;
mod report;
mod scale;
mod seeds;
mod stage;
mod way;

use installation::Database;
use progress::Progress;
use report::Report;
pub use scale::Case;
use way::{Identity, Keys, Way};

/// The command of all cases: it changes nothing, neither on the device nor in what is known of it.
const COMMAND: &str = "CertificateList";

/// Arguments of `remuda simulate --bench`.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Arguments {
    /// Measures servers of its own instead, on loopback
    #[arg(long, conflicts_with = "enroll")]
    pub bench: bool,
    /// Only this database [default: both, if PostgreSQL is installed]
    #[arg(long, requires = "bench")]
    only: Option<Database>,
    /// How long each case is measured
    #[arg(long, requires = "bench", default_value_t = 5.0, value_parser = seconds)]
    seconds: f64,
    /// How the devices prove who they are: by a proxy's header, Mdm-Signature, or a TLS client certificate; several are measured
    /// one after the other, with commas between them
    #[arg(long, requires = "bench", default_value = "header", value_delimiter = ',')]
    identity: Vec<Identity>,
    /// What the devices' keys are, or several; by a header nothing is signed, so that the first one does for it
    #[arg(long, requires = "bench", default_value = "rsa", value_delimiter = ',')]
    key_kind: Vec<Keys>,
    /// A case of size instead, on PostgreSQL (enroll on either)
    #[arg(long, requires = "bench")]
    pub case: Option<Case>,
    /// How many callers there are, each on a connection of its own
    #[arg(long, requires = "bench", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    callers: u16,
    /// Serves what the benchmark compares with
    #[arg(long, hide = true)]
    pub floor: bool,
}

/// One benchmark.
struct Bench {
    /// As the devices are now.
    way: Way,
    devices: usize,
    callers: usize,
    lasts: Duration,
    progress: Progress,
    apns: Arc<PretendApns>,
    report: Report,
}

/// Measures, and prints a table or JSON.
pub async fn run(context: &Context, arguments: &Arguments, devices: usize) -> Result<ExitCode> {
    let databases = databases(arguments.only)?;
    let ways = Way::all(&arguments.identity, &arguments.key_kind);
    let apns = PretendApns::start(PretendApnsSettings::new(installation::TOPIC, clock())).await?;
    let mut bench = Bench {
        way: *ways.first().context("a way for devices to prove who they are")?,
        devices,
        callers: usize::from(arguments.callers),
        lasts: Duration::from_secs_f64(arguments.seconds),
        progress: Progress { shown: !context.json },
        apns: Arc::new(apns),
        report: Report::default(),
    };
    if let Some(case) = arguments.case {
        say!("{}", bench.scale(case, arguments.only).await?);
        return Ok(ExitCode::SUCCESS);
    }
    for way in ways {
        bench.way = way;
        for &database in &databases {
            bench.run(database).await?;
        }
    }
    match context.json {
        true => say!("{}", bench.report.json()),
        false => say!("{}", bench.report.table()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The time of day, for what devices sign.
fn clock() -> Arc<dyn Fn() -> std::time::SystemTime + Send + Sync> {
    Arc::new(|| domain::ports::Clock::now(&SystemClock).system_time())
}

fn databases(only: Option<Database>) -> Result<Vec<Database>> {
    match only {
        Some(one) => Ok(vec![one]),
        None if postgres::is_installed() => Ok(vec![Database::Sqlite, Database::Postgres]),
        None => {
            eprintln!("PostgreSQL is not installed here, and is left out");
            Ok(vec![Database::Sqlite])
        }
    }
}

fn seconds(text: &str) -> Result<f64> {
    let seconds: f64 = text.parse()?;
    if !(0.05..=600.0).contains(&seconds) {
        bail!("0.05 to 600 seconds");
    }
    Ok(seconds)
}
