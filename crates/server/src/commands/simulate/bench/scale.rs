//! Cases of size rather than speed: many devices enroll, get one command, are woken, are listed, are there.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use http::{HeaderValue, Method, header};
use serde_json::{Value, json};
use simulator::load::{Line, LoadDevice, Message, drive};
use tokio::time::Instant;

use super::{
    Bench, COMMAND, cases,
    figures::{milliseconds, rounded},
    fleet,
    installation::{Database, Installation, Serving},
    postgres::Cluster,
    processes::Watched,
    seeds,
    stage::{Stage, well},
};

/// How many devices enroll truly, where the others are rows.
const TRUE_ONES: usize = 100;

/// In how many parts a fleet enrolls, each measured by itself.
const PARTS: usize = 5;

/// How long all may take to be pushed to.
const LONGEST_FAN_OUT: Duration = Duration::from_secs(600);

/// A case of size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Case {
    /// Devices enroll, in five parts: a later device must cost no more than an early one
    Enroll,
    /// One command for all devices in one call, and the pushes that follow
    Fanout,
    /// An unpaged device/list of all devices: memory and the first byte
    List,
    /// Polls while so many devices are there: memory
    Memory,
}

impl Case {
    /// How many devices it has where nobody says it.
    pub fn devices(self) -> usize {
        match self {
            Self::Enroll => 10_000,
            Self::Fanout | Self::List => 100_000,
            Self::Memory => 1_000_000,
        }
    }
}

impl Bench {
    /// Measures one case.
    pub(super) async fn scale(&self, case: Case, only: Option<Database>) -> Result<Value> {
        if case == Case::Enroll {
            return self.enrolling(only.unwrap_or(Database::Postgres)).await;
        }
        ensure!(only != Some(Database::Sqlite), "this case needs PostgreSQL");
        let true_ones = TRUE_ONES.min(self.devices);
        let stage = Stage::make(Database::Postgres, self.way, true_ones, &self.apns, self.progress).await?;
        let cluster = stage.installation.cluster().context("a cluster")?;
        self.progress.say(&format!("rows for {} devices", self.devices));
        seeds::plant(cluster, self.devices)?;
        match case {
            Case::Fanout => self.fan_out(&stage, cluster).await,
            Case::List => self.list(&stage).await,
            Case::Memory | Case::Enroll => self.memory(stage).await,
        }
    }

    async fn enrolling(&self, database: Database) -> Result<Value> {
        let mut installation = Installation::make(database, self.way.proof(), &self.apns)?;
        let serving = installation.serve().await?;
        installation.make_link(&serving)?;
        let part = self.devices.div_ceil(PARTS);
        let mut parts = Vec::new();
        for place in 0..PARTS {
            let before = cpu(&installation, &serving)?;
            let began = Instant::now();
            let first = (place * part) as u64;
            fleet::enroll(&installation, self.way, &self.apns, (first, part), &self.progress).await?;
            let seconds = began.elapsed().as_secs_f64();
            let each = milliseconds(cpu(&installation, &serving)?.saturating_sub(before)) / part as f64;
            self.progress.say(&format!("{} enrolled: {each:.3} ms CPU each", (place + 1) * part));
            parts.push(json!({ "enrolled": (place + 1) * part, "seconds": rounded(seconds, 2), "cpu_ms": rounded(each, 4) }));
        }
        Ok(json!({ "case": "enroll", "database": database.name(), "parts": parts }))
    }

