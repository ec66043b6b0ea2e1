//! SQLite: one file, one writer at a time, nothing to install.

use std::{path::Path, time::Duration};

use domain::{Error, Result};
use sqlx::{
    ConnectOptions, Connection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{error::failed, gate::Gate, log::Log, migrate};

type Db = sqlx::Sqlite;

/// Taking the write lock at once spares a reader-turned-writer from failing.
const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
const BEGIN_READ: &str = "BEGIN DEFERRED";
/// There is one writer at a time.
const OTHERS_WRITE: bool = false;

/// How many transactions read at once.
const READERS: u32 = 4;

/// To what the write-ahead log is cut down once it was long, in bytes.
const LOG: i64 = 64 << 20;

/// How many pages the log has before they are brought into the file: a page that many steps have written is brought once.
const CHECKPOINT: i64 = LOG / 4096;

/// How long a statement waits for another process, such as the command line beside the server.
const BUSY: Duration = Duration::from_secs(10);

/// Rows that a transaction has read are its own: there is no other writer.
macro_rules! locked {
    ($sql:literal) => {
        $sql
    };
}

/// The same for a statement in parts.
macro_rules! for_update {
    () => {
        ""
    };
}

/// That an id, whose column stands before it, is in a list that is bound as `bulk::ids`.
macro_rules! among_ids {
    ($place:literal) => {
        concat!(" IN (SELECT unhex(value) FROM json_each(", $place, "))")
    };
}

/// The same for a list of texts, bound as `bulk::texts`.
macro_rules! among_texts {
    ($place:literal) => {
        concat!(" IN (SELECT value FROM json_each(", $place, "))")
    };
}

/// The same for a list of numbers, bound as `bulk::numbers`.
macro_rules! among_numbers {
    ($place:literal) => {
        concat!(" IN (SELECT value FROM json_each(", $place, "))")
    };
}

/// That a row is of the tenant (or other first part of its key) that another row of the join names.
macro_rules! looked_up {
    ($column:literal, $by:literal) => {
        concat!($column, " = ", $by)
    };
}

/// The device of an open command.
macro_rules! open_device {
    ($of:literal) => {
        concat!($of, "device")
    };
}

/// Nobody else can be claiming.
macro_rules! skip_locked {
    () => {
        ""
    };
}

/// Whether a list of pushes names a device; by chance also one that it does not name.
macro_rules! names_device {
    ($device:literal) => {
        concat!("instr(devices, ", $device, ") > 0")
    };
}

/// Whether another node is connected: never, for a file serves one.
const ANOTHER_NODE: &str = "SELECT 1 WHERE false";

/// What the file's own check finds.
const DAMAGE: &str =
    "SELECT integrity_check AS damage FROM pragma_integrity_check WHERE integrity_check <> 'ok'
     UNION ALL SELECT 'a broken reference in ' || \"table\" FROM pragma_foreign_key_check";

/// The bytes in use.
const SIZE: &str = "SELECT (page_count - freelist_count) * page_size AS size
     FROM pragma_page_count, pragma_freelist_count, pragma_page_size";

mod bulk;
mod device_road;
mod pushes;
#[path = "sql.rs"]
mod sql;

pub(crate) use device_road::DeviceRoad;
pub(crate) use sql::Backend;

/// Opens the file at `path`, making it if need be.
pub(crate) async fn open(path: &Path) -> Result<(Backend, DeviceRoad)> {
    prepare(&options(path)).await?;
    start(path, Log::open(path)?)
}

fn start(path: &Path, log: Log) -> Result<(Backend, DeviceRoad)> {
    // The log sees to it that what is committed is durable.
    let options = options(path).synchronous(SqliteSynchronous::Normal);
    let gate = Gate::one_at_a_time(log);
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(20))
    };
    let readers = pool(READERS).connect_lazy_with(options.clone().pragma("query_only", "ON"));
    let writers = pool(1).connect_lazy_with(options);
    let road = DeviceRoad::start(path, gate.clone())?;
    Ok((Backend { readers, writers, gate }, road))
}

/// Makes the file at `path` and its schema, or brings it up to date.
pub(crate) async fn prepare_file(path: &Path) -> Result<()> {
    prepare(&options(path)).await
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("journal_size_limit", LOG.to_string())
        .pragma("wal_autocheckpoint", CHECKPOINT.to_string())
        .busy_timeout(BUSY)
        .statement_cache_capacity(200)
        .disable_statement_logging()
}

/// Makes the file and its schema. Turning the write-ahead log on does not wait for others as everything else does, so
/// that it is tried again while another process is doing the same.
async fn prepare(options: &SqliteConnectOptions) -> Result<()> {
    let mut tries = 0;
    loop {
        match prepare_once(options).await {
            Err(Error::Unavailable(_)) if tries < 100 => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            done => return done,
        }
    }
}

