//! SQLite's write-ahead log, made durable for many transactions at once.
//!
//! Whoever commits writes to the log without waiting for the disk (`synchronous=NORMAL`: SQLite then waits for it only between log and
//! file). The next one may write while the disk is asked to keep the log, once for all who have committed before, and nobody is
//! told of a commit any sooner. What others read may be younger than what is kept; what they write because of it stands behind it
//! in the log, and is kept no sooner either.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, JoinHandle},
};

use domain::{Error, Result};
use rusqlite::Connection;
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};

use crate::error::failed_on_road;

/// The log of a file, for as long as that is open.
#[derive(Clone)]
pub(crate) struct Log {
    asked: UnboundedSender<Asked>,
    state: Arc<State>,
}

struct State {
    /// Why the disk failed to keep it, once it did.
    failure: OnceLock<io::Error>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Asked {
    /// Wants to know when what it has committed is durable.
    Durable(Tell),
    /// Ends once all before it are told.
    Stop,
}

type Tell = Box<dyn FnOnce(Result<()>) + Send>;

impl Log {
    /// The log of the migrated file at `path`. Those who wait are told on the caller's runtime.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // While it is open, nobody's connection is the last one, with which the log would be taken away.
        let anchor = Connection::open(path).map_err(failed_on_road)?;
        anchor.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(())).map_err(failed_on_road)?;
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        let file = File::options().write(true).open(&name).map_err(|error| away(&error))?;
        Self::start(move || {
            let _ = &anchor;
            file.sync_data()
        })
    }

    /// Whatever `sync` makes durable.
    pub(crate) fn start(sync: impl FnMut() -> io::Result<()> + Send + 'static) -> Result<Self> {
        let (asked, asking) = mpsc::unbounded_channel();
        let state = Arc::new(State { failure: OnceLock::new(), thread: Mutex::default() });
        let (runtime, shared) = (Handle::current(), Arc::clone(&state));
        let thread = thread::Builder::new().name("store-log".into());
        let thread = thread.spawn(move || run(asking, sync, &shared, &runtime));
        *state.lock() = Some(thread.map_err(Error::internal)?);
        Ok(Self { asked, state })
    }

    /// Tells when all that was committed before this is durable.
    pub(crate) fn when_durable(&self, tell: impl FnOnce(Result<()>) + Send + 'static) {
        if let Err(refused) = self.asked.send(Asked::Durable(Box::new(tell)))
            && let Asked::Durable(tell) = refused.0
        {
            tell(Err(Error::Unavailable("the store is closed".into())));
        }
    }

    /// # Errors
    /// [`Error::Unavailable`] once the disk has failed to keep the log: what of it is there is not known until the file is opened anew.
    pub(crate) fn check(&self) -> Result<()> {
        self.state.check()
    }

    /// Tells those who wait, then ends.
    pub(crate) async fn stop(&self) {
        let _ = self.asked.send(Asked::Stop);
        let thread = self.state.lock().take();
        let _ = tokio::task::spawn_blocking(|| thread.map(JoinHandle::join)).await;
    }
}

