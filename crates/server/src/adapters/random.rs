//! The machine's randomness.

use std::time::{Duration, UNIX_EPOCH};

use domain::ports::{Clock, Random};
use rand::RngCore;
use uuid::{ContextV7, Uuid};

use super::SystemClock;

/// Ids and secrets from the operating system's source.
#[derive(Default)]
pub struct SystemRandom {
    context: std::sync::Mutex<ContextV7>,
}

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the port")]
    fn id(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn ordered_id(&self) -> Uuid {
        let since = SystemClock.now().system_time().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        // A poisoned lock still counts on: the counter has no invariant that a panic could break.
        let context = self.context.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, since.as_secs(), since.subsec_nanos()))
    }

    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_same_millisecond_keep_their_order() {
        let random = SystemRandom::default();
        let ids: Vec<Uuid> = (0..10_000).map(|_| random.ordered_id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
