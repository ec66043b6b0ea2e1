//! The hot road on SQLite: one thread writes, in groups. Whoever polls looks on the spot whether there is anything to fetch, or has
//! another thread look that reads, so that an empty poll never waits for a writer.

mod in_place;
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
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    Error, Result, ports,
    ports::{Answer, Poll, PollAnswer, TokenStep},
};
use rusqlite::Connection;

use self::{
    in_place::InPlace,
    looking::{Look, Looked},
    writing::Write,
};
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
    in_place: InPlace,
    looks: Queue<Look>,
    writes: Queue<Write>,
    contacts: Contacts,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl DeviceRoad {
    /// Starts both threads on the migrated file at `path`; the writer's task runs on the caller's runtime.
    pub(super) fn start(path: &Path, gate: Gate) -> Result<Self> {
        let in_place = reader(path)?;
        in_place.busy_timeout(Duration::ZERO).map_err(failed_on_road)?;
        let (looks, looking) = looking::start(reader(path)?)?;
        let (writes, writing) = writing::start(connect(path)?, gate)?;
        Ok(Self {
            in_place: InPlace::new(in_place),
            looks,
            writes,
            contacts: Contacts::default(),
            threads: Mutex::new(vec![looking, writing]),
        })
    }

    /// Takes and answers what waits, then ends.
    pub(crate) async fn stop(&self) -> Result<()> {
        let flushed = ports::DeviceRoad::flush(self).await;
        self.in_place.close();
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
        let (answer, waits) = self.look(&step).await?;
        if waits { self.write(step).await } else { Ok(answer) }
    }

    async fn look(&self, step: &Arc<Poll>) -> Result<Looked> {
        match self.in_place.look(step) {
            Some(looked) => Ok(looked),
            None => self.looks.ask(|reply| Look::Poll(Arc::clone(step), reply)).await,
        }
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

fn reader(path: &Path) -> Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true).map_err(failed_on_road)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(PathBuf::from(path)).map_err(failed_on_road)?;
    connection.busy_timeout(BUSY).map_err(failed_on_road)?;
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed_on_road)?;
    connection.pragma_update(None, "journal_size_limit", LOG).map_err(failed_on_road)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT).map_err(failed_on_road)?;
    connection.pragma_update(None, "cache_size", -16_384).map_err(failed_on_road)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use domain::{ChannelKey, Timestamp};
    use pki::Fingerprint;
    use rusqlite::params;

    use super::*;
    use crate::log::pretend::Disk;

    const NOW: i64 = 1_700_000_000_000;

    /// One enrolled device with a command, another one without, and a revoked certificate.
    fn enroll(path: &Path) {
        let connection = Connection::open(path).unwrap();
        for (number, certificate_state, commands) in [(1_u8, 1, 1), (2, 1, 0), (3, 2, 1)] {
            let [tenant, id] = [[9_u8; 16], [number; 16]];
            let key = format!("device {number}");
            connection
                .execute(
                    "INSERT INTO enrollments (tenant, id, device, key, state, created_at) VALUES (?1, ?2, ?2, ?3, 2, 0)",
                    params![tenant, id, key],
                )
                .unwrap();
            connection
                .execute(
                    "INSERT INTO certificates (fingerprint, tenant, enrollment, state, not_after, key_digest, der)
                     VALUES (?1, ?2, ?3, ?4, 0, x'', x'')",
                    params![[number; 32], tenant, id, certificate_state],
                )
                .unwrap();
            for _ in 0..commands {
                connection
                    .execute(
                        "INSERT INTO commands (tenant, device, id, enrollment, channel, state, sealed, queued_at, request_type, payload)
                         VALUES (?1, ?2, ?2, ?2, '', 0, 0, 0, 'ProfileList', x'')",
                        params![tenant, id],
                    )
                    .unwrap();
            }
        }
    }

    fn idle(number: u8, key: &str) -> Arc<Poll> {
        Arc::new(Poll {
            fingerprint: Fingerprint([number; 32]),
            key: key.into(),
            channel: ChannelKey::default(),
            report: None,
            renewal_only: false,
            now: Timestamp(NOW),
        })
    }

    #[tokio::test]
    async fn a_look_brings_the_same_on_the_spot_and_by_the_thread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remuda.db");
        let (_backend, road) = super::super::open(&path).await.unwrap();
        enroll(&path);
        // Whether it is known, whether it is served, and whether something waits.
        for (number, key, expected) in [
            (1, "device 1", (true, true, true)),
            (1, "device 2", (true, false, false)),
            (2, "device 2", (true, true, false)),
            (3, "device 3", (true, false, false)),
            (4, "device 4", (false, false, false)),
        ] {
            let step = idle(number, key);
            let here = loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if let Some(looked) = road.in_place.look(&step) {
                    break looked;
                }
            };
            let there = road.looks.ask(|reply| Look::Poll(Arc::clone(&step), reply)).await.unwrap();
            for (answer, waits) in [here, there] {
                assert_eq!((answer.identity.is_some(), answer.served.is_some(), waits), expected, "{key}");
            }
        }
        road.stop().await.unwrap();
        assert!(road.in_place.look(&idle(1, "device 1")).is_none());
        assert!(matches!(road.look(&idle(1, "device 1")).await, Err(Error::Unavailable(_))));
    }

    #[tokio::test]
    async fn a_command_is_handed_over_once_that_is_durable() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remuda.db");
        super::super::prepare_file(&path).await.unwrap();
        enroll(&path);
        let (mut disk, log) = Disk::new();
        let road = Arc::new(DeviceRoad::start(&path, Gate::one_at_a_time(log)).unwrap());
        let poll = || {
            let road = Arc::clone(&road);
            tokio::spawn(async move { ports::DeviceRoad::poll(&*road, idle(1, "device 1")).await })
        };
        let first = poll();
        disk.is_asked().await;
        let second = poll();
        assert!(!first.is_finished());
        disk.keeps();
        assert!(first.await.unwrap().unwrap().served.unwrap().next.is_some());
        disk.is_asked().await;
        disk.fails();
        assert!(matches!(second.await.unwrap(), Err(Error::Unavailable(_))));
    }
}
