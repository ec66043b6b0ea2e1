//! Keeps what the domain knows, in SQLite or in PostgreSQL.
//!
//! Start with [`open`]. The ordinary queries stand once, in `sql/`, and are compiled for both databases; the few words in
//! which they differ are the macros and constants at the top of `sqlite.rs` and `postgres.rs`. The hot road, for which
//! each database has its own way to be quick, is `sqlite/device_road.rs` and `postgres/device_road.rs`. The schema is
//! `migrations/`. [`transfer()`] moves an installation from the one database to the other.

mod error;
mod gate;
mod log;
mod migrate;
mod postgres;
mod road;
mod sqlite;
mod transfer;

use std::{path::PathBuf, sync::Arc};

use domain::{
    Error, Result,
    ports::{DeviceRoad, Directory, Outbox, Store},
};

pub use transfer::{Moved, MovedTable, Phase, Progress, transfer};

/// Which database to open, and how.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// `sqlite:PATH` (the file is made where it is missing, its folder is not), or `postgres://…`.
    pub url: String,
    /// How many PostgreSQL connections ordinary operations share, beside the device road's four.
    pub connections: u32,
}

impl StoreSettings {
    /// The usual settings for the database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 16 }
    }
}

/// An open database, behind each of the domain's ports.
pub struct Opened {
    /// Transactions of one tenant.
    pub store: Arc<dyn Store>,
    /// What no tenant owns.
    pub directory: Arc<dyn Directory>,
    /// The hot road.
    pub road: Arc<dyn DeviceRoad>,
    /// The workers' claims.
    pub outbox: Arc<dyn Outbox>,
    closing: Closing,
}

enum Closing {
    Sqlite(Arc<sqlite::Backend>, Arc<sqlite::DeviceRoad>),
    Postgres(Arc<postgres::Backend>, Arc<postgres::DeviceRoad>),
}

impl Opened {
    /// Everything in the database that cannot be, a line for each kind: damage, rows that belong to nothing, rows that
    /// contradict each other. Only reads, but all of it: for a server that is at rest.
    pub async fn faults(&self) -> Result<Vec<String>> {
        match &self.closing {
            Closing::Sqlite(backend, _) => backend.faults().await,
            Closing::Postgres(backend, _) => backend.faults().await,
        }
    }

    /// How many rows each table has. Reads all of them.
    pub async fn rows(&self) -> Result<Vec<(&'static str, u64)>> {
        match &self.closing {
            Closing::Sqlite(backend, _) => backend.rows().await,
            Closing::Postgres(backend, _) => backend.rows().await,
        }
    }

    /// How many bytes the database uses: on SQLite without free pages and the log, on PostgreSQL with what vacuuming would
    /// free.
    pub async fn size(&self) -> Result<u64> {
        match &self.closing {
            Closing::Sqlite(backend, _) => backend.size().await,
            Closing::Postgres(backend, _) => backend.size().await,
        }
    }

    /// Stops: steps that wait are still taken and answered, last contacts are written down, and connections close.
    ///
    /// Whatever still holds a port afterwards gets [`Error::Unavailable`].
    pub async fn close(self) -> Result<()> {
        match self.closing {
            Closing::Sqlite(backend, road) => {
                let stopped = road.stop().await;
                backend.close().await;
                stopped
            }
            Closing::Postgres(backend, road) => {
                let stopped = road.stop().await;
                backend.close().await;
                stopped
            }
        }
    }
}

/// Opens the database and brings its schema up to date; several processes may do so at once.
///
/// # Errors
/// [`Error::Invalid`] for a URL of neither kind, [`Error::Unavailable`] if the database does not answer, and
/// [`Error::Conflict`] for one that a newer version of this program has migrated.
pub async fn open(settings: &StoreSettings) -> Result<Opened> {
    match Location::of(&settings.url)? {
        Location::File(path) => {
            let (backend, road) = sqlite::open(&path).await?;
            let (backend, road) = (Arc::new(backend), Arc::new(road));
            Ok(Opened {
                store: backend.clone(),
                directory: backend.clone(),
                road: road.clone(),
                outbox: backend.clone(),
                closing: Closing::Sqlite(backend, road),
            })
        }
        Location::Server(url) => {
            let (backend, road) = postgres::open(url, settings.connections).await?;
            let (backend, road) = (Arc::new(backend), Arc::new(road));
            Ok(Opened {
                store: backend.clone(),
                directory: backend.clone(),
                road: road.clone(),
                outbox: backend.clone(),
                closing: Closing::Postgres(backend, road),
            })
        }
    }
}

#[derive(Debug, PartialEq)]
enum Location<'a> {
    File(PathBuf),
    Server(&'a str),
}

impl<'a> Location<'a> {
    fn of(url: &'a str) -> Result<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Server(url));
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        match path {
            // Several connections share the file, so that a database in memory, which is each one's own, will not do.
            Some(path) if !path.is_empty() && !path.starts_with(":memory:") => {
                Ok(Self::File(PathBuf::from(path)))
            }
            _ => {
                Err(Error::invalid("database", "a URL such as sqlite:PATH or postgres://HOST/NAME is needed"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_or_a_server() {
        assert_eq!(Location::of("sqlite:/a/b.db").unwrap(), Location::File("/a/b.db".into()));
        assert_eq!(Location::of("sqlite:///a/b.db").unwrap(), Location::File("/a/b.db".into()));
        assert_eq!(Location::of("sqlite:b.db").unwrap(), Location::File("b.db".into()));
        assert_eq!(Location::of("postgres://h/d").unwrap(), Location::Server("postgres://h/d"));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["", "sqlite:", "sqlite::memory:", "mysql://h/d", "/a/b.db"] {
            assert!(matches!(Location::of(url), Err(Error::Invalid { .. })), "{url}");
        }
    }
}
