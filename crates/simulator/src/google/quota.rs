//! How much may be asked within a stretch of time.

use std::collections::VecDeque;
use std::time::SystemTime;

use super::refusal::Refusal;
use super::settings::Quota;

/// The calls of the last stretch.
#[derive(Default)]
pub(super) struct Meter(VecDeque<SystemTime>);

impl Meter {
    pub(super) fn count(&mut self, quota: &Quota, now: SystemTime) -> Result<(), Refusal> {
        while self.0.front().is_some_and(|at| now.duration_since(*at).is_ok_and(|ago| ago >= quota.window)) {
            self.0.pop_front();
        }
        if self.0.len() >= quota.queries {
            let wait = quota.retry_after.map(|span| span.as_secs().to_string());
            return Err(Refusal::ordered(429, "RESOURCE_EXHAUSTED", wait.as_deref()));
        }
        self.0.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_quota_is_used_up_and_comes_back() {
        let quota = Quota { queries: 2, window: Duration::from_secs(100), retry_after: None };
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut meter = Meter::default();
        assert!(meter.count(&quota, at(0)).is_ok() && meter.count(&quota, at(50)).is_ok());
        assert!(meter.count(&quota, at(99)).is_err());
        assert!(meter.count(&quota, at(100)).is_ok());
        assert!(meter.count(&quota, at(149)).is_err());
    }
}
