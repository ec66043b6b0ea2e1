//! Every table filled, moved, and compared by other means; moves that end in the middle; and what is refused.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use domain::{Event, TenantId, Timestamp};
use rusqlite::{Connection, params_from_iter, types};
use sqlx::{AssertSqlSafe, PgConnection, query_scalar};
use tempfile::TempDir;
use testkit::postgres::TestDatabase;
use uuid::Uuid;

use super::{tables::Column, value::Kind, *};
use crate::{StoreSettings, open};

/// More rows than a page has.
const ROWS: u128 = 603;

/// A file with a schema, and a database without.
struct Ground {
    folder: TempDir,
    database: TestDatabase,
}

impl Ground {
    async fn empty() -> Self {
        let ground = Self { folder: tempfile::tempdir().unwrap(), database: TestDatabase::empty() };
        open(&StoreSettings::new(ground.from())).await.unwrap().close().await.unwrap();
        ground
    }

    /// With rows in every table.
    async fn filled() -> Self {
        let ground = Self::empty().await;
        let template = TestDatabase::new().await;
        let mut target = Target::open(template.url()).await.unwrap();
        let mut file = ground.file();
        let tx = file.transaction().unwrap();
        for table in TABLES {
            fill(&tx, &target.layout(table).await.unwrap());
        }
        tx.execute("UPDATE installation SET name = 'device-ca' WHERE name = 'text-1'", []).unwrap();
        tx.commit().unwrap();
        drop(file);
        ground
    }

    fn from(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("test.db").display())
    }

    fn file(&self) -> Connection {
        Connection::open(self.folder.path().join("test.db")).unwrap()
    }

    async fn transfer(&self) -> Result<Moved> {
        transfer(&self.from(), self.database.url(), &|_| {}).await
    }

    /// Moves until so many rows are there, and is then cut off in the middle of the next page.
    async fn transfer_until(&self, rows: u64) {
        let (from, to) = (self.from(), self.database.url().to_owned());
        let cut = tokio::spawn(async move {
            transfer(&from, &to, &|progress| assert!(progress.done < rows, "cut off")).await
        });
        assert!(cut.await.unwrap_err().is_panic());
    }
}

fn fill(file: &Connection, layout: &Layout) {
    let nullable = nullable(file, layout.table);
    let places: Vec<_> = (1..=layout.columns.len()).map(|place| format!("?{place}")).collect();
    let insert = format!("INSERT INTO {} ({}) VALUES ({})", layout.table, layout.names(), places.join(", "));
    let mut insert = file.prepare(&insert).unwrap();
    for row in 1..=ROWS {
        let value = |column: &Column| match row % 7 == 0 && nullable.contains(&column.name) {
            true => types::Value::Null,
            false => made_up(column, row),
        };
        insert.execute(params_from_iter(layout.columns.iter().map(value))).unwrap();
    }
}

/// The columns that may be null, but those by which something is indexed as unique.
fn nullable(file: &Connection, table: &str) -> Vec<String> {
    let sql = format!("SELECT name FROM pragma_table_info('{table}') WHERE \"notnull\" = 0 AND pk = 0");
    let mut select = file.prepare(&sql).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(std::result::Result::unwrap).collect()
}

/// A value like no other row's, so that nothing clashes and references lead somewhere.
fn made_up(column: &Column, row: u128) -> types::Value {
    let number = i64::try_from(row).unwrap();
    match column.kind {
        Kind::Uuid => types::Value::Blob(Uuid::from_u128(row << 100 | row).as_bytes().to_vec()),
        Kind::Bytes => types::Value::Blob([b"\0\xff".as_slice(), &row.to_le_bytes()].concat()),
        Kind::Text => types::Value::Text(match row % 3 {
            0 => format!("ÄÖ-Ꙭ-🐎-{row}"),
            _ => format!("text-{row}"),
        }),
        Kind::Big => types::Value::Integer(number << 33),
        Kind::Small => types::Value::Integer(number % 5),
        Kind::Flag => types::Value::Integer(number % 2),
    }
}

/// What only PostgreSQL has: what nodes that run beside each other on it tell each other.
const OF_NODES: [&str; 2] = ["changes", "changes_kept"];

