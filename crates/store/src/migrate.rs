//! The schema, step by step; several processes may open a database at once.

use domain::{Error, Result};
use sqlx::{
    Connection, PgConnection, SqlSafeStr, SqliteConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use crate::error::failed;

pub(crate) const SQLITE: &[(i64, &str, &str)] = &[
    (1, "init", include_str!("../migrations/sqlite/0001_init.sql")),
    (2, "verdicts", include_str!("../migrations/sqlite/0002_verdicts.sql")),
    (3, "accounts", include_str!("../migrations/sqlite/0003_accounts.sql")),
    (4, "apps", include_str!("../migrations/sqlite/0004_apps.sql")),
    (5, "queue", include_str!("../migrations/sqlite/0005_queue.sql")),
    (6, "channels", include_str!("../migrations/sqlite/0006_channels.sql")),
    (7, "android", include_str!("../migrations/sqlite/0007_android.sql")),
    (8, "escrow", include_str!("../migrations/sqlite/0008_escrow.sql")),
    (9, "retention", include_str!("../migrations/sqlite/0009_retention.sql")),
    (10, "users", include_str!("../migrations/sqlite/0010_users.sql")),
    (11, "android", include_str!("../migrations/sqlite/0011_android.sql")),
    (12, "open commands", include_str!("../migrations/sqlite/0012_open_commands.sql")),
    (13, "google trouble", include_str!("../migrations/sqlite/0013_google_trouble.sql")),
    (14, "statistics", include_str!("../migrations/sqlite/0014_statistics.sql")),
    (15, "push lists", include_str!("../migrations/sqlite/0015_push_lists.sql")),
    (16, "channels as rows", include_str!("../migrations/sqlite/0016_channels.sql")),
    (17, "open device", include_str!("../migrations/sqlite/0017_open_device.sql")),
    (18, "changes", include_str!("../migrations/sqlite/0018_changes.sql")),
];
const POSTGRES: &[(i64, &str, &str)] = &[
    (1, "init", include_str!("../migrations/postgres/0001_init.sql")),
    (2, "verdicts", include_str!("../migrations/postgres/0002_verdicts.sql")),
    (3, "accounts", include_str!("../migrations/postgres/0003_accounts.sql")),
    (4, "apps", include_str!("../migrations/postgres/0004_apps.sql")),
    (5, "queue", include_str!("../migrations/postgres/0005_queue.sql")),
    (6, "channels", include_str!("../migrations/postgres/0006_channels.sql")),
    (7, "android", include_str!("../migrations/postgres/0007_android.sql")),
    (8, "escrow", include_str!("../migrations/postgres/0008_escrow.sql")),
    (9, "retention", include_str!("../migrations/postgres/0009_retention.sql")),
    (10, "users", include_str!("../migrations/postgres/0010_users.sql")),
    (11, "android", include_str!("../migrations/postgres/0011_android.sql")),
    (12, "open commands", include_str!("../migrations/postgres/0012_open_commands.sql")),
    (13, "google trouble", include_str!("../migrations/postgres/0013_google_trouble.sql")),
    (14, "statistics", include_str!("../migrations/postgres/0014_statistics.sql")),
    (15, "push lists", include_str!("../migrations/postgres/0015_push_lists.sql")),
    (16, "channels as rows", include_str!("../migrations/postgres/0016_channels.sql")),
    (17, "open device", include_str!("../migrations/postgres/0017_open_device.sql")),
    (18, "changes", include_str!("../migrations/postgres/0018_changes.sql")),
];

/// Brings a SQLite file up to date, all in one transaction that holds the write lock from its beginning.
pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<()> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    migrator(SQLITE).run_direct(None, &mut *tx, false).await.map_err(refused)?;
    tx.commit().await.map_err(failed)
}

/// Brings a PostgreSQL database up to date; one process at a time, by an advisory lock that ends
/// with the connection at the latest.
pub(crate) async fn postgres(connection: &mut PgConnection) -> Result<()> {
    migrator(POSTGRES).run_direct(None, connection, false).await.map_err(refused)
}

fn migrator(steps: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migrations = steps.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

fn refused(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => Error::Conflict(format!(
            "the database has schema version {version}, which a newer version of this program made: start that one"
        )),
        MigrateError::VersionMismatch(version) => Error::Conflict(format!(
            "step {version} of the database's schema was made by a program other than this one"
        )),
        MigrateError::Execute(error) => failed(error),
        other => Error::internal(other),
    }
}

#[cfg(test)]
mod tests;
