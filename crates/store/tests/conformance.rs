//! One suite, run against both databases: `suite/` is compiled twice, and `Place` is where the database is. `only/`
//! holds the few things that one of them alone has to get right.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to end")]

#[path = "suite"]
mod sqlite {
    use rusqlite::{Connection, types::Value};
    use tempfile::TempDir;

    #[path = "../only/sqlite.rs"]
    mod only;
    #[path = "all.rs"]
    mod suite;

    /// A file of the test's own.
    struct Place(TempDir);

    impl Place {
        async fn new() -> Self {
            Self::empty().await
        }

        async fn empty() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn url(&self) -> String {
            format!("sqlite:{}", self.path())
        }

        /// Runs statements past the store.
        async fn run(&self, sql: &str) {
            self.connect().execute_batch(sql).unwrap();
        }

        /// The names of all tables, whoever made them.
        async fn tables(&self) -> Vec<String> {
            let connection = self.connect();
            let mut tables =
                connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
            tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        }

        /// Every row of every table, as text: blobs in hex.
        async fn dump(&self) -> Vec<(String, String)> {
            let connection = self.connect();
            let mut rows = Vec::new();
            for table in self.tables().await {
                let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
                let columns = select.column_count();
                let mut found = select.query([]).unwrap();
                while let Some(row) = found.next().unwrap() {
                    let values: Vec<String> = (0..columns).map(|n| text(&row.get(n).unwrap())).collect();
                    rows.push((table.clone(), values.join("|")));
                }
            }
            rows
        }

        fn path(&self) -> String {
            self.0.path().join("test.db").display().to_string()
        }

        fn connect(&self) -> Connection {
            let connection = Connection::open(self.path()).unwrap();
            connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
            connection
        }
    }

    fn text(value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

#[path = "suite"]
mod postgres {
    use sqlx::{AssertSqlSafe, Connection, PgConnection, query_scalar};
    use testkit::postgres::TestDatabase;

    #[path = "../only/postgres_locks.rs"]
    mod locks;
    #[path = "../only/postgres.rs"]
    mod only;
    #[path = "all.rs"]
    mod suite;

    /// A database of the test's own.
    struct Place(TestDatabase);

    impl Place {
        async fn new() -> Self {
            Self(TestDatabase::new().await)
        }

        async fn empty() -> Self {
            Self(TestDatabase::empty())
        }

        fn url(&self) -> String {
            self.0.url().to_owned()
        }

        /// Runs statements past the store.
        async fn run(&self, sql: &str) {
            let mut connection = PgConnection::connect(&self.url()).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
        }

        /// The names of all tables, whoever made them.
        async fn tables(&self) -> Vec<String> {
            let mut connection = PgConnection::connect(&self.url()).await.unwrap();
            query_scalar(
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()",
            )
            .fetch_all(&mut connection)
            .await
            .unwrap()
        }

        /// Every row of every table, as text: bytes in hex.
        async fn dump(&self) -> Vec<(String, String)> {
            let mut connection = PgConnection::connect(&self.url()).await.unwrap();
            let mut rows = Vec::new();
            for table in self.tables().await {
                let select = AssertSqlSafe(format!("SELECT row_to_json(t)::text FROM {table} t"));
                let found: Vec<String> = query_scalar(select).fetch_all(&mut connection).await.unwrap();
                rows.extend(found.into_iter().map(|row| (table.clone(), row)));
            }
            rows
        }
    }
}