#[tokio::test]
async fn every_table_of_either_schema_is_on_the_list() {
    let ground = Ground::empty().await;
    let database = TestDatabase::new().await;
    let mut listed: Vec<_> = TABLES.iter().map(ToString::to_string).collect();
    listed.push("_sqlx_migrations".into());
    listed.sort();
    let file = ground.file();
    let mut select = file
        .prepare(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        )
        .unwrap();
    let of_sqlite: Vec<String> =
        select.query_map([], |row| row.get(0)).unwrap().map(|it| it.unwrap()).collect();
    let tables = database.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name COLLATE \"C\"",
    );
    let of_postgres: Vec<_> = tables.lines().map(|line| line.trim().to_owned()).collect();
    assert_eq!(of_sqlite, listed, "put new tables into `TABLES`, behind those that they refer to");
    listed.extend(OF_NODES.map(Into::into));
    listed.sort();
    assert_eq!(of_postgres, listed);
}

#[tokio::test]
async fn every_row_of_every_table_arrives_as_it_was() {
    let ground = Ground::filled().await;
    let told = Mutex::new(Vec::new());
    let tell = |progress| told.lock().unwrap_or_else(PoisonError::into_inner).push(progress);

    let moved = transfer(&ground.from(), ground.database.url(), &tell).await.unwrap();

    let rows = u64::try_from(ROWS).unwrap();
    assert_eq!(moved.tables.len(), TABLES.len());
    assert!(moved.tables.iter().all(|table| table.rows == rows));
    assert_eq!((moved.found, moved.replaced), (0, 0));
    let told = told.into_inner().unwrap();
    assert!(told.iter().map(|it| it.done).is_sorted() && told.iter().all(|it| it.done <= it.of));
    assert_eq!(told.last().map(|it| (it.phase, it.done)), Some((Phase::Check, told[0].of)));

    let mut target = Target::open(ground.database.url()).await.unwrap();
    let file = ground.file();
    for table in TABLES {
        let layout = target.layout(table).await.unwrap();
        let (here, there) = (in_sqlite(&file, &layout), in_postgres(&ground.database, &layout));
        assert_eq!(here.lines().count() as u128, ROWS);
        assert!(
            here == there,
            "{table} differs: {:?}",
            here.lines().zip(there.lines()).find(|(a, b)| a != b)
        );
    }
}

/// A table as text, by SQLite's own means.
fn in_sqlite(file: &Connection, layout: &Layout) -> String {
    let shown = layout.columns.iter().map(|column| match column.kind {
        Kind::Uuid | Kind::Bytes => format!("iif({0} IS NULL, '-', lower(hex({0})))", column.name),
        _ => format!("coalesce({}, '-')", column.name),
    });
    let shown = shown.collect::<Vec<_>>().join(" || '|' || ");
    let mut select =
        file.prepare(&format!("SELECT {shown} AS line FROM {} ORDER BY line", layout.table)).unwrap();
    let lines: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(|it| it.unwrap()).collect();
    lines.join("\n")
}

/// The same by PostgreSQL's.
fn in_postgres(database: &TestDatabase, layout: &Layout) -> String {
    let shown = layout.columns.iter().map(|Column { name, kind, .. }| match kind {
        Kind::Uuid => format!("coalesce(replace({name}::text, '-', ''), '-')"),
        Kind::Bytes => format!("coalesce(encode({name}, 'hex'), '-')"),
        Kind::Flag => format!("coalesce({name}::int::text, '-')"),
        Kind::Text | Kind::Big | Kind::Small => format!("coalesce({name}::text, '-')"),
    });
    let shown = shown.collect::<Vec<_>>().join(" || '|' || ");
    let lines = database.execute(&format!(
        "SELECT line FROM (SELECT ({shown}) COLLATE \"C\" AS line FROM {}) AS lines ORDER BY line",
        layout.table
    ));
    lines.trim_end().to_owned()
}

