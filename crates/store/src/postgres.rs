//! PostgreSQL: for several servers side by side.

use std::{str::FromStr, time::Duration};

use domain::{Error, Result};
use sqlx::{
    ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{error::failed, gate::Gate, migrate, transfer};

type Db = sqlx::Postgres;

const BEGIN_WRITE: &str = "BEGIN";
/// All of what a transaction reads is of one moment, as on SQLite.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Other connections, and other servers, write at the same time.
const OTHERS_WRITE: bool = true;

/// Rows that others may write, too, are held until the transaction ends.
macro_rules! locked {
    ($sql:literal) => {
        concat!($sql, " FOR UPDATE")
    };
}

/// The same for a statement in parts.
macro_rules! for_update {
    () => {
        " FOR UPDATE"
    };
}

/// That an id, whose column stands before it, is in a list that is bound as `bulk::ids`. An index is asked for all of them at once.
macro_rules! among_ids {
    ($place:literal) => {
        concat!(" = ANY(", $place, "::uuid[])")
    };
}

/// The same for a list of texts, bound as `bulk::texts`.
macro_rules! among_texts {
    ($place:literal) => {
        concat!(" = ANY(", $place, "::text[])")
    };
}

/// The same for a list of numbers, bound as `bulk::numbers`.
macro_rules! among_numbers {
    ($place:literal) => {
        concat!(" = ANY(", $place, "::bigint[])")
    };
}

/// That a row is of the tenant (or other first part of its key) that another row of the join names. Said as `=`, the two could
/// also be merged, for which PostgreSQL would go along a whole index: it prefers to where it believes the table empty, keeps that
/// plan, and reads all of the table for each of the other rows once it is full.
macro_rules! looked_up {
    ($column:literal, $by:literal) => {
        concat!($column, " = ANY(ARRAY[", $by, "])")
    };
}

/// The device of an open command, as the index of the queues has it, and no other: by its own column a device's whole history could
/// seem cheaper to read.
macro_rules! open_device {
    ($of:literal) => {
        concat!("(CASE WHEN ", $of, "finished_at IS NULL THEN ", $of, "device END)")
    };
}

/// Rows that another worker is claiming are passed over, not waited for.
macro_rules! skip_locked {
    () => {
        " FOR UPDATE SKIP LOCKED"
    };
}

/// Whether a list of pushes names a device; by chance also one that it does not name.
macro_rules! names_device {
    ($device:literal) => {
        concat!("position(uuid_send(", $device, ") IN devices) > 0")
    };
}

/// Whether another node is connected: what it has claimed is its own.
const ANOTHER_NODE: &str = "
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
        AND application_name LIKE 'remuda %' AND application_name <> current_setting('application_name') LIMIT 1";

/// The server looks after its files itself.
const DAMAGE: &str = "SELECT '' AS damage WHERE false";

/// The bytes in use.
const SIZE: &str = "SELECT pg_database_size(current_database()) AS size";

/// Every statement here is written for an index, and its joins in the order in which they are best done. What the server believes of
/// its tables is wrong while a fleet enrolls or a command goes to all of it: they grow faster than it looks at them, and a
/// plan that was good for an empty table is kept. Compiling a plan costs more than any of them takes, and so does planning for the
/// values of each call: `LIMIT` stands for a few, whose order an index has, and not for a tenth of what would first be gathered.
const PLANNER: [(&str, &str); 5] = [
    ("join_collapse_limit", "1"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("jit", "off"),
];

mod bulk;
mod changes;
mod device_road;
mod pushes;
#[path = "sql.rs"]
mod sql;
mod statistics;

pub(crate) use device_road::DeviceRoad;
pub(crate) use sql::Backend;

/// Connects to the server at `url`.
pub(crate) async fn open(url: &str, connections: u32) -> Result<(Backend, DeviceRoad)> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| Error::invalid("database", format!("not a PostgreSQL URL: {error}")))?
        .application_name("remuda")
        // A 200 to a device is durable, whatever the server's default.
        .options([("synchronous_commit", "on")])
        .options(PLANNER)
        // That a table is there already is no news.
        .options([("client_min_messages", "warning")])
        .disable_statement_logging();
    let node = prepare(&options).await?;
    let options = options.application_name(&format!("remuda {node}"));
    // A node that hangs must not hold its locks for ever, nor wait for another's.
    let ordinary =
        options.clone().options([("idle_in_transaction_session_timeout", "60s"), ("lock_timeout", "10s")]);
    let pool = PgPoolOptions::new()
        .max_connections(connections.max(2))
        .acquire_timeout(Duration::from_secs(20))
        .connect_lazy_with(ordinary);
    tokio::spawn(statistics::keep(pool.clone()));
    tokio::spawn(changes::keep(pool.clone()));
    let road = DeviceRoad::start(&options, pool.clone());
    Ok((Backend { readers: pool.clone(), writers: pool, gate: Gate::open() }, road))
}

