//! How long what is over is kept.

use std::time::Duration;

/// How long something is kept: a day at least.
pub(super) fn kept(
    flag: &str,
    given: Option<&str>,
    days_by_default: u32,
    faults: &mut Vec<String>,
) -> Duration {
    const DAY: Duration = Duration::from_hours(24);
    let Some(text) = given else { return days_by_default * DAY };
    let span = text.parse::<jiff::SignedDuration>().ok().or_else(|| days(text));
    let time = span.and_then(|span| Duration::try_from(span).ok()).filter(|time| *time >= DAY);
    time.unwrap_or_else(|| {
        faults.push(format!("{flag} {text}: a time of a day or more, such as 30d or 36h"));
        DAY
    })
}

fn days(text: &str) -> Option<jiff::SignedDuration> {
    let days: i64 = text.strip_suffix('d')?.trim().parse().ok()?;
    jiff::SignedDuration::try_from_hours(days.checked_mul(24)?)
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Settings};

    #[test]
    fn what_is_over_is_kept_for_a_day_at_least() {
        let history = |text: &str| {
            let settings = Settings {
                history: Some(text.into()),
                audit: Some(text.into()),
                archive: Some(text.into()),
                ..Settings::default()
            };
            let config = Config::new(settings).map_err(|faults| assert_eq!(faults.0.len(), 3, "{faults}"))?;
            assert!(config.audit == config.history && config.archive == config.history);
            Ok::<_, ()>(config.history.as_secs() / 3600)
        };
        let usual = Config::new(Settings::default()).unwrap();
        let days = [usual.history, usual.audit, usual.archive].map(|time| time.as_secs() / (24 * 3600));
        assert_eq!(days, [30, 400, 400]);
        assert_eq!((history("90d"), history("36h")), (Ok(2160), Ok(36)));
        for wrong in ["1h", "-3d", "soon", "", "d", "99999999999999999d"] {
            assert!(history(wrong).is_err(), "{wrong}");
        }
    }
}