#[tokio::test]
async fn a_move_that_was_cut_off_is_taken_up_where_it_was() {
    let ground = Ground::filled().await;
    ground.transfer_until(5000).await;
    let refused = open(&StoreSettings::new(ground.database.url())).await;
    assert!(matches!(refused.err(), Some(Error::Conflict(said)) if said.contains("migrate-database")));
    ground.transfer_until(15_000).await;

    let first = AtomicU64::new(u64::MAX);
    let tell = |progress: Progress| {
        first.fetch_min(progress.done, Ordering::Relaxed);
    };
    let moved = transfer(&ground.from(), ground.database.url(), &tell).await.unwrap();

    assert!((15_000..16_000).contains(&moved.found), "{} rows were there", moved.found);
    assert!(moved.tables.iter().all(|table| u128::from(table.rows) == ROWS));
    open(&StoreSettings::new(ground.database.url())).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn rows_that_changed_meanwhile_are_noticed() {
    let ground = Ground::filled().await;
    ground.transfer_until(15_000).await;
    ground.file().execute("UPDATE tenants SET name = 'another' WHERE name = 'text-4'", []).unwrap();

    let differs = ground.transfer().await;

    assert!(
        matches!(&differs, Err(Error::Conflict(said)) if said.contains("tenants differs")),
        "{differs:?}"
    );
    let refused = open(&StoreSettings::new(ground.database.url())).await;
    assert!(matches!(refused.err(), Some(Error::Conflict(_))), "no server may use it");
}

#[tokio::test]
async fn nothing_is_moved_while_anybody_has_the_file_open() {
    let ground = Ground::filled().await;
    let server = open(&StoreSettings::new(ground.from())).await.unwrap();
    server.directory.ping().await.unwrap();
    let refused = ground.transfer().await;
    assert!(matches!(&refused, Err(Error::Conflict(said)) if said.contains("stop it first")), "{refused:?}");
    server.close().await.unwrap();
    ground.transfer().await.unwrap();
}

#[tokio::test]
async fn a_database_that_holds_something_else_is_left_alone() {
    let ground = Ground::filled().await;
    let other = Ground::filled().await;
    other.file().execute("UPDATE installation SET value = x'02' WHERE name = 'device-ca'", []).unwrap();
    other.transfer_until(5000).await;
    let half = transfer(&ground.from(), other.database.url(), &|_| {}).await;
    assert!(matches!(&half, Err(Error::Conflict(said)) if said.contains("another installation")), "{half:?}");

    let used = TestDatabase::new().await;
    used.execute("INSERT INTO tenants VALUES ('00000000-0000-0000-0000-000000000001', 'Acme', 0)");
    let refused = transfer(&ground.from(), used.url(), &|_| {}).await;
    assert!(matches!(&refused, Err(Error::Conflict(said)) if said.contains("in use")), "{refused:?}");
    assert_eq!(used.execute("SELECT count(*) FROM tenants").trim(), "1");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let ground = Ground::empty().await;
    let refused = ground.transfer().await;
    assert!(
        matches!(&refused, Err(Error::Conflict(said)) if said.contains("nothing was ever set up")),
        "{refused:?}"
    );
    for (from, to, field) in [
        ("postgres://a/b", "postgres://c/d", "from"),
        (ground.from().as_str(), ground.from().as_str(), "to"),
        ("remuda.db", "postgres://c/d", "database"),
    ] {
        let refused = transfer(from, to, &|_| {}).await;
        assert!(matches!(refused, Err(Error::Invalid { field: of, .. }) if of == field), "{from} {to}");
    }
    let missing = transfer("sqlite:/nowhere/test.db", ground.database.url(), &|_| {}).await;
    assert!(matches!(missing, Err(Error::Conflict(said)) if said.contains("/nowhere")));
}

#[tokio::test]
async fn rows_are_numbered_on_and_a_zero_character_becomes_another() {
    let ground = Ground::filled().await;
    ground
        .file()
        .execute("UPDATE audit SET actor = 'a' || char(0) || 'b' WHERE actor = 'text-1'", [])
        .unwrap();

    let moved = ground.transfer().await.unwrap();

    assert!(moved.replaced > 0);
    let said = ground.database.execute("SELECT actor FROM audit WHERE actor LIKE 'a%b'");
    assert_eq!(said.trim(), "a\u{FFFD}b");
    let db = open(&StoreSettings::new(ground.database.url())).await.unwrap();
    let tenant = TenantId(Uuid::from_u128(9));
    let mut tx = db.store.begin(tenant).await.unwrap();
    let event = Event {
        kind: "new".into(),
        actor: "me".into(),
        device: None,
        details: serde_json::json!({}),
        at: Timestamp(0),
    };
    tx.record(&event).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await.unwrap();
    let mut connection = <PgConnection as sqlx::Connection>::connect(ground.database.url()).await.unwrap();
    let newest = AssertSqlSafe("SELECT kind FROM audit ORDER BY seq DESC LIMIT 1");
    let newest: String = query_scalar(newest).fetch_one(&mut connection).await.unwrap();
    assert_eq!(newest, "new");
}
