//! What is measured.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::installation::Installation;

/// How many empty polls are measured.
const POLLS: usize = 1000;

/// How often they are measured on PostgreSQL, whose vacuum reads as well and may come at any time: the least counts.
const ROUNDS: usize = 3;

/// How long a connection of PostgreSQL's may take to count what it read.
const COUNTED: Duration = Duration::from_secs(12);

/// The measures of a day.
#[derive(Clone, Debug)]
pub struct Sample {
    pub day: u64,
    /// How many commands were carried out so far.
    pub commands: u64,
    /// Bytes in use.
    pub size: u64,
    /// How many rows each table has.
    pub rows: Vec<(&'static str, u64)>,
    /// One empty poll after another, from the call to the answer.
    poll: Duration,
    /// On SQLite what a poll reads from the file, in pages of 4 KiB; on PostgreSQL how many blocks it looks at. Not known in
    /// short runs on PostgreSQL, which counts late.
    pages: Option<f64>,
}

/// What stands above the lines of a table.
pub fn heading() -> String {
    format!(
        "{:>5} {:>10} {:>9} {:>10} {:>9} {:>8} {:>11} {:>10} {:>11}",
        "day", "commands", "MiB", "in table", "events", "escrow", "enrollments", "poll µs", "pages/poll"
    )
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows =
            |table: &str| self.rows.iter().find(|(name, _)| *name == table).map_or(0, |(_, rows)| *rows);
        write!(
            f,
            "{:>5} {:>10} {:>9.1} {:>10} {:>9} {:>8} {:>11} {:>10.1} {:>11}",
            self.day,
            self.commands,
            self.size as f64 / f64::from(1 << 20),
            rows("commands"),
            rows("audit"),
            rows("escrow"),
            rows("enrollments"),
            self.poll.as_secs_f64() * 1e6,
            self.pages.map_or_else(|| "-".into(), |pages| format!("{pages:.2}")),
        )
    }
}

impl Installation {
    /// Measures, at night: nobody else is there.
    pub async fn sample(&self, day: u64) -> Sample {
        if let Some(database) = &self.postgresql {
            // In real life the database does so by itself, by the real clock.
            database.execute("VACUUM ANALYZE");
        }
        let rounds = if self.postgresql.is_some() && !self.plan.is_short() { ROUNDS } else { 1 };
        let (mut poll, mut pages) = (Duration::MAX, None);
        for _ in 0..rounds {
            let (took, read) = self.round().await;
            poll = poll.min(took);
            pages = pages.into_iter().chain(read).min_by(f64::total_cmp);
        }
        let database = &self.parts.database;
        let (size, rows) = (database.size().await.unwrap(), database.rows().await.unwrap());
        Sample { day, commands: self.commands, size, rows, poll, pages }
    }

    /// How long a poll takes, and how many pages it reads.
    async fn round(&self) -> (Duration, Option<f64>) {
        let before = self.reads().await;
        let poll = self.polls().await;
        let read = self.reads().await;
        (poll, before.zip(read).map(|(before, read)| (read - before) / POLLS as f64))
    }

    /// How long a poll takes.
    async fn polls(&self) -> Duration {
        let phones = self.fleet.phones();
        let road = &self.parts.database.road;
        let began = Instant::now();
        for n in 0..POLLS {
            // Far from each other, so that no two share a page.
            let phone = &phones[n * 7919 % phones.len()];
            assert!(road.poll(Arc::new(phone.poll(None, self.now()))).await.unwrap().served.is_some());
        }
        began.elapsed() / u32::try_from(POLLS).unwrap()
    }

    /// How many pages were read so far.
    async fn reads(&self) -> Option<f64> {
        let Some(database) = &self.postgresql else { return Some(read_by_this_process()) };
        if self.plan.is_short() {
            return None;
        }
        tokio::time::sleep(COUNTED).await;
        let blocks =
            "coalesce(heap_blks_read + heap_blks_hit, 0) + coalesce(idx_blks_read + idx_blks_hit, 0)";
        let sum = database.execute(&format!("SELECT sum({blocks}) FROM pg_statio_user_tables"));
        Some(sum.trim().parse().unwrap())
    }
}

/// Of SQLite's pages, by what this process has read.
fn read_by_this_process() -> f64 {
    let counters = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let bytes = counters.lines().find_map(|line| line.strip_prefix("rchar: "));
    bytes.map_or(0.0, |bytes| bytes.trim().parse::<f64>().unwrap() / 4096.0)
}
