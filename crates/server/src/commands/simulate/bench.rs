//! `remuda simulate --bench`: how much a server costs, and how fast it is, on this very machine.
//!
//! Server, database and the floor are processes of their own, so that their CPU time is told apart from that of the callers,
//! which run in this process. `stage` makes a server with devices, `cases` is what callers do, `floor` what the server is
//! compared with, `figures` what is printed.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use simulator::{
    apns::{PretendApns, PretendApnsSettings},
    load::{Line, LoadDevice, Proof, drive},
};

use crate::{adapters::SystemClock, cli::Context, output::say};

mod cases;
mod figures;
mod fleet;
pub mod floor;
mod installation;
mod postgres;
mod processes;
mod progress;
mod scale;
mod seeds;
mod stage;

use cases::{Day, Newcomer, Reporter, RoundTripper};
use figures::{Cpu, Figures, Report};
use installation::Database;
use progress::Progress;
pub use scale::Case;
use stage::{FollowUp, Stage, well};

/// How many reports a second are reckoned with, when commands are queued for them.
const REPORTS: f64 = 12_000.0;

/// How many commands one device gets at most for that.
const MOST_COMMANDS: usize = 1_000;

/// How many devices one call queues a command for.
const CALL: usize = 5_000;

/// How many devices of a caller get their commands by one call, in round trips.
const SHARE: usize = 16;

/// The command of all cases: it changes nothing, neither on the device nor in what is known of it.
const COMMAND: &str = "CertificateList";

/// Without an end: the work comes to one.
const UNTIL_DONE: Duration = Duration::from_hours(1);

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
    /// How the devices prove who they are: by a proxy's header, Mdm-Signature (RSA-2048), or a TLS client certificate
    #[arg(long, requires = "bench", default_value = "header")]
    identity: Identity,
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

/// How devices prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Identity {
    Header,
    Signature,
    Tls,
}

