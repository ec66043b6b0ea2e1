//! The bounded queue of a road: full means that the caller is told to come again.

use domain::{Error, Result};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    task,
};

/// How many steps are committed together at most.
pub(crate) const GROUP: usize = 64;

/// How many steps wait at most.
const WAITING: usize = 4096;

/// Where the answer to a job goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T>>;

/// The sending end.
pub(crate) struct Queue<J>(mpsc::Sender<J>);

impl<J> Queue<J> {
    /// A queue, and the end from which groups are taken.
    pub(crate) fn new() -> (Self, mpsc::Receiver<J>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Queues a job and waits for its answer.
    pub(crate) async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> J) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(job(reply)).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::Unavailable("the device road is full".into()),
            TrySendError::Closed(_) => closed(),
        })?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Queues a job that must not be turned away; whether anyone is there to take it.
    pub(crate) async fn tell(&self, job: J) -> bool {
        self.0.send(job).await.is_ok()
    }
}

/// Lets whoever is about to ask something ask it, until nobody more comes: the busier, the larger the group. Where nobody
/// else is there it is over at once.
pub(crate) async fn top_up<J>(receiver: &mut mpsc::Receiver<J>, group: &mut Vec<J>) {
    while group.len() < GROUP {
        let before = group.len();
        task::yield_now().await;
        while group.len() < GROUP
            && let Ok(job) = receiver.try_recv()
        {
            group.push(job);
        }
        if group.len() == before {
            return;
        }
    }
}

/// The same failure for another caller.
pub(crate) fn refuse(error: &Error) -> Error {
    match error {
        Error::Unavailable(why) => Error::Unavailable(why.clone()),
        Error::Invalid { field, problem } => Error::invalid(field, problem.clone()),
        other => Error::internal(other.chain()),
    }
}

fn closed() -> Error {
    Error::Unavailable("the store is closed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_turns_callers_away() {
        let (queue, mut receiver) = Queue::<Reply<()>>::new();
        for _ in 0..WAITING {
            queue.0.try_send(oneshot::channel().0).unwrap();
        }
        assert!(matches!(queue.ask(|reply| reply).await, Err(Error::Unavailable(_))));
        receiver.recv().await.unwrap();
        let (answer, ()) = tokio::join!(queue.ask(|reply| reply), async {
            receiver.close();
            while let Some(reply) = receiver.recv().await {
                let _ = reply.send(Ok(()));
            }
        });
        answer.unwrap();
    }

    #[tokio::test]
    async fn whoever_is_about_to_ask_comes_along_in_the_group() {
        let (sender, mut receiver) = mpsc::channel(WAITING);
        for job in 1..=100 {
            let sender = sender.clone();
            tokio::spawn(async move { sender.send(job).await });
        }
        let mut group = vec![0];
        top_up(&mut receiver, &mut group).await;
        assert_eq!(group.len(), GROUP);
        while receiver.try_recv().is_ok() {}
        let mut alone = vec![0];
        top_up(&mut receiver, &mut alone).await;
        assert_eq!(alone, [0]);
    }

    #[tokio::test]
    async fn a_closed_queue_says_so() {
        let (queue, receiver) = Queue::<Reply<()>>::new();
        drop(receiver);
        assert!(matches!(queue.ask(|reply| reply).await, Err(Error::Unavailable(_))));
        assert!(!queue.tell(oneshot::channel().0).await);
    }
}
