//! The server that is written to, and that no server of ours uses until all is there.

use std::str::FromStr;

use domain::{Error, Result};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, Postgres, Row as _,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query,
    query::Query,
    query_scalar,
};
use uuid::Uuid;

use super::{
    tables::{Column, Layout, TABLES},
    value::{Kind, Row, Value},
};
use crate::{error::failed, migrate};

/// There while a move is not finished; names the installation that is moved here.
const MARK: &str = "remuda_transfer";

/// Held by whoever moves something here: an advisory lock, which ends with the connection.
const LOCK: i64 = 0x7265_6d75_6461_6d76;

/// What of the schema is read for one table.
const COLUMNS: &str = "
    SELECT column_name::text AS name, udt_name::text AS kind, is_identity = 'YES' AS is_identity
    FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER'
    ORDER BY ordinal_position";

const KEY: &str = "
    SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (attnum, place), pg_attribute a
    WHERE i.indrelid = $1::regclass AND i.indisprimary AND a.attrelid = i.indrelid AND a.attnum = k.attnum
    ORDER BY k.place";

/// The database, and the only move into it.
pub(super) struct Target {
    connection: PgConnection,
}

/// Whether something is being moved into the database behind `connection`.
pub(crate) async fn is_unfinished(connection: &mut PgConnection) -> Result<bool> {
    let there = query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(MARK).fetch_one(connection).await;
    there.map_err(failed)
}

impl Target {
    /// Connects, keeps other moves away, and brings the schema up to date.
    pub(super) async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| Error::invalid("to", format!("not a PostgreSQL URL: {error}")))?
            .application_name("remuda migrate-database")
            .options([("client_min_messages", "warning")])
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(failed)?;
        lock(&mut connection).await?;
        migrate::postgres(&mut connection).await?;
        Ok(Self { connection })
    }

    /// Takes the database for an installation: an empty one, or one into which the same installation was being moved. How
    /// many rows are there already.
    pub(super) async fn claim(&mut self, identity: [u8; 32]) -> Result<u64> {
        let mut rows = 0;
        for table in TABLES {
            rows += self.count(table).await?;
        }
        if is_unfinished(&mut self.connection).await? {
            let select = query_scalar(AssertSqlSafe(format!("SELECT installation FROM {MARK}")));
            let claimed: Option<Vec<u8>> =
                select.fetch_optional(&mut self.connection).await.map_err(failed)?;
            let is_ours = claimed.is_some_and(|claimed| claimed == identity);
            return if is_ours {
                Ok(rows)
            } else {
                Err(occupied("another installation was being moved here"))
            };
        }
        if rows > 0 {
            return Err(occupied("it is in use already"));
        }
        self.mark(identity).await?;
        Ok(0)
    }

    async fn mark(&mut self, identity: [u8; 32]) -> Result<()> {
        let mut tx = self.connection.begin().await.map_err(failed)?;
        for (statement, value) in [
            (format!("CREATE TABLE {MARK} (installation BYTEA PRIMARY KEY)"), None),
            (format!("INSERT INTO {MARK} VALUES ($1)"), Some(identity.to_vec())),
        ] {
            let statement = query(AssertSqlSafe(statement));
            let statement = match value {
                Some(value) => statement.bind(value),
                None => statement,
            };
            statement.execute(&mut *tx).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }

    /// A table's columns and key.
    pub(super) async fn layout(&mut self, table: &'static str) -> Result<Layout> {
        let rows = query(COLUMNS).bind(table).fetch_all(&mut self.connection).await.map_err(failed)?;
        let columns = rows.iter().map(column).collect::<Result<Vec<_>>>()?;
        let key = query_scalar(KEY).bind(table).fetch_all(&mut self.connection).await.map_err(failed)?;
        let place = |name: &String| columns.iter().position(|column| column.name == *name);
        let key: Vec<_> = key.iter().filter_map(place).collect();
        if columns.is_empty() || key.is_empty() {
            return Err(Error::internal(format!("the table {table} is missing, or has no key")));
        }
        Ok(Layout { table, columns, key, rows: 0 })
    }

    /// How many rows a table has.
    pub(super) async fn count(&mut self, table: &str) -> Result<u64> {
        let select = query_scalar::<_, i64>(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
        let count = select.fetch_one(&mut self.connection).await.map_err(failed)?;
        u64::try_from(count).map_err(Error::internal)
    }

    /// The greatest key of a table.
    pub(super) async fn last_key(&mut self, layout: &Layout) -> Result<Option<Vec<Value>>> {
        let descending: Vec<_> =
            layout.key_columns().map(|column| format!("{} DESC", ordered(column))).collect();
        let select = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            layout.names(),
            layout.table,
            descending.join(", ")
        );
        let row = query(AssertSqlSafe(select)).fetch_optional(&mut self.connection).await.map_err(failed)?;
        row.map(|row| Ok(layout.key_of(&values(layout, &row)?))).transpose()
    }

    /// Adds rows, all or none.
    pub(super) async fn add(&mut self, layout: &Layout, rows: &[Row]) -> Result<()> {
        let lists: Vec<_> = layout
            .columns
            .iter()
            .zip(1..)
            .map(|(column, n)| format!("${n}::{}[]", column.kind.name()))
            .collect();
        let insert = format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT * FROM UNNEST({})",
            layout.table,
            layout.names(),
            lists.join(", ")
        );
        let mut insert = query(AssertSqlSafe(insert));
        for (place, column) in layout.columns.iter().enumerate() {
            insert = bind_list(insert, column.kind, place, rows)?;
        }
        insert.execute(&mut self.connection).await.map_err(failed)?;
        Ok(())
    }

    /// The rows behind one key and up to another, at most so many.
    pub(super) async fn stretch(
        &mut self,
        layout: &Layout,
        after: Option<&[Value]>,
        upto: &[Value],
        most: usize,
    ) -> Result<Vec<Row>> {
        let key: Vec<_> = layout.key_columns().map(ordered).collect();
        let key = key.join(", ");
        let places = |first: usize| {
            let places: Vec<_> = (first..first + upto.len()).map(|place| format!("${place}")).collect();
            places.join(", ")
        };
        let behind = after.map(|_| format!("AND ({key}) > ({})", places(upto.len() + 1))).unwrap_or_default();
        let select = format!(
            "SELECT {} FROM {} WHERE ({key}) <= ({}) {behind} ORDER BY {key} LIMIT {most}",
            layout.names(),
            layout.table,
            places(1)
        );
        let mut select = query(AssertSqlSafe(select));
        for bounds in [Some(upto), after].into_iter().flatten() {
            for (column, value) in layout.key_columns().zip(bounds) {
                select = bind(select, column.kind, value)?;
            }
        }
        let rows = select.fetch_all(&mut self.connection).await.map_err(failed)?;
        rows.iter().map(|row| values(layout, row)).collect()
    }

    /// Lets the database number rows on from where they are, and hands it over to its servers.
    pub(super) async fn finish(&mut self, layouts: &[Layout]) -> Result<()> {
        let mut tx = self.connection.begin().await.map_err(failed)?;
        for layout in layouts {
            for Column { name, .. } in layout.columns.iter().filter(|column| column.is_identity) {
                let table = layout.table;
                let set = format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', '{name}'), (SELECT max({name}) FROM {table}))"
                );
                query(AssertSqlSafe(set)).execute(&mut *tx).await.map_err(failed)?;
            }
        }
        query(AssertSqlSafe(format!("DROP TABLE {MARK}"))).execute(&mut *tx).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }
}

