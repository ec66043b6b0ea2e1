//! A lane: one connection of its own, and a share in a queue.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::{Mutex, OwnedMutexGuard, mpsc::Receiver},
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

/// How long a lane waits for its turn at most: who has it may be waiting for a lock.
const POLITELY: Duration = Duration::from_millis(5);

/// The end of a queue that several lanes share, and what only the lane knows whose turn it is.
pub(super) struct Source<J, T = ()>(Arc<Shared<J, T>>);

struct Shared<J, T> {
    receiver: Mutex<Receiver<J>>,
    turn: Arc<Mutex<T>>,
}

impl<J, T> Clone for Source<J, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// That it is a lane's turn to have the database work; `None` where it goes on without. Until it is dropped, who comes waits and makes
/// the next group the larger: what a group costs beside its steps is shared by more.
pub(super) type Turn<T = ()> = Option<OwnedMutexGuard<T>>;

/// What stands in a lane's queue.
pub(super) trait Job {
    /// Whether it asks the lanes to end once the queue is empty.
    fn is_stop(&self) -> bool;
}

/// A queue for several lanes.
pub(super) fn queue<J, T: Default>() -> (Queue<J>, Source<J, T>) {
    let (queue, receiver) = Queue::new();
    (queue, Source(Arc::new(Shared { receiver: Mutex::new(receiver), turn: Arc::default() })))
}

impl<J: Job, T> Source<J, T> {
    /// Waits for jobs, then for its turn, and takes a group of them; `None` once the queue is closed and empty.
    pub(super) async fn take(&self) -> Option<(Vec<J>, Turn<T>)> {
        let mut receiver = self.0.receiver.lock().await;
        let mut group = Vec::with_capacity(GROUP);
        while receiver.recv_many(&mut group, GROUP).await > 0 {
            let turn = self.turn().await;
            top_up(&mut receiver, &mut group).await;
            leave_out_stops(&mut receiver, &mut group);
            if !group.is_empty() {
                return Some((group, turn));
            }
        }
        None
    }

    /// Waits for its turn, and fills up a group with what is there at that moment.
    pub(super) async fn fill(&self, group: &mut Vec<J>) -> Turn<T> {
        let turn = self.turn().await;
        // Whoever holds it is waiting for the next job, and may have it.
        if let Ok(mut receiver) = self.0.receiver.try_lock() {
            while group.len() < GROUP
                && let Ok(job) = receiver.try_recv()
            {
                group.push(job);
            }
            leave_out_stops(&mut receiver, group);
        }
        turn
    }

    async fn turn(&self) -> Turn<T> {
        timeout(POLITELY, Arc::clone(&self.0.turn).lock_owned()).await.ok()
    }
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
    is_new: bool,
}

impl Connector {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, open: None, is_new: false }
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
            None => {
                self.is_new = true;
                timeout(PATIENCE, PgConnection::connect_with(&self.options))
                    .await
                    .map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))??
            }
        };
        Ok(&mut self.open.insert((connection, Instant::now())).0)
    }

    /// Whether the connection was opened since this was last asked.
    pub(super) fn is_new(&mut self) -> bool {
        mem::take(&mut self.is_new)
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u8);

    impl Job for Number {
        fn is_stop(&self) -> bool {
            self.0 == 0
        }
    }

    async fn ask(queue: &Queue<Number>, numbers: &[u8]) {
        for number in numbers {
            assert!(queue.tell(Number(*number)).await);
        }
    }

    async fn taken(source: &Source<Number>) -> Option<(Vec<u8>, Turn)> {
        let (group, turn) = source.take().await?;
        Some((group.into_iter().map(|Number(number)| number).collect(), turn))
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_while_another_lane_has_its_turn_is_in_the_next_group() {
        let (queue, source) = queue();
        ask(&queue, &[1]).await;
        let (group, turn) = taken(&source).await.unwrap();
        assert!(group == [1] && turn.is_some());
        ask(&queue, &[2]).await;
        let next = async { taken(&source).await.unwrap() };
        let others = async {
            tokio::time::sleep(POLITELY / 2).await;
            ask(&queue, &[3, 4]).await;
            drop(turn);
        };
        let ((group, turn), ()) = tokio::join!(next, others);
        assert!(group == [2, 3, 4] && turn.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_waits_for_a_lock_holds_the_others_up_for_a_moment_only() {
        let (queue, source) = queue();
        ask(&queue, &[1, 2]).await;
        let (_, _held) = taken(&source).await.unwrap();
        ask(&queue, &[3]).await;
        let began = tokio::time::Instant::now();
        let (group, turn) = taken(&source).await.unwrap();
        assert!(group == [3] && turn.is_none());
        assert!(began.elapsed() >= POLITELY);
        let mut left = vec![Number(4)];
        ask(&queue, &[5]).await;
        assert!(source.fill(&mut left).await.is_none() && left.len() == 2);
    }

    #[tokio::test]
    async fn a_stop_ends_every_lane_once_what_came_before_is_taken() {
        let (queue, source) = queue();
        ask(&queue, &[1, 0, 2]).await;
        let (group, _) = taken(&source).await.unwrap();
        assert_eq!(group, [1, 2]);
        assert!(taken(&source).await.is_none() && !queue.tell(Number(3)).await);
    }
}
