//! A place for one thing at a time.

use std::{future::pending, pin::Pin};

/// Holds what is being done, if anything.
pub struct Slot<T>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T> Slot<T> {
    /// With nothing to do.
    pub fn empty() -> Self {
        Self(None)
    }

    /// Whether something is being done.
    pub fn is_busy(&self) -> bool {
        self.0.is_some()
    }

    /// Does `work` from now on, instead of what was being done.
    pub fn start(&mut self, work: impl Future<Output = T> + Send + 'static) {
        self.0 = Some(Box::pin(work));
    }

    /// What came of it, as soon as it is done; never while there is nothing to do. Asking may be given up and begun anew.
    pub async fn done(&mut self) -> T {
        let Some(work) = &mut self.0 else { return pending().await };
        let done = work.await;
        self.0 = None;
        done
    }
}
