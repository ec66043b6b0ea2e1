//! All cases of one database, one after the other.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use simulator::load::{Line, LoadDevice, Message, drive_in_rounds, drive_to_end};

use super::{
    Bench, COMMAND,
    cases::{self, Day, Newcomer, Reporter, RoundTripper},
    figures::Figures,
    fleet,
    installation::Database,
    report::FLOOR,
    stage::{Payer, Stage, well},
    way::Identity,
};

/// How many reports a second are reckoned with, when commands are queued for them.
const REPORTS: f64 = 12_000.0;

/// How many commands one device gets at most for that.
const MOST_COMMANDS: usize = 1_000;

/// How many devices one call queues a command for.
const CALL: usize = 5_000;

/// How many devices of a caller get their commands by one call, in round trips.
const SHARE: usize = 16;

/// Without an end: the work comes to one.
const UNTIL_DONE: Duration = Duration::from_hours(1);

impl Bench {
    /// All cases on one database.
    pub(super) async fn run(&mut self, database: Database) -> Result<()> {
        let stage = Stage::make(database, self.way, self.devices, &self.apns, self.progress).await?;
        for (case, figures) in [FLOOR, "idle"].into_iter().zip(self.idle(&stage).await?) {
            self.add(stage.name, case, figures);
        }
        let tokens = self.steady(&stage, self.callers, |device| &device.token_update).await?;
        self.add(stage.name, "tokenupdate", tokens);
        let reports = self.reports(&stage).await?;
        self.add(stage.name, "report", reports);
        let round_trips = self.round_trips(&stage).await?;
        self.add(stage.name, "round_trip", round_trips);
        let day = self.day(&stage).await?;
        self.add(stage.name, "mixed_day", day);
        let alone = self.steady(&stage, 1, |device| &device.idle).await?;
        self.add(stage.name, "idle_alone", alone);
        if self.way.identity == Identity::Tls {
            let newcomers = self.newcomers(&stage).await?;
            self.add(stage.name, "new_tls", newcomers);
        }
        Ok(())
    }

    fn add(&mut self, database: &'static str, case: &'static str, figures: Figures) {
        let Figures { cpu_ms, per_s, .. } = figures;
        self.progress
            .say(&format!("{}, {database}, {case}: {cpu_ms:.4} ms CPU, {per_s:.0}/s", self.way.title()));
        self.report.add(self.way, database, case, figures);
    }

    /// The floor and empty polls by turns: the same polls, answered by the same HTTP stack with next to nothing behind it.
    async fn idle(&self, stage: &Stage) -> Result<Vec<Figures>> {
        let (process, address) = stage.installation.serve_floor().await?;
        let floor = stage.sayers(address, self.callers, |device| &device.idle).await?;
        let idle = stage.sayers(stage.serving.devices, self.callers, |device| &device.idle).await?;
        let groups = vec![(Payer::Floor(process.watched()), floor), (Payer::Stage, idle)];
        stage.measure_by_turns(groups, self.lasts).await
    }

    async fn steady(
        &self,
        stage: &Stage,
        callers: usize,
        what: fn(&LoadDevice) -> &Message,
    ) -> Result<Figures> {
        let sayers = stage.sayers(stage.serving.devices, callers, what).await?;
        only(stage.measure_by_turns(vec![(Payer::Stage, sayers)], self.lasts).await?)
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
        let (hands, figures) = stage.measure(drive_in_rounds(hands, self.lasts)).await?;
        let (hands, rest) = drive_in_rounds(hands, UNTIL_DONE).await;
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
        let (_, figures) = stage.measure(drive_to_end(hands, self.lasts, RoundTripper::ending)).await?;
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
        stage.measure_warm(hands, self.lasts).await
    }

    async fn newcomers(&self, stage: &Stage) -> Result<Figures> {
        let mut hands = Vec::new();
        for caller in 0..self.callers.min(stage.devices.len()) {
            let devices: Vec<_> = stage.devices.iter().skip(caller).step_by(self.callers).cloned().collect();
            hands.push(Newcomer::new(stage.target(stage.serving.devices, &devices)?, devices));
        }
        only(stage.measure_by_turns(vec![(Payer::Stage, hands)], self.lasts).await?)
    }
}

/// What the only group came to.
fn only(figures: Vec<Figures>) -> Result<Figures> {
    figures.into_iter().next().context("a group of callers")
}
