//! Changes that every node has had time to see are removed (migration 18).
//!
//! A node that has not looked for so long finds that its moment lies before what is kept, and begins anew: nothing depends on a clock.

use std::time::Duration;

use sqlx::{PgPool, query, query_scalar};

/// How long they are kept at least, and at most twice as long.
const KEPT: Duration = Duration::from_secs(60);

/// The oldest transaction that is not over.
const OLDEST: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text";

const ARE_THERE: &str = "SELECT EXISTS (SELECT 1 FROM changes WHERE made_by < $1::xid8)";

/// Both are seen at once, or neither. Another node may have removed more: then there is nothing to do.
const REMOVE: &str = "
    WITH kept AS (UPDATE changes_kept SET since = $1::xid8 WHERE since < $1::xid8 RETURNING since)
    DELETE FROM changes WHERE made_by < $1::xid8 AND EXISTS (SELECT 1 FROM kept)";

/// Keeps at it until the pool is closed.
pub(super) async fn keep(pool: PgPool) {
    let mut before = None;
    while !pool.is_closed() {
        // It only makes room, and the next time comes soon.
        if let Ok(oldest) = remove(&pool, before.as_deref()).await {
            before = Some(oldest);
        }
        tokio::time::sleep(KEPT).await;
    }
}

/// Removes what was changed by transactions `before` that one; the oldest that is not over now.
async fn remove(pool: &PgPool, before: Option<&str>) -> sqlx::Result<String> {
    if let Some(before) = before
        && query_scalar::<_, bool>(ARE_THERE).bind(before).fetch_one(pool).await?
    {
        query(REMOVE).bind(before).execute(pool).await?;
    }
    query_scalar(OLDEST).fetch_one(pool).await
}

#[cfg(test)]
mod tests {
    use testkit::postgres::TestDatabase;

    use super::*;

    const CHANGE: &str = "INSERT INTO changes (enrollments) VALUES ('') RETURNING made_by::text";

    async fn change(pool: &PgPool) -> String {
        query_scalar(CHANGE).fetch_one(pool).await.unwrap()
    }

    async fn left(pool: &PgPool) -> Vec<String> {
        query_scalar("SELECT made_by::text FROM changes ORDER BY made_by").fetch_all(pool).await.unwrap()
    }

    #[tokio::test]
    async fn a_change_goes_once_it_was_there_for_all_to_see() {
        let database = TestDatabase::new().await;
        let pool = PgPool::connect(database.url()).await.unwrap();
        let mut open = pool.begin().await.unwrap();
        let late = query_scalar::<_, String>(CHANGE).fetch_one(&mut *open).await.unwrap();
        let seen = change(&pool).await;
        let oldest = remove(&pool, None).await.unwrap();
        assert!(number(&oldest) <= number(&late), "what is not over may still change something");
        open.commit().await.unwrap();
        remove(&pool, Some(&oldest)).await.unwrap();
        assert_eq!(left(&pool).await, [late, seen]);

        let new = change(&pool).await;
        for before in [&new, &oldest] {
            remove(&pool, Some(before)).await.unwrap();
            assert_eq!(left(&pool).await, std::slice::from_ref(&new));
            let since: String =
                query_scalar("SELECT since::text FROM changes_kept").fetch_one(&pool).await.unwrap();
            assert_eq!(since, new, "never back");
        }
    }

    fn number(transaction: &str) -> u64 {
        transaction.parse().unwrap()
    }
}