/// One benchmark.
struct Bench {
    proof: Proof,
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
    let apns = PretendApns::start(PretendApnsSettings::new(installation::TOPIC, clock())).await?;
    let mut bench = Bench {
        proof: match arguments.identity {
            Identity::Header => Proof::Header,
            Identity::Signature => Proof::Signature,
            Identity::Tls => Proof::Tls,
        },
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
    for (place, database) in databases.into_iter().enumerate() {
        bench.run(database, place == 0).await?;
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

impl Bench {
    async fn run(&mut self, database: Database, with_floor: bool) -> Result<()> {
        let stage = Stage::make(database, self.proof, self.devices, &self.apns, self.progress).await?;
        if with_floor {
            let figures = self.floor(&stage).await?;
            self.add("floor", "idle", figures);
        }
        let devices = stage.serving.devices;
        let idle = stage.sayers(devices, self.callers, |device: &LoadDevice| &device.idle).await?;
        let idle = stage.measure_warm(idle, self.lasts, FollowUp::None).await?;
        self.add(stage.name, "idle", idle);
        let tokens = stage.sayers(devices, self.callers, |device: &LoadDevice| &device.token_update).await?;
        let tokens = stage.measure_warm(tokens, self.lasts, FollowUp::None).await?;
        self.add(stage.name, "tokenupdate", tokens);
        let reports = self.reports(&stage).await?;
        self.add(stage.name, "report", reports);
        let round_trips = self.round_trips(&stage).await?;
        self.add(stage.name, "round_trip", round_trips);
        let day = self.day(&stage).await?;
        self.add(stage.name, "mixed_day", day);
        let alone = stage.sayers(devices, 1, |device: &LoadDevice| &device.idle).await?;
        let alone = stage.measure_warm(alone, self.lasts, FollowUp::None).await?;
        self.add(stage.name, "idle_alone", alone);
        if self.proof == Proof::Tls {
            let newcomers = self.newcomers(&stage).await?;
            self.add(stage.name, "new_tls", newcomers);
        }
        Ok(())
    }

    fn add(&mut self, part: &'static str, case: &'static str, figures: Figures) {
        self.progress.say(&format!("{part} {case}: {:.4} ms CPU, {:.0}/s", figures.cpu_ms, figures.per_s));
        self.report.add(part, case, figures);
    }

    /// The same polls, answered by the same HTTP stack with next to nothing behind it.
    async fn floor(&self, stage: &Stage) -> Result<Figures> {
        let (process, address) = stage.installation.serve_floor().await?;
        let hands = stage.sayers(address, self.callers, |device: &LoadDevice| &device.idle).await?;
        let (hands, warm) = drive(hands, self.lasts.min(Duration::from_secs(1))).await;
        well(&warm)?;
        let before = process.watched().cpu();
        let (_, run) = drive(hands, self.lasts).await;
        well(&run)?;
        let cpu = Cpu { server: process.watched().cpu().saturating_sub(before), ..Cpu::default() };
        Ok(Figures::of(&run, cpu))
    }

    /// Reports of commands that were fetched before, each answered with the next command.
    async fn reports(&self, stage: &Stage) -> Result<Figures> {
        let shares = stage.shares(self.callers);
        let busy: usize = shares.iter().map(Vec::len).sum();
        let commands = (self.lasts.as_secs_f64() * REPORTS / busy as f64).ceil() as usize;
        self.queue(stage, &shares, commands.clamp(2, MOST_COMMANDS)).await?;
        let mut hands = Vec::new();
        for devices in shares {
            let line = Line::open(&stage.target(stage.serving.devices, &devices)?).await?;
            let mut hand = Reporter::new(line, devices);
            hand.fetch().await?;
            hands.push(hand);
        }
        stage.settle().await?;
        let (hands, figures) = stage.measure(hands, self.lasts, FollowUp::Counts).await?;
        let (hands, rest) = drive(hands, UNTIL_DONE).await;
        well(&rest)?;
        if hands.iter().any(|hand| hand.busy() > 0) {
            bail!("devices have commands left");
        }
        stage.settle().await?;
        Ok(figures)
    }

    async fn queue(&self, stage: &Stage, shares: &[Vec<Arc<LoadDevice>>], commands: usize) -> Result<()> {
        let serials: Vec<String> =
            shares.iter().flatten().map(|device| device.serial_number.clone()).collect();
        let mut api = Line::open(&stage.api()?).await?;
        self.progress.say(&format!("{}: {commands} commands are queued for each device", stage.name));
        for _ in 0..commands {
            for some in serials.chunks(CALL) {
                cases::queued(&mut api, &fleet::order(&stage.installation, some, COMMAND)?).await?;
            }
        }
        stage.settle().await
    }

    async fn round_trips(&self, stage: &Stage) -> Result<Figures> {
        let mut hands = Vec::new();
        for mut devices in stage.shares(self.callers) {
            devices.truncate(SHARE);
            let serials: Vec<String> = devices.iter().map(|device| device.serial_number.clone()).collect();
            let order = fleet::order(&stage.installation, &serials, COMMAND)?;
            let line = Line::open(&stage.target(stage.serving.devices, &devices)?).await?;
            hands.push(RoundTripper::new(line, Line::open(&stage.api()?).await?, devices, order));
        }
        let (hands, figures) = stage.measure(hands, self.lasts, FollowUp::Counts).await?;
        let (_, rest) = drive(hands.into_iter().map(RoundTripper::ending).collect(), UNTIL_DONE).await;
        well(&rest)?;
        stage.settle().await?;
        Ok(figures)
    }

    async fn day(&self, stage: &Stage) -> Result<Figures> {
        let mut hands = Vec::new();
        for (place, devices) in stage.shares(self.callers).into_iter().enumerate() {
            let line = Line::open(&stage.target(stage.serving.devices, &devices)?).await?;
            let ordered: Result<Vec<_>> = devices
                .into_iter()
                .map(|device| {
                    let order = fleet::order(
                        &stage.installation,
                        std::slice::from_ref(&device.serial_number),
                        COMMAND,
                    )?;
                    Ok((device, order))
                })
                .collect();
            hands.push(Day::new(line, Line::open(&stage.api()?).await?, ordered?, place));
        }
        stage.measure_warm(hands, self.lasts, FollowUp::Counts).await
    }

    async fn newcomers(&self, stage: &Stage) -> Result<Figures> {
        let mut hands = Vec::new();
        for caller in 0..self.callers.min(stage.devices.len()) {
            let devices: Vec<_> = stage.devices.iter().skip(caller).step_by(self.callers).cloned().collect();
            hands.push(Newcomer::new(stage.target(stage.serving.devices, &devices)?, devices));
        }
        stage.measure_warm(hands, self.lasts, FollowUp::None).await
    }
}
