//! Tending the queue in the background: what waits is woken for again, what is too late ends.

use std::time::Duration;

use crate::{Mdm, Result, ports::Worker};

/// How many rows one transaction touches, so that nobody waits long for it.
const BATCH: u32 = 500;

/// How long after it was queued, or was due, a device is woken again for a command; doubled each time.
pub(crate) const PATIENCE: Duration = Duration::from_mins(15);

impl Mdm {
    /// Ends commands that have expired and asks for the pushes that are due for open ones; how many there were. One batch
    /// of each, so that a caller goes on until there are none.
    pub async fn tend_queue(&self) -> Result<u64> {
        let now = self.clock.now();
        let expired = self.outbox.expire_commands(now, BATCH).await?;
        let woken = self.outbox.wake_waiting(now, PATIENCE, BATCH).await?;
        if woken > 0 {
            self.wake.wake(Worker::Pushes);
        }
        Ok(expired + woken)
    }
}
