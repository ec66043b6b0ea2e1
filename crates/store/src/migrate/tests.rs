//! A file of an earlier version keeps its rows, also where a step makes a table anew.

use sqlx::{AssertSqlSafe, query, query_as, query_scalar, sqlite::SqliteConnectOptions};

use super::*;

/// What a step calls otherwise: the step, and both names of the column.
const RENAMED: [(i64, &str, &str); 1] = [(13, "trouble", "query_trouble")];

/// A table and its columns, each with its type.
type Table = (String, Vec<(String, String)>);

#[tokio::test]
async fn no_step_loses_what_is_in_a_file() {
    for (place, &(step, ..)) in SQLITE.iter().enumerate().skip(1) {
        // Rows are made up without regard to what they refer to.
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(false);
        let mut file = SqliteConnection::connect_with(&options).await.unwrap();
        migrator(&SQLITE[..place]).run_direct(None, &mut file, false).await.unwrap();
        let tables = tables(&mut file).await;
        let mut before = Vec::new();
        for table in &tables {
            fill(&mut file, table).await;
            before.push(rows(&mut file, table).await);
        }

        migrator(&SQLITE[..=place]).run_direct(None, &mut file, false).await.unwrap();

        for (table, before) in tables.into_iter().zip(before) {
            let table = renamed(table, step);
            assert_eq!(rows(&mut file, &table).await, before, "{} after step {step}", table.0);
        }
    }
}

/// As it is called after the step.
fn renamed((table, mut columns): Table, step: i64) -> Table {
    for (name, _) in &mut columns {
        if let Some((.., now)) = RENAMED.iter().find(|(at, was, _)| (*at, *was) == (step, name.as_str())) {
            (*now).clone_into(name);
        }
    }
    (table, columns)
}

/// All of ours, with the columns that are written.
async fn tables(file: &mut SqliteConnection) -> Vec<Table> {
    let names: Vec<String> = query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut *file)
    .await
    .unwrap();
    let mut tables = Vec::new();
    for name in names {
        let look = query_as("SELECT name, type FROM pragma_table_xinfo($1) WHERE hidden = 0").bind(&name);
        let columns = look.fetch_all(&mut *file).await.unwrap();
        tables.push((name, columns));
    }
    tables
}

/// Two rows, in which no value is like another.
async fn fill(file: &mut SqliteConnection, (table, columns): &Table) {
    let names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
    for row in 1..=2 {
        let values: Vec<_> = columns
            .iter()
            .enumerate()
            .map(|(place, (_, kind))| match kind.as_str() {
                "INTEGER" => format!("{}", 100 * row + place),
                "TEXT" => format!("'{place} of {row}'"),
                "BLOB" => format!("x'{:016x}'", 100 * row + place),
                other => panic!("{table} has a column of type {other}"),
            })
            .collect();
        let insert = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", "));
        query(AssertSqlSafe(insert)).execute(&mut *file).await.unwrap();
    }
}

/// Every row, as SQL would spell it.
async fn rows(file: &mut SqliteConnection, (table, columns): &Table) -> Vec<String> {
    let spelled: Vec<_> = columns.iter().map(|(name, _)| format!("quote({name})")).collect();
    let select = format!("SELECT concat_ws(', ', {}) FROM {table} ORDER BY 1", spelled.join(", "));
    query_scalar(AssertSqlSafe(select)).fetch_all(file).await.unwrap()
}
