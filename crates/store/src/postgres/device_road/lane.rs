//! A lane: one connection of its own, and a share in a queue.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::{Mutex, mpsc::Receiver},
    time::timeout,
};

use crate::{
    error::lost,
    road::{GROUP, Queue, top_up},
};

/// After how long without use a connection is asked whether it still lives.
const REST: Duration = Duration::from_secs(1);

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a lane fails with.
pub(super) type Result<T> = std::result::Result<T, sqlx::Error>;

/// The end of a queue that several lanes share.
pub(super) type Source<J> = Arc<Mutex<Receiver<J>>>;

/// What stands in a lane's queue.
pub(super) trait Job {
    /// Whether it asks the lanes to end once the queue is empty.
    fn is_stop(&self) -> bool;
}

/// A queue for several lanes.
pub(super) fn queue<J>() -> (Queue<J>, Source<J>) {
    let (queue, receiver) = Queue::new();
    (queue, Arc::new(Mutex::new(receiver)))
}

/// Waits for jobs and takes a group of them; `None` once the queue is closed and empty.
pub(super) async fn take<J: Job>(source: &Source<J>) -> Option<Vec<J>> {
    let mut receiver = source.lock().await;
    let mut group = Vec::with_capacity(GROUP);
    while receiver.recv_many(&mut group, GROUP).await > 0 {
        top_up(&mut receiver, &mut group).await;
        leave_out_stops(&mut receiver, &mut group);
        if !group.is_empty() {
            return Some(group);
        }
    }
    None
}

/// Fills up a group with what is there at this moment.
pub(super) fn fill<J: Job>(source: &Source<J>, group: &mut Vec<J>) {
    // Whoever holds it is waiting for the next job, and may have it.
    let Ok(mut receiver) = source.try_lock() else { return };
    while group.len() < GROUP
        && let Ok(job) = receiver.try_recv()
    {
        group.push(job);
    }
    leave_out_stops(&mut receiver, group);
}

fn leave_out_stops<J: Job>(receiver: &mut Receiver<J>, group: &mut Vec<J>) {
    let all = group.len();
    group.retain(|job| !job.is_stop());
    if group.len() < all {
        receiver.close();
    }
}

/// A lane's connection, opened when it is needed.
pub(super) struct Connector {
    options: PgConnectOptions,
    open: Option<(PgConnection, Instant)>,
}

impl Connector {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, open: None }
    }

    /// The connection, a new one if the one before is gone.
    pub(super) async fn connection(&mut self) -> Result<&mut PgConnection> {
        let mut open = self.open.take();
        if let Some((connection, used)) = &mut open
            && used.elapsed() > REST
            && !matches!(timeout(PATIENCE, connection.ping()).await, Ok(Ok(())))
        {
            open = None;
        }
        let connection = match open {
            Some((connection, _)) => connection,
            None => timeout(PATIENCE, PgConnection::connect_with(&self.options))
                .await
                .map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))??,
        };
        Ok(&mut self.open.insert((connection, Instant::now())).0)
    }

    /// Drops the connection if the failure may have broken it; whether it did.
    pub(super) fn judge(&mut self, error: &sqlx::Error) -> bool {
        let lost = lost(error);
        if lost {
            self.open = None;
        }
        lost
    }
}