async fn prepare_once(options: &SqliteConnectOptions) -> Result<()> {
    let mut connection = options.connect().await.map_err(failed)?;
    migrate::sqlite(&mut connection).await?;
    connection.close().await.map_err(failed)
}

/// What `sql/plans.rs` needs of each database.
#[cfg(test)]
mod ground {
    use sqlx::{AssertSqlSafe, Execute, Row, query::Query, query_with, sqlite::SqliteArguments};
    use tempfile::TempDir;

    use super::{Backend, Db};

    /// The index of the devices' ids.
    pub(super) const DEVICES: &str = "sqlite_autoindex_devices_1";
    /// The index of IMEIs.
    pub(super) const IMEIS: &str = "SEARCH device_imeis USING PRIMARY KEY (tenant=? AND imei=?";

    /// A file of a test's own.
    pub(super) struct Ground(#[expect(dead_code, reason = "goes when it is dropped")] TempDir);

    impl Ground {
        pub(super) async fn open() -> (Self, Backend) {
            let folder = tempfile::tempdir().unwrap();
            let (backend, _road) = super::open(&folder.path().join("test.db")).await.unwrap();
            (Self(folder), backend)
        }
    }

    /// Makes sure that something is looked up by a key of three parts.
    #[track_caller]
    pub(super) fn looks_up(steps: &[String], what: &str) {
        let plan = steps.join("\n");
        assert!(plan.contains("(tenant=? AND device=? AND "), "{what} goes by no key:\n{plan}");
    }

    /// The steps of the plan for a statement, in words.
    pub(super) async fn plan(
        backend: &Backend,
        mut statement: Query<'_, Db, SqliteArguments>,
    ) -> Vec<String> {
        let arguments = statement.take_arguments().unwrap().unwrap();
        let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.sql().as_str()));
        let rows = query_with(explained, arguments).fetch_all(&backend.readers).await.unwrap();
        rows.iter().map(|row| row.get("detail")).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use domain::{Tenant, TenantId, Timestamp, ports::Directory};
    use tokio::task::JoinSet;
    use uuid::Uuid;

    use super::*;
    use crate::log::pretend::Disk;

    fn tenant(number: u128) -> Tenant {
        Tenant {
            id: TenantId(Uuid::from_u128(number)),
            name: format!("tenant {number}"),
            created_at: Timestamp(0),
        }
    }

    #[tokio::test]
    async fn nobody_is_told_of_a_commit_before_it_is_durable_and_others_write_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        prepare_file(&path).await.unwrap();
        let (mut disk, log) = Disk::new();
        let (backend, _road) = start(&path, log).unwrap();
        let backend = Arc::new(backend);
        let add = |number| {
            let backend = Arc::clone(&backend);
            tokio::spawn(async move { backend.add_tenant(&tenant(number)).await })
        };
        let first = add(1);
        disk.is_asked().await;
        let second = add(2);
        let both_are_there = async {
            while backend.tenants().await.unwrap().len() < 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), both_are_there).await.unwrap();
        assert!(!first.is_finished() && !second.is_finished());
        disk.keeps();
        first.await.unwrap().unwrap();
        disk.is_asked().await;
        assert!(!second.is_finished());
        backend.ping().await.unwrap();
        disk.fails();
        assert!(matches!(second.await.unwrap(), Err(Error::Unavailable(_))));
        assert!(matches!(backend.ping().await, Err(Error::Unavailable(_))));
        assert!(matches!(add(3).await.unwrap(), Err(Error::Unavailable(_))));
        assert_eq!(backend.tenants().await.unwrap().len(), 2, "the third wrote nothing");
    }

    #[tokio::test]
    async fn what_the_disk_keeps_has_everything_that_was_answered() {
        let folder = tempfile::tempdir().unwrap();
        let [path, kept] = ["test.db", "kept.db"].map(|name| folder.path().join(name));
        prepare_file(&path).await.unwrap();
        let files = ["", "-wal"].map(|end| [&path, &kept].map(|file| format!("{}{end}", file.display())));
        // What was written behind the last time is lost with the power.
        let log = Log::start(move || files.iter().try_for_each(|[from, to]| fs::copy(from, to).map(drop)));
        let (backend, _road) = start(&path, log.unwrap()).unwrap();
        let backend = Arc::new(backend);
        for round in 0..5_u128 {
            let mut adding = JoinSet::new();
            for number in 0..8 {
                let backend = Arc::clone(&backend);
                adding.spawn(async move { backend.add_tenant(&tenant(8 * round + number)).await });
            }
            adding.join_all().await.into_iter().for_each(Result::unwrap);
            let after = rusqlite::Connection::open(&kept).unwrap();
            let count = after.query_row("SELECT count(*) FROM tenants", (), |row| row.get(0));
            assert_eq!(count, Ok(8 * (i64::try_from(round).unwrap() + 1)));
        }
    }
}