    async fn fan_out(&self, stage: &Stage, cluster: &Cluster) -> Result<Value> {
        seeds::register(cluster, &self.apns)?;
        let order = fleet::order(&stage.installation, &seeds::serial_numbers(cluster)?, COMMAND)?;
        let mut api = Line::open(&stage.api()?).await?;
        let accepted = self.apns.counters().accepted;
        let before = stage.cpu()?;
        let began = Instant::now();
        let queued = cases::queued(&mut api, &order).await?;
        let pushed = self.all_pushed(accepted, began).await?;
        stage.settle().await?;
        let used = stage.cpu()?.since(before);
        let alone = self.pushes_alone(stage, cluster).await?;
        Ok(json!({
            "case": "fanout", "devices": self.devices, "queued_s": seconds(queued), "all_pushed_s": seconds(pushed),
            "pushes_alone_s": seconds(alone),
            "server_cpu_s": rounded(used.server.as_secs_f64(), 2), "database_cpu_s": rounded(used.database.as_secs_f64(), 2),
        }))
    }

    /// How long it takes from the moment at which all pushes are asked for, until the last is accepted.
    async fn pushes_alone(&self, stage: &Stage, cluster: &Cluster) -> Result<Duration> {
        let accepted = self.apns.counters().accepted;
        seeds::ask_pushes(cluster)?;
        let took = self.all_pushed(accepted, Instant::now()).await?;
        stage.settle().await.map(|()| took)
    }

    /// How long after `began` every device has been pushed to, beyond the pushes that were `accepted` before.
    async fn all_pushed(&self, accepted: u64, began: Instant) -> Result<Duration> {
        let all = u64::try_from(self.devices)?;
        while self.apns.counters().accepted - accepted < all {
            ensure!(began.elapsed() < LONGEST_FAN_OUT, "not all were pushed to within {LONGEST_FAN_OUT:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(began.elapsed())
    }

    async fn list(&self, stage: &Stage) -> Result<Value> {
        let key = HeaderValue::try_from(format!("Api-Key {}", stage.installation.api_key))?;
        let ask = |body: &'static str| Message {
            method: Method::POST,
            path: "/api/mdm/v2/device/list".into(),
            headers: vec![
                (header::AUTHORIZATION, key.clone()),
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            ],
            body: body.into(),
        };
        let server = stage.serving.watched();
        let mut api = Line::open(&stage.api()?).await?;
        // Once in small: what a first call needs for itself is not the list's.
        api.ask(&ask(r#"{"pagesize":10,"pageindex":1}"#)).await?.fine()?;
        server.forget_most_memory()?;
        let before = server.memory();
        let taken = api.drain(&ask("{}")).await?;
        ensure!(taken.status == 200, "device/list answered {}", taken.status);
        Ok(json!({
            "case": "list", "devices": self.devices, "bytes": taken.bytes,
            "first_byte_ms": rounded(milliseconds(taken.first), 1), "all_s": rounded(taken.all.as_secs_f64(), 2),
            "memory_before_mib": mebibytes(before),
            "memory_grew_mib": mebibytes(server.most_memory().saturating_sub(before)),
        }))
    }

    /// The server starts anew beside the full database.
    async fn memory(&self, mut stage: Stage) -> Result<Value> {
        stage.serve_anew().await?;
        let server = stage.serving.watched();
        let at_start = server.memory();
        let hands =
            stage.sayers(stage.serving.devices, self.callers, |device: &LoadDevice| &device.idle).await?;
        let before = stage.cpu()?;
        let (hands, run) = drive(hands, self.lasts).await;
        well(&run)?;
        let used = stage.cpu()?.since(before);
        let each = milliseconds(used.server + used.database) / run.done().max(1) as f64;
        drop(hands);
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(json!({
            "case": "memory", "devices": self.devices, "polls": run.done(), "cpu_ms": rounded(each, 5),
            "at_start_mib": mebibytes(at_start), "after_polls_mib": mebibytes(server.memory()),
            "most_mib": mebibytes(server.most_memory()),
        }))
    }
}

fn cpu(installation: &Installation, serving: &Serving) -> Result<Duration> {
    let database = installation.database()?.map(Watched::cpu).unwrap_or_default();
    Ok(serving.watched().cpu() + database)
}

fn seconds(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64(), 3)
}

fn mebibytes(bytes: u64) -> f64 {
    rounded(bytes as f64 / f64::from(1 << 20), 1)
}
