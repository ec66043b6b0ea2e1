//! Rate limits of the lifecycle API: sliding windows, exact, and the same on every node.
//!
//! The times of an application's last [`PER_DAY`] requests are kept in a ring. Two look-ups decide: how long ago was the
//! request [`PER_SECOND`] before this one, and the one [`PER_DAY`] before? Blocked requests count too.

use std::time::Duration;

use crate::{ApplicationId, Mdm, Result, TenantId, Timestamp};

/// How many requests of a kind an application may make in any second.
pub const PER_SECOND: u32 = 5;

/// How many requests of a kind an application may make in any day.
pub const PER_DAY: u32 = 10_000;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

/// What is limited, each kind for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedRequest {
    /// A login with the right secret.
    Login,
    /// A purge with a good token.
    Purge,
}

impl LimitedRequest {
    /// As it is stored.
    pub fn code(self) -> i16 {
        match self {
            Self::Login => 0,
            Self::Purge => 1,
        }
    }
}

/// The times of earlier requests, as far as there were so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EarlierRequests {
    /// Of the one [`PER_SECOND`] before this one.
    pub fifth: Option<Timestamp>,
    /// Of the one behind that.
    pub fourth: Option<Timestamp>,
    /// Of the one [`PER_DAY`] before this one.
    pub last_of_day: Option<Timestamp>,
    /// Of the one behind that.
    pub second_last_of_day: Option<Timestamp>,
}

impl EarlierRequests {
    /// When the next request would pass, if nothing else came, for one that is counted at `at`; `None` if that may go on.
    ///
    /// The time is exact, and so is a wait until then: clocks are cut to whole milliseconds, so that whoever waits the
    /// difference of two of them comes at the later one or within the millisecond behind it, and never before it.
    fn next_free(&self, at: Timestamp) -> Option<Timestamp> {
        let free_at = |earlier: Option<Timestamp>, window| earlier.map_or(at, |then| then.plus(window));
        let this = free_at(self.fifth, SECOND).max(free_at(self.last_of_day, DAY));
        let next = free_at(self.fourth, SECOND).max(free_at(self.second_last_of_day, DAY));
        (this > at).then_some(next)
    }
}

impl Mdm {
    /// Counts a request of an application; how long it has to wait if it is one too many.
    ///
    /// One short transaction. Only authenticated requests may be counted, or else anyone who knows an Application ID could
    /// lock it out.
    pub(crate) async fn limit(
        &self,
        tenant: TenantId,
        application: ApplicationId,
        request: LimitedRequest,
    ) -> Result<Option<Duration>> {
        let now = self.clock.now();
        let mut tx = self.store.begin(tenant).await?;
        let (at, earlier) = tx.count_request(application, request, now).await?;
        tx.commit().await?;
        // `at` is later than `now` where another node's clock is ahead; the wait is by the clock of this one.
        Ok(earlier.next_free(at).map(|next| next.since(now)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    /// What the store does, on a list.
    #[derive(Default)]
    struct Ring(VecDeque<Timestamp>);

    impl Ring {
        fn request(&mut self, now: i64) -> Option<Duration> {
            let before = |n: u32| {
                let index = self.0.len().checked_sub(usize::try_from(n).unwrap())?;
                self.0.get(index).copied()
            };
            let earlier = EarlierRequests {
                fifth: before(PER_SECOND),
                fourth: before(PER_SECOND - 1),
                last_of_day: before(PER_DAY),
                second_last_of_day: before(PER_DAY - 1),
            };
            self.0.push_back(Timestamp(now));
            let next = earlier.next_free(Timestamp(now))?;
            Some(Duration::from_millis(u64::try_from(next.0 - now).unwrap()))
        }
    }

    #[test]
    fn five_pass_in_a_second_and_the_sixth_waits_for_the_rest_of_it() {
        let mut ring = Ring::default();
        let waits: Vec<_> = [0, 100, 200, 300, 400, 500].map(|at| ring.request(at)).to_vec();
        assert_eq!(waits[..5], [None; 5]);
        // The sixth counts too: the next must be a second behind the second one.
        assert_eq!(waits[5], Some(Duration::from_millis(600)));
    }

    #[test]
    fn ten_thousand_pass_in_a_day() {
        let mut ring = Ring::default();
        for n in 0..10_000 {
            assert_eq!(ring.request(n * 1000), None);
        }
        let wait = ring.request(10_000_000).unwrap();
        assert_eq!(wait.as_millis(), 86_400_000 + 1000 - 10_000_000);
    }

    proptest! {
        #[test]
        fn a_request_after_the_wait_passes_and_one_before_does_not(
            gaps in prop::collection::vec(0..400i64, 6..40), early in 1..50i64,
        ) {
            let mut ring = Ring::default();
            let mut now = 0;
            for gap in gaps {
                now += gap;
                let Some(wait) = ring.request(now) else { continue };
                let wait = i64::try_from(wait.as_millis()).unwrap();
                let mut other = Ring(ring.0.clone());
                prop_assert!(other.request(now + (wait - early).max(0)).is_some() || early > wait);
                prop_assert_eq!(Ring(ring.0.clone()).request(now + wait), None);
            }
        }

        #[test]
        fn never_more_than_five_pass_in_any_second(gaps in prop::collection::vec(0..600i64, 1..200)) {
            let mut ring = Ring::default();
            let (mut now, mut passed) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                if ring.request(now).is_none() {
                    passed.push(now);
                }
            }
            for window in passed.windows(6) {
                prop_assert!(window[5] - window[0] >= 1000);
            }
        }
    }
}
