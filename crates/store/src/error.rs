//! What the databases' failures mean to the domain.

use std::borrow::Cow;

use domain::Error;
use sqlx::error::{DatabaseError, ErrorKind};

/// A failure for which the query has no better word.
pub(crate) fn failed(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(cause) => of_database(&**cause).unwrap_or_else(|| Error::internal(error)),
        sqlx::Error::PoolTimedOut => Error::Unavailable("the database is not keeping up".into()),
        sqlx::Error::PoolClosed => Error::Unavailable("the store is closed".into()),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
            Error::Unavailable(format!("the database is away: {error}"))
        }
        _ => Error::internal(error),
    }
}

/// What to say when a row clashes with another: `taken`.
pub(crate) fn taken(taken: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| match &error {
        sqlx::Error::Database(cause) if cause.is_unique_violation() => Error::Conflict(taken.into()),
        _ => failed(error),
    }
}

/// Whether the connection may be broken: then nothing is known of what became of the statement.
pub(crate) fn lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(cause) => {
            cause.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        _ => false,
    }
}

/// The same for the connections that the SQLite road owns.
pub(crate) fn failed_on_road(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(
            rusqlite::ErrorCode::DatabaseBusy
            | rusqlite::ErrorCode::DatabaseLocked
            | rusqlite::ErrorCode::DiskFull
            | rusqlite::ErrorCode::SystemIoFailure
            | rusqlite::ErrorCode::CannotOpen,
        ) => Error::Unavailable(format!("the database is not keeping up: {error}")),
        _ => Error::internal(error),
    }
}

fn of_database(cause: &dyn DatabaseError) -> Option<Error> {
    match cause.kind() {
        ErrorKind::UniqueViolation => {
            return Some(Error::Conflict("something with these names is there already".into()));
        }
        ErrorKind::ForeignKeyViolation => {
            return Some(Error::Conflict("it names something that is not there".into()));
        }
        _ => {}
    }
    let code = cause.code().unwrap_or(Cow::Borrowed(""));
    let is_sqlite = cause.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
    let away = if is_sqlite { sqlite_may_recover(&code) } else { postgres_may_recover(&code) };
    if away {
        return Some(Error::Unavailable(format!("the database is not keeping up: {}", cause.message())));
    }
    // PostgreSQL's text holds everything but U+0000.
    (code == "22021").then(|| Error::invalid("text", "the character U+0000 is not allowed"))
}

/// Result codes of SQLite that a second try may not meet: busy, locked, I/O error, full, cannot open; extended codes
/// carry them in their lowest byte.
fn sqlite_may_recover(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 14))
}

/// SQLSTATE classes that a second try may not meet: connection, resources, operator intervention, serialization,
/// lock not available, and a server that became read-only.
fn postgres_may_recover(code: &str) -> bool {
    ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class))
        || matches!(code, "55P03" | "25006" | "25P03")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_unavailable() {
        for code in ["5", "517", "13", "778"] {
            assert!(sqlite_may_recover(code), "{code}");
        }
        for code in ["40P01", "40001", "55P03", "57P01", "53300", "08006"] {
            assert!(postgres_may_recover(code), "{code}");
        }
    }

    #[test]
    fn our_own_mistakes_are_not() {
        assert!(!sqlite_may_recover("1"));
        assert!(!sqlite_may_recover("275"));
        assert!(!postgres_may_recover("42601"));
        assert!(!postgres_may_recover("23505"));
        assert!(matches!(failed(sqlx::Error::RowNotFound), Error::Internal(_)));
    }
}
