//! The domain's small ports: clock, randomness, password hashing, wake-ups.

pub mod google;
mod hashing;
mod random;
mod wakes;

pub use hashing::Argon2;
pub use random::SystemRandom;
pub use wakes::Wakes;

use domain::{Timestamp, ports::Clock};

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port")]
    fn now(&self) -> Timestamp {
        std::time::SystemTime::now().into()
    }
}
