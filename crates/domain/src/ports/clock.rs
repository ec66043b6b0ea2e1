//! The clock.

use crate::Timestamp;

/// Tells the time; tests hold it in hand.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}