/// Keeps other moves away. One that was killed may hold the lock for a moment more.
async fn lock(connection: &mut PgConnection) -> Result<()> {
    query("SET lock_timeout = '10s'").execute(&mut *connection).await.map_err(failed)?;
    let lock = query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut *connection).await;
    match lock.map_err(failed) {
        Ok(_) => query("RESET lock_timeout").execute(connection).await.map(drop).map_err(failed),
        Err(Error::Unavailable(_)) => {
            Err(Error::Conflict("another move into this database is under way".into()))
        }
        Err(error) => Err(error),
    }
}

fn occupied(why: &str) -> Error {
    Error::Conflict(format!("{why}: an installation is moved into an empty PostgreSQL database"))
}

fn column(row: &PgRow) -> Result<Column> {
    let (name, kind): (String, String) =
        (row.try_get("name").map_err(failed)?, row.try_get("kind").map_err(failed)?);
    let is_identity = row.try_get("is_identity").map_err(failed)?;
    match Kind::named(&kind) {
        Some(kind) => Ok(Column { name, kind, is_identity }),
        None => Err(Error::internal(format!("the column {name} is of type {kind}, which nobody expected"))),
    }
}

/// A column of a key, ordered as SQLite orders it.
fn ordered(column: &Column) -> String {
    let collation = if column.kind == Kind::Text { " COLLATE \"C\"" } else { "" };
    format!("{}{collation}", column.name)
}

type Statement<'q> = Query<'q, Postgres, PgArguments>;

fn bind<'q>(statement: Statement<'q>, kind: Kind, value: &'q Value) -> Result<Statement<'q>> {
    Ok(match kind {
        Kind::Uuid => statement.bind(value.uuid()?),
        Kind::Bytes => statement.bind(value.bytes()?),
        Kind::Text => statement.bind(value.text()?),
        Kind::Big => statement.bind(value.number()?),
        Kind::Small => statement.bind(value.small()?),
        Kind::Flag => statement.bind(value.flag()?),
    })
}

/// One column of many rows.
fn bind_list<'q>(
    statement: Statement<'q>,
    kind: Kind,
    place: usize,
    rows: &'q [Row],
) -> Result<Statement<'q>> {
    Ok(match kind {
        Kind::Uuid => statement.bind(each(rows, place, Value::uuid)?),
        Kind::Bytes => statement.bind(each(rows, place, Value::bytes)?),
        Kind::Text => statement.bind(each(rows, place, Value::text)?),
        Kind::Big => statement.bind(each(rows, place, Value::number)?),
        Kind::Small => statement.bind(each(rows, place, Value::small)?),
        Kind::Flag => statement.bind(each(rows, place, Value::flag)?),
    })
}

fn each<'q, T>(rows: &'q [Row], place: usize, read: impl Fn(&'q Value) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().filter_map(|row| row.get(place)).map(read).collect()
}

fn values(layout: &Layout, row: &PgRow) -> Result<Row> {
    layout.columns.iter().enumerate().map(|(place, column)| value(row, place, column.kind)).collect()
}

fn value(row: &PgRow, place: usize, kind: Kind) -> Result<Value> {
    let value = match kind {
        Kind::Uuid => {
            row.try_get::<Option<Uuid>, _>(place).map(|it| it.map(|id| Value::Bytes(id.as_bytes().to_vec())))
        }
        Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(place).map(|it| it.map(Value::Bytes)),
        Kind::Text => row.try_get::<Option<String>, _>(place).map(|it| it.map(Value::Text)),
        Kind::Big => row.try_get::<Option<i64>, _>(place).map(|it| it.map(Value::Number)),
        Kind::Small => row.try_get::<Option<i16>, _>(place).map(|it| it.map(|it| Value::Number(it.into()))),
        Kind::Flag => row.try_get::<Option<bool>, _>(place).map(|it| it.map(|it| Value::Number(it.into()))),
    };
    Ok(value.map_err(failed)?.unwrap_or(Value::Null))
}
