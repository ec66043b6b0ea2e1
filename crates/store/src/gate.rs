//! The gate at which the writers of a SQLite file queue, first come first served.
//!
//! SQLite has one writer at a time, and those that wait for it by asking again and again starve each other.

use std::{sync::Arc, time::Duration};

use domain::{Error, Result};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long a writer waits for the ones before it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lets writers in.
#[derive(Clone)]
pub(crate) struct Gate(Option<Arc<Semaphore>>);

/// The right to write, until it is dropped.
#[derive(Default)]
pub(crate) struct Pass {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Gate {
    /// Lets one in at a time.
    pub(crate) fn one_at_a_time() -> Self {
        Self(Some(Arc::new(Semaphore::new(1))))
    }

    /// Lets everyone in: the database sees to it itself.
    pub(crate) fn open() -> Self {
        Self(None)
    }

    /// Waits its turn, [`PATIENCE`] at most.
    pub(crate) async fn enter(&self) -> Result<Pass> {
        let Some(semaphore) = &self.0 else { return Ok(Pass::default()) };
        match timeout(PATIENCE, semaphore.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Pass { _permit: Some(permit) }),
            Ok(Err(closed)) => Err(Error::internal(closed)),
            Err(_) => Err(Error::Unavailable("too many wait to write to the database".into())),
        }
    }
}
