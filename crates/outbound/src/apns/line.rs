//! The line of one set of credentials: at most one connection, however many want to use it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::connection::{Connection, Dialer};

/// Nothing while it is being opened, then how that ended.
type Dial = watch::Receiver<Option<Result<Connection, Arc<str>>>>;

/// Opens its connection when first asked for it, once for all who ask meanwhile, and again when it is of no use
/// any more.
pub(super) struct Line {
    dialer: Dialer,
    streams: Semaphore,
    latest: Mutex<Option<Dial>>,
}

impl Line {
    /// A line that is not connected yet and carries `max_streams` (at least one) pushes at once.
    pub(super) fn new(dialer: Dialer, max_streams: usize) -> Self {
        let streams = Semaphore::new(max_streams.clamp(1, Semaphore::MAX_PERMITS));
        Self { dialer, streams, latest: Mutex::default() }
    }

    /// Waits for its turn to have a push under way, first come, first served.
    pub(super) async fn stream(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so that there is always a permit in the end.
        self.streams.acquire().await.ok()
    }

    /// The open connection. All who waited for one attempt share its failure; who comes later starts another.
    pub(super) async fn connection(&self) -> Result<Connection, String> {
        let mut dial = self.dial();
        let settled = dial.wait_for(Option::is_some).await.ok().and_then(|settled| settled.clone());
        match settled {
            Some(Ok(connection)) => Ok(connection),
            Some(Err(why)) => Err(why.to_string()),
            None => Err("connecting to APNs was cut short".to_owned()),
        }
    }

    fn dial(&self) -> Dial {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dial) = latest.as_ref().filter(|dial| is_of_use(dial)) {
            return dial.clone();
        }
        let dial = self.start();
        *latest = Some(dial.clone());
        dial
    }

    /// Opening is a task of its own: a caller who gives up takes nobody else's connection away.
    fn start(&self) -> Dial {
        let (settle, dial) = watch::channel(None);
        let dialer = self.dialer.clone();
        tokio::spawn(async move {
            let opened = dialer.open().await.map_err(Arc::from);
            settle.send_replace(Some(opened));
        });
        dial
    }
}

fn is_of_use(dial: &Dial) -> bool {
    match &*dial.borrow() {
        Some(Ok(connection)) => connection.is_usable(),
        Some(Err(_)) => false,
        // Still under way, unless its task is gone (a runtime that was stopped).
        None => dial.has_changed().is_ok(),
    }
}