impl State {
    fn check(&self) -> Result<()> {
        self.failure.get().map_or(Ok(()), |error| {
            Err(Error::Unavailable(format!(
                "the disk failed to keep the database's log ({error}): the server has to be started anew"
            )))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(
    mut asking: UnboundedReceiver<Asked>,
    mut sync: impl FnMut() -> io::Result<()>,
    state: &Arc<State>,
    runtime: &Handle,
) {
    let mut is_over = false;
    while !is_over && let Some(first) = asking.blocking_recv() {
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(asked) = next {
            match asked {
                Asked::Durable(tell) => waiting.push(tell),
                Asked::Stop => is_over = true,
            }
            next = asking.try_recv().ok();
        }
        // After a failure the system forgets what it could not write, and takes the next attempt for a success.
        if !waiting.is_empty()
            && state.failure.get().is_none()
            && let Err(error) = sync()
        {
            let _ = state.failure.set(error);
        }
        let state = Arc::clone(state);
        // One wake-up from here for all of them.
        runtime.spawn(async move { waiting.into_iter().for_each(|tell| tell(state.check())) });
    }
}

fn away(error: &io::Error) -> Error {
    Error::Unavailable(format!("the database's log is not to be had: {error}"))
}

/// A disk that tests speak for.
#[cfg(test)]
pub(crate) mod pretend {
    use std::{
        sync::mpsc::{Sender, channel},
        time::Duration,
    };

    use tokio::time::timeout;

    use super::*;

    /// How long either waits for the other.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// It keeps nothing before it is told to, unless nobody tells it.
    pub(crate) struct Disk {
        asked: UnboundedReceiver<()>,
        verdicts: Sender<io::Result<()>>,
    }

    impl Disk {
        /// A disk, and the log on it.
        pub(crate) fn new() -> (Self, Log) {
            let (asks, asked) = mpsc::unbounded_channel();
            let (verdicts, verdict) = channel();
            let log = Log::start(move || {
                let _ = asks.send(());
                verdict.recv_timeout(PATIENCE).unwrap_or(Ok(()))
            });
            (Self { asked, verdicts }, log.unwrap())
        }

        /// Waits until it is asked to keep what is there, but not for ever.
        pub(crate) async fn is_asked(&mut self) {
            timeout(PATIENCE, self.asked.recv()).await.unwrap().unwrap();
        }

        /// Whether it is asked by now, without waiting.
        pub(crate) fn was_asked(&mut self) -> bool {
            self.asked.try_recv().is_ok()
        }

        pub(crate) fn keeps(&self) {
            self.verdicts.send(Ok(())).unwrap();
        }

        pub(crate) fn fails(&self) {
            self.verdicts.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::{self, Receiver};

    use super::{pretend::Disk, *};

    fn told(log: &Log) -> Receiver<Result<()>> {
        let (reply, answer) = oneshot::channel();
        log.when_durable(|durable| drop(reply.send(durable)));
        answer
    }

    #[tokio::test]
    async fn who_comes_while_the_disk_is_busy_waits_for_its_next_turn() {
        let (mut disk, log) = Disk::new();
        let first = told(&log);
        disk.is_asked().await;
        let (mut second, mut third) = (told(&log), told(&log));
        disk.keeps();
        first.await.unwrap().unwrap();
        disk.is_asked().await;
        assert!(second.try_recv().is_err() && third.try_recv().is_err());
        disk.keeps();
        second.await.unwrap().unwrap();
        third.await.unwrap().unwrap();
        log.stop().await;
        assert!(!disk.was_asked(), "once was enough for both");
    }

    #[tokio::test]
    async fn what_the_disk_failed_to_keep_is_not_tried_again() {
        let (mut disk, log) = Disk::new();
        log.check().unwrap();
        let first = told(&log);
        disk.is_asked().await;
        disk.fails();
        assert!(matches!(first.await.unwrap(), Err(Error::Unavailable(_))));
        assert!(matches!(told(&log).await.unwrap(), Err(Error::Unavailable(_))));
        assert!(log.check().is_err() && !disk.was_asked());
    }

    #[tokio::test]
    async fn who_waits_at_the_end_is_told_and_who_comes_later_too() {
        let (mut disk, log) = Disk::new();
        let waiting = told(&log);
        disk.is_asked().await;
        disk.keeps();
        log.stop().await;
        waiting.await.unwrap().unwrap();
        assert!(matches!(told(&log).await.unwrap(), Err(Error::Unavailable(_))));
    }

    #[tokio::test]
    async fn the_log_stays_where_it_is_while_others_come_and_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let visit = || {
            let visitor = Connection::open(&path).unwrap();
            visitor.pragma_update(None, "journal_mode", "WAL").unwrap();
            visitor
                .execute_batch("CREATE TABLE IF NOT EXISTS visits (at); INSERT INTO visits VALUES (1)")
                .unwrap();
        };
        let log_file = folder.path().join("test.db-wal");
        visit();
        assert!(!log_file.exists(), "who is the last takes it away");
        let log = Log::open(&path).unwrap();
        visit();
        assert!(log_file.metadata().unwrap().len() > 0);
        told(&log).await.unwrap().unwrap();
        log.stop().await;
        assert!(!log_file.exists());
    }
}
