//! What a case came to.

use std::time::Duration;

use serde::Serialize;
use simulator::load::Run;

/// What a case came to; CPU is that of server and database together, for one piece of work.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// CPU of server and database, milliseconds.
    pub cpu_ms: f64,
    /// The database's share of it; zero where the server is the database.
    pub database_cpu_ms: f64,
    /// Not in it: the CPU of the callers and of the pretend push service.
    pub callers_cpu_ms: f64,
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
    /// Of this process.
    pub callers: Duration,
}

impl Figures {
    /// What `run` took, which cost `cpu`.
    pub fn of(run: &Run, cpu: Cpu) -> Self {
        let each = |cpu: Duration| rounded(milliseconds(cpu) / run.done().max(1) as f64, 5);
        Self {
            cpu_ms: each(cpu.server + cpu.database),
            database_cpu_ms: each(cpu.database),
            callers_cpu_ms: each(cpu.callers),
            per_s: rounded(run.per_second(), 1),
            p50_ms: rounded(milliseconds(run.latencies.p50()), 3),
            p99_ms: rounded(milliseconds(run.latencies.p99()), 3),
            count: run.done(),
        }
    }

    /// What these slices of one case came to: each figure is its median, so that a moment of noise is not in it.
    pub fn median(slices: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = slices.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or_default()
        };
        Self {
            cpu_ms: median(|slice| slice.cpu_ms),
            database_cpu_ms: median(|slice| slice.database_cpu_ms),
            callers_cpu_ms: median(|slice| slice.callers_cpu_ms),
            per_s: median(|slice| slice.per_s),
            p50_ms: median(|slice| slice.p50_ms),
            p99_ms: median(|slice| slice.p99_ms),
            count: slices.iter().map(|slice| slice.count).sum(),
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
            callers: self.callers.saturating_sub(before.callers),
        }
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

    fn run(pieces: usize) -> Run {
        Run {
            latencies: simulator::apple_device::Latencies::of(vec![Duration::from_millis(2); pieces]),
            elapsed: Duration::from_secs(2),
            ..Run::default()
        }
    }

    #[test]
    fn cpu_is_that_of_one_piece_of_work_and_not_the_callers() {
        let [server, database, callers] = [20, 10, 40].map(Duration::from_millis);
        let figures = Figures::of(&run(10), Cpu { server, database, callers });
        assert_eq!((figures.cpu_ms, figures.database_cpu_ms, figures.callers_cpu_ms), (3.0, 1.0, 4.0));
        assert_eq!((figures.per_s, figures.p50_ms, figures.count), (5.0, 2.0, 10));
    }

    #[test]
    fn one_noisy_slice_of_three_changes_nothing() {
        let slice =
            |server| Figures::of(&run(10), Cpu { server: Duration::from_millis(server), ..Cpu::default() });
        let median = Figures::median(&[slice(10), slice(500), slice(20)]);
        assert_eq!((median.cpu_ms, median.p50_ms, median.count), (2.0, 2.0, 30));
    }
}
