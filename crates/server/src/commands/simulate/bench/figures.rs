//! What was measured, as it is printed.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;
use serde_json::{Map, Value, json};
use simulator::load::Run;

/// What a case came to; CPU is that of server and database together, for one piece of work.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// CPU of server and database, milliseconds.
    pub cpu_ms: f64,
    /// The database's share of it; zero where the server is the database.
    pub database_cpu_ms: f64,
    /// How many in a second.
    pub per_s: f64,
    /// Half took no longer, milliseconds.
    pub p50_ms: f64,
    /// One in a hundred took longer, milliseconds.
    pub p99_ms: f64,
    /// How many were measured.
    pub count: usize,
}

/// CPU time so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// Of the server.
    pub server: Duration,
    /// Of the database's own processes.
    pub database: Duration,
}

/// All figures, in the order in which they were measured: part (`floor`, `sqlite`, `postgres`), case, figures.
#[derive(Debug, Default)]
pub struct Report(Vec<(&'static str, &'static str, Figures)>);

impl Figures {
    /// What `run` took, which cost `cpu`.
    pub fn of(run: &Run, cpu: Cpu) -> Self {
        let each = |cpu: Duration| rounded(milliseconds(cpu) / run.done().max(1) as f64, 5);
        Self {
            cpu_ms: each(cpu.server + cpu.database),
            database_cpu_ms: each(cpu.database),
            per_s: rounded(run.per_second(), 1),
            p50_ms: rounded(milliseconds(run.latencies.p50()), 3),
            p99_ms: rounded(milliseconds(run.latencies.p99()), 3),
            count: run.done(),
        }
    }
}

impl Cpu {
    /// What was used since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            database: self.database.saturating_sub(before.database),
        }
    }
}

impl Report {
    /// Adds a case.
    pub fn add(&mut self, part: &'static str, case: &'static str, figures: Figures) {
        self.0.push((part, case, figures));
    }

    /// `{"floor":{"idle":{…}},"sqlite":{"idle":…,…},…}`.
    pub fn json(&self) -> Value {
        let mut parts = Map::new();
        for (part, case, figures) in &self.0 {
            let cases = parts.entry(*part).or_insert_with(|| json!({}));
            cases[*case] = json!(figures);
        }
        Value::Object(parts)
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let mut table = format!(
            "{:<10}{:<14}{:>9}{:>11}{:>9}{:>12}{:>9}{:>9}{:>9}\n",
            "", "", "CPU ms", "database's", "x floor", "per second", "p50 ms", "p99 ms", "count"
        );
        for (part, case, figures) in &self.0 {
            let floor = self.floor().map_or(String::new(), |floor| format!("{:.2}", figures.cpu_ms / floor));
            let Figures { cpu_ms, database_cpu_ms, per_s, p50_ms, p99_ms, count } = figures;
            let _ = writeln!(
                table,
                "{part:<10}{case:<14}{cpu_ms:>9.4}{database_cpu_ms:>11.4}{floor:>9}{per_s:>12.0}{p50_ms:>9.2}{p99_ms:>9.2}{count:>9}"
            );
        }
        table
    }

    /// What an idle poll costs at least.
    fn floor(&self) -> Option<f64> {
        let floor = self.0.iter().find(|(part, case, _)| (*part, *case) == ("floor", "idle"));
        floor.map(|(.., figures)| figures.cpu_ms).filter(|floor| *floor > 0.0)
    }
}

/// A duration as it is printed.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Rounded to so many digits behind the point.
pub fn rounded(number: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (number * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(cpu_ms: f64) -> Figures {
        Figures { cpu_ms, database_cpu_ms: 0.0, per_s: 10.0, p50_ms: 1.0, p99_ms: 2.0, count: 3 }
    }

    #[test]
    fn each_part_has_its_cases() {
        let mut report = Report::default();
        report.add("floor", "idle", figures(0.02));
        report.add("sqlite", "idle", figures(0.03));
        report.add("sqlite", "report", figures(0.06));
        let json = report.json();
        assert_eq!(json["floor"]["idle"]["cpu_ms"], 0.02);
        assert_eq!(json["sqlite"].as_object().map(Map::len), Some(2));
        assert!(report.table().contains("1.50"), "{}", report.table());
    }

    #[test]
    fn cpu_is_that_of_one_piece_of_work() {
        let run = Run {
            latencies: simulator::apple_device::Latencies::of(vec![Duration::from_millis(2); 10]),
            elapsed: Duration::from_secs(2),
            ..Run::default()
        };
        let cpu = Cpu { server: Duration::from_millis(20), database: Duration::from_millis(10) };
        let figures = Figures::of(&run, cpu);
        assert_eq!((figures.cpu_ms, figures.database_cpu_ms, figures.per_s), (3.0, 1.0, 5.0));
        assert_eq!((figures.p50_ms, figures.count), (2.0, 10));
    }
}
