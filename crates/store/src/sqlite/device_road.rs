//! The hot road on SQLite: one thread writes, in groups, and one reads, so that an empty poll never waits for a writer.

mod looking;
#[cfg(test)]
mod plans;
mod prepared;
mod steps;
mod writing;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use async_trait::async_trait;
use domain::{
    Error, Result, ports,
    ports::{Answer, Poll, PollAnswer, TokenStep},
};
use rusqlite::Connection;

use self::{looking::Look, writing::Write};
use super::{BUSY, CHECKPOINT, LOG};
use crate::{
    error::failed_on_road,
    gate::Gate,
    road::{Contacts, Queue},
};

/// How many last contacts are written in one transaction, so that nobody waits long for a flush.
const CONTACTS_AT_ONCE: usize = 500;

/// The road, running.
pub(crate) struct DeviceRoad {
    looks: Queue<Look>,
    writes: Queue<Write>,
    contacts: Contacts,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl DeviceRoad {
    /// Starts both threads on the migrated file at `path`; the writer's task runs on the caller's runtime.
    pub(super) fn start(path: &Path, gate: Gate) -> Result<Self> {
        let reader = connect(path)?;
        reader.pragma_update(None, "query_only", true).map_err(failed_on_road)?;
        let (looks, looking) = looking::start(reader)?;
        let (writes, writing) = writing::start(connect(path)?, gate)?;
        Ok(Self { looks, writes, contacts: Contacts::default(), threads: Mutex::new(vec![looking, writing]) })
    }

    /// Takes and answers what waits, then ends.
    pub(crate) async fn stop(&self) -> Result<()> {
        let flushed = ports::DeviceRoad::flush(self).await;
        self.looks.tell(Look::Stop).await;
        self.writes.tell(Write::Stop).await;
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = tokio::task::spawn_blocking(|| threads.into_iter().try_for_each(JoinHandle::join)).await;
        match ended {
            Ok(Ok(())) => flushed,
            _ => Err(Error::internal("a thread of the device road ended before its time")),
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
            if let Err(error) = self.writes.ask(|reply| Write::Contacts(some.to_vec(), reply)).await {
                self.contacts.put_back(&contacts[place * CONTACTS_AT_ONCE..]);
                return Err(error);
            }
        }
        Ok(())
    }
}

impl DeviceRoad {
    /// Looks first: most polls have nothing to fetch, and need not wait for a writer.
    async fn idle(&self, step: Arc<Poll>) -> Result<Answer<PollAnswer>> {
        let (answer, waits) = self.looks.ask(|reply| Look::Poll(Arc::clone(&step), reply)).await?;
        if waits { self.write(step).await } else { Ok(answer) }
    }

    async fn write(&self, step: Arc<Poll>) -> Result<Answer<PollAnswer>> {
        self.writes.ask(|reply| Write::Poll(step, reply)).await
    }

    fn note<T>(&self, answer: &Answer<T>, now: domain::Timestamp) {
        if let (Some(who), Some(_)) = (&answer.identity, &answer.served) {
            self.contacts.note(who, now);
        }
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(PathBuf::from(path)).map_err(failed_on_road)?;
    connection.busy_timeout(BUSY).map_err(failed_on_road)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed_on_road)?;
    connection.pragma_update(None, "journal_size_limit", LOG).map_err(failed_on_road)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT).map_err(failed_on_road)?;
    connection.pragma_update(None, "cache_size", -16_384).map_err(failed_on_road)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}
