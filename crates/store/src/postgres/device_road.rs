//! The hot road on PostgreSQL: a few connections, each with a group of steps in a handful of set-based statements.
//!
//! Idle polls look first, on lanes of their own, since most have nothing to fetch: whoever is remembered with nothing that waits is
//! answered as soon as the database says that this has not changed. Lanes that write lock the
//! enrollments of a group in the order of tenant and device, and only then read what there is to hand over: that
//! statement's snapshot sees what the holder before committed. Of each kind one lane has the database work while the other one
//! waits for its answers to be written down, or for a lock.

mod lane;
mod looking;
mod memory;
mod statements;
mod writing;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::{
    Error, Result, Timestamp, ports,
    ports::{Answer, Poll, PollAnswer, TokenStep},
};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::task::JoinHandle;

use self::{looking::Look, writing::Write};
use crate::{
    error::failed,
    road::{Contacts, Queue},
};

/// How many connections look, and how many write.
const LANES: usize = 2;

/// How many last contacts are written in one statement.
const CONTACTS_AT_ONCE: usize = 1000;

/// The road, running.
pub(crate) struct DeviceRoad {
    looks: Queue<Look>,
    writes: Queue<Write>,
    contacts: Contacts,
    /// For what is not hot: last contacts.
    pool: PgPool,
    lanes: Mutex<Vec<JoinHandle<()>>>,
}

impl DeviceRoad {
    /// Starts the lanes on the caller's runtime; each connects when it has something to do.
    pub(super) fn start(options: &PgConnectOptions, pool: PgPool) -> Self {
        // Shorter than PostgreSQL waits before it looks for a deadlock (1 s), so that it is the road that gives way and tries
        // again, never an administrator's transaction.
        let options = options
            .clone()
            .options([("lock_timeout", "800ms"), ("idle_in_transaction_session_timeout", "60s")]);
        let (looks, looking) = lane::queue();
        let (writes, writing) = lane::queue();
        let mut lanes = Vec::new();
        for _ in 0..LANES {
            lanes.push(tokio::spawn(looking::run(options.clone(), looking.clone())));
            lanes.push(tokio::spawn(writing::run(options.clone(), writing.clone())));
        }
        Self { looks, writes, contacts: Contacts::default(), pool, lanes: Mutex::new(lanes) }
    }

    /// Takes and answers what waits, then ends.
    pub(crate) async fn stop(&self) -> Result<()> {
        let flushed = ports::DeviceRoad::flush(self).await;
        self.looks.tell(Look::Stop).await;
        self.writes.tell(Write::Stop).await;
        let lanes = std::mem::take(&mut *self.lanes.lock().unwrap_or_else(PoisonError::into_inner));
        for lane in lanes {
            lane.await.map_err(Error::internal)?;
        }
        flushed
    }

    /// Looks first: most polls have nothing to fetch, and need not wait for a lock.
    async fn idle(&self, step: Arc<Poll>) -> Result<Answer<PollAnswer>> {
        match self.looks.ask(|reply| Look::Poll(Arc::clone(&step), reply)).await? {
            Some(answer) => Ok(answer),
            None => self.write(step).await,
        }
    }

    async fn write(&self, step: Arc<Poll>) -> Result<Answer<PollAnswer>> {
        self.writes.ask(|reply| Write::Poll(step, reply)).await
    }

    fn note<T>(&self, answer: &Answer<T>, now: Timestamp) {
        if let (Some(who), Some(_)) = (&answer.identity, &answer.served) {
            self.contacts.note(who, now);
        }
    }
}

#[async_trait]
impl ports::DeviceRoad for DeviceRoad {
    async fn poll(&self, step: Arc<Poll>) -> Result<Answer<PollAnswer>> {
        let now = step.now;
        let answer = if step.report.is_some() { self.write(step).await? } else { self.idle(step).await? };
        self.note(&answer, now);
        Ok(answer)
    }

    async fn update_token(&self, step: TokenStep) -> Result<Answer<()>> {
        let now = step.now;
        let answer = self.writes.ask(|reply| Write::Token(step.into(), reply)).await?;
        self.note(&answer, now);
        Ok(answer)
    }

    async fn flush(&self) -> Result<()> {
        let contacts = self.contacts.take();
        for (place, some) in contacts.chunks(CONTACTS_AT_ONCE).enumerate() {
            if let Err(error) = statements::set_contacts(&self.pool, some).await {
                self.contacts.put_back(&contacts[place * CONTACTS_AT_ONCE..]);
                return Err(failed(error));
            }
        }
        Ok(())
    }
}
