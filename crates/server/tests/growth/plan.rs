//! How many devices, how long, and what is remembered.

use std::{fmt, time::Duration};

const DAY: Duration = Duration::from_hours(24);

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub devices: u64,
    pub days: u64,
    /// How many days lie between two samples.
    pub sampled_every: u64,
    pub history: Duration,
    pub audit: Duration,
    pub archive: Duration,
    /// How long a certificate is good.
    pub certificates: Duration,
}

impl Plan {
    /// A short one, or what the environment asks for, with the usual settings.
    pub fn from_environment() -> Self {
        let short = Self {
            devices: 14,
            days: 28,
            sampled_every: 7,
            history: 3 * DAY,
            audit: 5 * DAY,
            archive: 4 * DAY,
            certificates: 6 * DAY,
        };
        let Some(days) = number("REMUDA_GROWTH_DAYS") else { return short };
        Self {
            devices: number("REMUDA_GROWTH_DEVICES").unwrap_or(10_000),
            days,
            sampled_every: 30,
            history: 30 * DAY,
            audit: 400 * DAY,
            archive: 400 * DAY,
            certificates: 365 * DAY,
        }
    }

    /// Whether everything is forgotten several times.
    pub fn is_short(&self) -> bool {
        self.audit * 4 < DAY * u32::try_from(self.days).unwrap()
    }

    /// How many devices enroll again in a day: each once a year, but one at least.
    pub fn come_back(&self) -> u64 {
        (self.devices / 365).max(1)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} devices, {} days, a command for each device on each day", self.devices, self.days)
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var_os(name)?;
    Some(text.to_str().unwrap().parse().unwrap())
}
