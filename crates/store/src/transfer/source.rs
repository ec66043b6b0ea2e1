//! The file that is read, and that nobody else has open meanwhile.

use std::{cell::Cell, path::Path, time::Duration};

use domain::{Error, Result};
use pki::sha256;
use rusqlite::{Connection, OpenFlags, params_from_iter, types};

use super::{
    tables::{Layout, TABLES},
    value::{Row, Value},
};
use crate::{error::failed_on_road, sqlite};

/// PostgreSQL's texts hold no U+0000.
const REPLACEMENT: &str = "\u{FFFD}";

/// How long whoever has the file open may take to close it.
const BRIEFLY: Duration = Duration::from_secs(2);

/// The file, locked until it is dropped.
pub(super) struct Source {
    connection: Connection,
    replaced: Cell<u64>,
}

impl Source {
    /// Opens the file and brings its schema up to date.
    pub(super) async fn open(path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Err(Error::Conflict(format!("there is no database at {}", path.display())));
        }
        // A server that uses it must not be met by a new schema.
        drop(alone(path)?);
        sqlite::prepare_file(path).await?;
        Ok(Self { connection: alone(path)?, replaced: Cell::new(0) })
    }

    /// Tells this installation from every other: a digest of its sealed CA.
    pub(super) fn identity(&self) -> Result<[u8; 32]> {
        let select = "SELECT value FROM installation WHERE name = 'device-ca'";
        match self.connection.query_row(select, [], |row| row.get::<_, Vec<u8>>(0)) {
            Ok(sealed) => Ok(sha256(&sealed)),
            Err(rusqlite::Error::QueryReturnedNoRows) => {
                Err(Error::Conflict("nothing was ever set up in this database".into()))
            }
            Err(error) => Err(failed_on_road(error)),
        }
    }

    /// How many rows a table has.
    pub(super) fn count(&self, table: &str) -> Result<u64> {
        let select = format!("SELECT count(*) FROM {table}");
        let count: i64 = self.connection.query_row(&select, [], |row| row.get(0)).map_err(failed_on_road)?;
        u64::try_from(count).map_err(Error::internal)
    }

    /// Refuses to leave anything behind: a table that nobody listed, or a column that the target does not have.
    pub(super) fn has_the_columns_of(&self, layouts: &[Layout]) -> Result<()> {
        for table in
            self.names("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?
        {
            if table != "_sqlx_migrations" && !TABLES.contains(&table.as_str()) {
                return Err(Error::internal(format!("nobody said how to move the table {table}")));
            }
        }
        for layout in layouts {
            let mut ours = self.names(&format!("SELECT name FROM pragma_table_info('{}')", layout.table))?;
            let mut theirs: Vec<_> = layout.columns.iter().map(|column| column.name.clone()).collect();
            ours.sort();
            theirs.sort();
            if ours != theirs {
                return Err(Error::internal(format!("{}: {ours:?} here, {theirs:?} there", layout.table)));
            }
        }
        Ok(())
    }

    /// The rows behind `after`, in the order of the key: up to so many, or until they have so many bytes.
    pub(super) fn page(
        &self,
        layout: &Layout,
        after: Option<&[Value]>,
        most: usize,
        bytes: usize,
    ) -> Result<Vec<Row>> {
        let mut select = self.connection.prepare_cached(&select(layout, after)).map_err(failed_on_road)?;
        let key = after.unwrap_or_default().iter().map(bound);
        let mut found = select.query(params_from_iter(key)).map_err(failed_on_road)?;
        let (mut rows, mut length) = (Vec::new(), 0);
        while rows.len() < most && length < bytes {
            let Some(row) = found.next().map_err(failed_on_road)? else { break };
            let row: Row =
                (0..layout.columns.len()).map(|place| self.value(row, place)).collect::<Result<_>>()?;
            length += row.iter().map(Value::length).sum::<usize>();
            rows.push(row);
        }
        Ok(rows)
    }

    /// In how many texts a character was replaced, counted at each reading.
    pub(super) fn replaced(&self) -> u64 {
        self.replaced.get()
    }

    fn value(&self, row: &rusqlite::Row<'_>, place: usize) -> Result<Value> {
        Ok(match row.get_ref(place).map_err(failed_on_road)? {
            types::ValueRef::Null => Value::Null,
            types::ValueRef::Integer(number) => Value::Number(number),
            types::ValueRef::Text(text) => {
                let text = std::str::from_utf8(text).map_err(Error::internal)?;
                self.replaced.set(self.replaced.get() + u64::from(text.contains('\0')));
                Value::Text(text.replace('\0', REPLACEMENT))
            }
            types::ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
            types::ValueRef::Real(_) => return Err(Error::internal("a column holds a fraction")),
        })
    }

    fn names(&self, sql: &str) -> Result<Vec<String>> {
        let mut select = self.connection.prepare(sql).map_err(failed_on_road)?;
        let names = select.query_map([], |row| row.get(0)).map_err(failed_on_road)?;
        names.collect::<rusqlite::Result<_>>().map_err(failed_on_road)
    }
}

/// A connection beside which there is no other, in this process or another. Whoever uses a file with a write-ahead log
/// holds a lock on it as long as it has it open, so that the exclusive one is not to be had.
fn alone(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed_on_road)?;
    connection.busy_timeout(BRIEFLY).map_err(failed_on_road)?;
    let locked = connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .and_then(|()| connection.execute_batch("BEGIN EXCLUSIVE; ROLLBACK"));
    match locked {
        Ok(()) => Ok(connection),
        Err(error) => match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                let path = path.display();
                Err(Error::Conflict(format!("a server, or another program, has {path} open: stop it first")))
            }
            _ => Err(failed_on_road(error)),
        },
    }
}

fn select(layout: &Layout, after: Option<&[Value]>) -> String {
    let key: Vec<_> = layout.key_columns().map(|column| column.name.as_str()).collect();
    let key = key.join(", ");
    let places: Vec<_> = (1..=layout.key.len()).map(|place| format!("?{place}")).collect();
    let behind = after.map(|_| format!("WHERE ({key}) > ({})", places.join(", "))).unwrap_or_default();
    format!("SELECT {} FROM {} {behind} ORDER BY {key}", layout.names(), layout.table)
}

fn bound(value: &Value) -> types::Value {
    match value {
        Value::Null => types::Value::Null,
        Value::Number(number) => types::Value::Integer(*number),
        Value::Text(text) => types::Value::Text(text.clone()),
        Value::Bytes(bytes) => types::Value::Blob(bytes.clone()),
    }
}
