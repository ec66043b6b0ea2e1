//! The gate at which the writers of a SQLite file queue, first come first served.
//!
//! SQLite has one writer at a time, and those that wait for it by asking again and again starve each other. Whoever has committed
//! leaves before that is durable, and waits for it outside.

use std::{sync::Arc, time::Duration};

use domain::{Error, Result};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use crate::log::Log;

/// How long a writer waits for the ones before it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lets writers in.
#[derive(Clone)]
pub(crate) struct Gate {
    places: Option<Arc<Semaphore>>,
    log: Option<Log>,
    patience: Duration,
}

/// The right to write, until it is dropped.
#[derive(Default)]
pub(crate) struct Pass {
    permit: Option<OwnedSemaphorePermit>,
    log: Option<Log>,
}

impl Gate {
    /// Lets one in at a time, who writes to this log.
    pub(crate) fn one_at_a_time(log: Log) -> Self {
        Self { places: Some(Arc::new(Semaphore::new(1))), log: Some(log), patience: PATIENCE }
    }

    /// Lets everyone in: the database sees to it itself, and a commit is durable.
    pub(crate) fn open() -> Self {
        Self { places: None, log: None, patience: PATIENCE }
    }

    /// Waits its turn, but not for ever.
    pub(crate) async fn enter(&self) -> Result<Pass> {
        self.check()?;
        let Some(places) = &self.places else { return Ok(Pass::default()) };
        match timeout(self.patience, places.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Pass { permit: Some(permit), log: self.log.clone() }),
            Ok(Err(closed)) => Err(Error::internal(closed)),
            Err(_) => Err(Error::Unavailable("too many wait to write to the database".into())),
        }
    }

    /// # Errors
    /// [`Error::Unavailable`] where nothing that is written can be kept any more.
    pub(crate) fn check(&self) -> Result<()> {
        self.log.as_ref().map_or(Ok(()), Log::check)
    }

    /// Closes the log, once all is written.
    pub(crate) async fn close(&self) {
        if let Some(log) = &self.log {
            log.stop().await;
        }
    }
}

impl Pass {
    /// Lets the next one in after a commit, and waits until that is durable.
    pub(crate) async fn leave(self) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.leave_then(|durable| drop(reply.send(durable)));
        answer.await.map_err(Error::internal)?
    }

    /// The same; tells it.
    pub(crate) fn leave_then(self, tell: impl FnOnce(Result<()>) + Send + 'static) {
        drop(self.permit);
        match self.log {
            Some(log) => log.when_durable(tell),
            None => tell(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::one_at_a_time(Log::start(|| Ok(())).unwrap())
    }

    #[tokio::test]
    async fn writers_are_let_in_one_at_a_time_in_the_order_in_which_they_came() {
        let gate = gate();
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
        let gate = Gate { patience: Duration::from_millis(10), ..gate() };
        let _pass = gate.enter().await.unwrap();
        assert!(matches!(gate.enter().await, Err(Error::Unavailable(_))));
    }

    #[tokio::test]
    async fn an_open_gate_lets_everyone_in() {
        let gate = Gate::open();
        let _passes = (gate.enter().await.unwrap(), gate.enter().await.unwrap());
    }
}
