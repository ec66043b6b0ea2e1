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
pub(crate) struct Gate {
    places: Option<Arc<Semaphore>>,
    patience: Duration,
}

/// The right to write, until it is dropped.
#[derive(Default)]
pub(crate) struct Pass {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Gate {
    /// Lets one in at a time.
    pub(crate) fn one_at_a_time() -> Self {
        Self { places: Some(Arc::new(Semaphore::new(1))), patience: PATIENCE }
    }

    /// Lets everyone in: the database sees to it itself.
    pub(crate) fn open() -> Self {
        Self { places: None, patience: PATIENCE }
    }

    /// Waits its turn, but not for ever.
    pub(crate) async fn enter(&self) -> Result<Pass> {
        let Some(places) = &self.places else { return Ok(Pass::default()) };
        match timeout(self.patience, places.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Pass { _permit: Some(permit) }),
            Ok(Err(closed)) => Err(Error::internal(closed)),
            Err(_) => Err(Error::Unavailable("too many wait to write to the database".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn writers_are_let_in_one_at_a_time_in_the_order_in_which_they_came() {
        let gate = Gate::one_at_a_time();
        let first = gate.enter().await.unwrap();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let waiting: Vec<_> = (0..5)
            .map(|number| {
                let (gate, order) = (gate.clone(), order.clone());
                tokio::spawn(async move {
                    let _pass = gate.enter().await.unwrap();
                    order.lock().unwrap().push(number);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(order.lock().unwrap().is_empty());
        drop(first);
        for writer in waiting {
            writer.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let gate = Gate { patience: Duration::from_millis(10), ..Gate::one_at_a_time() };
        let _pass = gate.enter().await.unwrap();
        assert!(matches!(gate.enter().await, Err(Error::Unavailable(_))));
    }

    #[tokio::test]
    async fn an_open_gate_lets_everyone_in() {
        let gate = Gate::open();
        let _passes = (gate.enter().await.unwrap(), gate.enter().await.unwrap());
    }
}
