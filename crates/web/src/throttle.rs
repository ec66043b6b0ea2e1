//! Wrong secrets, held back by the address that they come from.
//!
//! An address may be wrong [`AT_ONCE`] times, and once more for every [`EACH`] that passes. Beyond that its logins are
//! refused unheard: right ones too, since an answer that told right from wrong would let it guess on at full speed. That
//! harms nobody at another address, and the refused ones count for nothing, so that a client that is told to wait need
//! not wait for ever. Where the secret is 256 random bits, right ones are heard all the same. The memory is this node's
//! own: nobody guesses such secrets, and guesses at passwords are counted by account, in the database, too.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::Timestamp;

use crate::peer::Origin;

/// How many wrong secrets an address may send at once.
const AT_ONCE: u32 = 20;

/// How long until it may send one more.
const EACH: Duration = Duration::from_secs(6);

/// How many addresses are remembered at most.
const ADDRESSES: usize = 10_000;

/// Which addresses sent wrong secrets lately.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    /// When each will have made up for all its wrong secrets.
    even_at: Mutex<HashMap<Origin, Timestamp>>,
}

impl Throttle {
    /// How long logins from `origin` are refused; `None` where they are heard.
    pub(crate) fn wait(&self, origin: Origin, now: Timestamp) -> Option<Duration> {
        let even_at = self.lock().get(&origin.network()).copied()?;
        let heard_at = even_at.0 - millis(EACH * (AT_ONCE - 1));
        let wait = u64::try_from(heard_at - now.0).ok().filter(|wait| *wait > 0)?;
        Some(Duration::from_millis(wait))
    }

    /// Remembers that a wrong secret came from `origin`.
    pub(crate) fn count(&self, origin: Origin, now: Timestamp) {
        let mut addresses = self.lock();
        let origin = origin.network();
        if addresses.len() >= ADDRESSES && !addresses.contains_key(&origin) {
            make_room(&mut addresses, now);
        }
        let even_at = addresses.entry(origin).or_insert(now);
        // A clock that was set back must not make anyone wait for longer than all this can take.
        let owed = even_at.0.clamp(now.0, now.0 + millis(EACH * AT_ONCE));
        *even_at = Timestamp(owed).plus(EACH);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Origin, Timestamp>> {
        self.even_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets those that have made up for it, or else the one that comes next to it.
fn make_room(addresses: &mut HashMap<Origin, Timestamp>, now: Timestamp) {
    addresses.retain(|_, even_at| *even_at > now);
    if addresses.len() < ADDRESSES {
        return;
    }
    if let Some(next) = addresses.iter().min_by_key(|(_, even_at)| **even_at).map(|(origin, _)| *origin) {
        addresses.remove(&next);
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn from(text: &str) -> Origin {
        Origin::from(text.parse::<IpAddr>().unwrap())
    }

    fn wrong(throttle: &Throttle, origin: Origin, times: u32, now: i64) {
        for _ in 0..times {
            throttle.count(origin, Timestamp(now));
        }
    }

    fn wait(throttle: &Throttle, origin: Origin, now: i64) -> Option<u128> {
        throttle.wait(origin, Timestamp(now)).map(|wait| wait.as_millis())
    }

    #[test]
    fn twenty_wrong_secrets_are_heard_and_then_one_in_six_seconds() {
        let (throttle, here) = (Throttle::default(), from("192.0.2.1"));
        wrong(&throttle, here, 19, 0);
        assert_eq!(wait(&throttle, here, 0), None);
        wrong(&throttle, here, 1, 0);
        assert_eq!(
            [0, 1000, 5999, 6000].map(|now| wait(&throttle, here, now)),
            [Some(6000), Some(5000), Some(1), None]
        );
        wrong(&throttle, here, 1, 6000);
        assert_eq!(wait(&throttle, here, 6000), Some(6000));
        assert_eq!(wait(&throttle, from("192.0.2.2"), 0), None, "another address");
    }

    #[test]
    fn an_address_is_forgiven_with_time() {
        let (throttle, here) = (Throttle::default(), from("192.0.2.1"));
        wrong(&throttle, here, 20, 0);
        wrong(&throttle, here, 19, 120_000);
        assert_eq!(wait(&throttle, here, 120_000), None);
    }

    #[test]
    fn one_subnet_of_ipv6_is_one_address() {
        let throttle = Throttle::default();
        for n in 0..20 {
            wrong(&throttle, from(&format!("2001:db8::{n:x}")), 1, 0);
        }
        assert_eq!(wait(&throttle, from("2001:db8::ffff"), 0), Some(6000));
        assert_eq!(wait(&throttle, from("2001:db8:0:1::1"), 0), None);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (throttle, here) = (Throttle::default(), from("192.0.2.1"));
        wrong(&throttle, here, 20, 1_000_000_000);
        wrong(&throttle, here, 1, 0);
        assert!(wait(&throttle, here, 0).unwrap() <= 12_000);
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_worst() {
        let (throttle, worst) = (Throttle::default(), from("192.0.2.1"));
        wrong(&throttle, worst, 20, 0);
        for n in 0..u32::try_from(ADDRESSES).unwrap() + 50 {
            wrong(&throttle, Origin::from(IpAddr::from(Ipv4Addr::from_bits(n))), 1, 0);
        }
        assert_eq!(throttle.lock().len(), ADDRESSES);
        assert!(wait(&throttle, worst, 0).is_some());
        wrong(&throttle, from("203.0.113.1"), 1, 1_000_000);
        assert_eq!(throttle.lock().len(), 1, "all others are even");
    }
}