/// Brings the schema up to date; a name for this node, by which the others know that it is there.
async fn prepare(options: &PgConnectOptions) -> Result<String> {
    let mut connection = options.connect().await.map_err(failed)?;
    migrate::postgres(&mut connection).await?;
    if transfer::is_unfinished(&mut connection).await? {
        return Err(Error::Conflict(
            "an installation is being moved into this database: let `remuda migrate-database` finish first"
                .into(),
        ));
    }
    let node = sqlx::query_scalar("SELECT gen_random_uuid()::text");
    let node = node.fetch_one(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(node)
}

/// What `sql/plans.rs` needs of each database.
#[cfg(test)]
mod ground {
    use sqlx::{
        AssertSqlSafe, Execute, PgConnection, postgres::PgArguments, query::Query, query_as, query_scalar,
        query_with, raw_sql,
    };
    use testkit::postgres::TestDatabase;

    use super::{Backend, Db};

    /// The index of the devices' ids.
    pub(super) const DEVICES: &str = "devices_pkey";
    /// The index of IMEIs.
    pub(super) const IMEIS: &str = "device_imeis_pkey";

    /// A database of a test's own.
    pub(super) struct Ground(#[expect(dead_code, reason = "goes when it is dropped")] TestDatabase);

    impl Ground {
        pub(super) async fn open() -> (Self, Backend) {
            let database = TestDatabase::new().await;
            let (backend, _road) = super::open(database.url(), 4).await.unwrap();
            (Self(database), backend)
        }
    }

    /// Makes sure that rows are looked up, and no index gone along for each row of another table. (What is due is the first so
    /// many rows of an index: there is a limit.)
    #[track_caller]
    pub(super) fn looks_up(steps: &[String], what: &str) {
        let plan = steps.join("\n");
        let mut lookups = 0;
        for (at, step) in steps.iter().enumerate().filter(|(_, step)| step.contains("Scan using")) {
            let is_limited = matches!(&steps[..at], [.., limit, lock] if limit.contains("Limit") && lock.contains("LockRows"));
            let by = steps.get(at + 1).is_some_and(|step| step.contains("Index Cond"));
            assert!(by || is_limited, "{what} goes along an index:\n{step}\nin\n{plan}");
            lookups += usize::from(by);
        }
        assert!(lookups > 0, "{what} looks nothing up:\n{plan}");
    }

    /// The steps of the plan for a statement, in words: that which is kept for all values, as the server says it of one that is
    /// prepared. To prepare it, it is carried out, and taken back.
    pub(super) async fn plan(backend: &Backend, mut statement: Query<'_, Db, PgArguments>) -> Vec<String> {
        let arguments = statement.take_arguments().unwrap().unwrap();
        let sql = statement.sql();
        let mut tx = backend.writers.begin().await.unwrap();
        query_with(sql.clone(), arguments).execute(&mut *tx).await.unwrap();
        kept(&mut tx, sql.as_str()).await
    }

    /// The same of a statement's text, for a server that knows these rows of its tables and no others. It is prepared and not carried
    /// out.
    pub(super) async fn plan_among(rows: &'static str, statement: &'static str) -> Vec<String> {
        let (_ground, backend) = Ground::open().await;
        let mut tx = backend.writers.begin().await.unwrap();
        for first in [rows, "ANALYZE"] {
            raw_sql(first).execute(&mut *tx).await.unwrap();
        }
        let prepare = format!("PREPARE looked_at AS {statement}");
        raw_sql(AssertSqlSafe(prepare.as_str())).execute(&mut *tx).await.unwrap();
        kept(&mut tx, &prepare).await
    }

    /// The plan that is kept for what was prepared with these words.
    async fn kept(connection: &mut PgConnection, words: &str) -> Vec<String> {
        let prepared: (String, i32) = query_as(
            "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements WHERE statement = $1",
        )
        .bind(words)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        let (name, parameters) = prepared;
        let values = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
        let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE {name} ({values})"));
        query_scalar(explain).persistent(false).fetch_all(connection).await.unwrap()
    }
}
