//! What the server believes of its tables, brought up to date while they grow.
//!
//! PostgreSQL looks at its tables once a minute at most. A fleet that enrolls, or a command that goes to all of it, fills
//! them faster, and a plan that was made for an empty table is kept until the table is looked at. So a table that has
//! doubled is analyzed at once: that happens seldom, however large it becomes. Few of its rows are looked at: each column
//! asks for statistics of ten values and not of a hundred (migration 14).

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, query, query_scalar};

/// How often it is looked whether a table has doubled.
const EACH: Duration = Duration::from_secs(5);

/// Of ours, and only those that have enough rows for it to matter.
const DOUBLED: &str = "
    SELECT quote_ident(c.relname) FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE s.schemaname = current_schema() AND s.n_mod_since_analyze > greatest(500, c.reltuples)";

/// Keeps at it until the pool is closed.
pub(super) async fn keep(pool: PgPool) {
    while !pool.is_closed() {
        tokio::time::sleep(EACH).await;
        // Nothing depends on it, and the next time comes soon.
        let _ = renew(&pool).await;
    }
}

/// Another node may be at the same table: then that is left to it.
async fn renew(pool: &PgPool) -> sqlx::Result<()> {
    let tables: Vec<String> = query_scalar(DOUBLED).fetch_all(pool).await?;
    for table in tables {
        query(AssertSqlSafe(format!("ANALYZE (SKIP_LOCKED) {table}"))).execute(pool).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::query_as;
    use testkit::postgres::TestDatabase;

    use super::*;

    const LOOKED_AT: &str =
        "SELECT count(*) FROM pg_stat_user_tables WHERE relname = 'audit' AND last_analyze IS NOT NULL";

    #[tokio::test]
    async fn a_table_that_has_doubled_is_looked_at() {
        let database = TestDatabase::new().await;
        let pool = PgPool::connect(database.url()).await.unwrap();
        query(
            "INSERT INTO audit (tenant, kind, actor, details, at)
             SELECT gen_random_uuid(), 'a kind', 'system', '{}', n FROM generate_series(1, 1000) n",
        )
        .execute(&pool)
        .await
        .unwrap();
        // The server counts what was written a moment later.
        for _ in 0..600 {
            renew(&pool).await.unwrap();
            if query_scalar::<_, i64>(LOOKED_AT).fetch_one(&pool).await.unwrap() == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the table was never looked at");
    }

    #[tokio::test]
    async fn looking_at_a_large_table_is_cheap() {
        let database = TestDatabase::new().await;
        let pool = PgPool::connect(database.url()).await.unwrap();
        let columns: Vec<(String, i32)> = query_as(
            "SELECT c.relname || '.' || a.attname, a.attstattarget::int FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
                 AND NOT a.attisdropped AND c.relname <> '_sqlx_migrations'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let dear: Vec<_> = columns.iter().filter(|(_, wanted)| !(0..=10).contains(wanted)).collect();
        assert!(
            columns.len() > 100 && dear.is_empty(),
            "a column that is added wants few statistics, too: {dear:?}"
        );
    }
}
