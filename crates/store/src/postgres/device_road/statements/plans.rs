//! That a poll reads open commands alone, however long the history is: what PostgreSQL says that it will do.

use sqlx::{AssertSqlSafe, Connection, PgConnection, query, query_scalar};
use testkit::postgres::TestDatabase;
use uuid::Uuid;

use super::text::{CHANGES, LOOK, POLL, UPDATE_TOKENS};
use crate::postgres::ground::{looks_up, plan_among};

/// A device that has done very much, among others that have done as much.
const HISTORY: &str = "
    INSERT INTO commands (tenant, device, id, enrollment, channel, state, sealed, queued_at, finished_at, request_type, payload)
    SELECT '00000000-0000-0000-0000-000000000001', ('00000000-0000-0000-0000-' || lpad((n % 7)::text, 12, '0'))::uuid,
        gen_random_uuid(), '00000000-0000-0000-0000-000000000003', '', CASE WHEN n % 1000 = 0 THEN 0 ELSE 3 END, false, n,
        CASE WHEN n % 1000 > 0 THEN n END,
        'DeviceLock', ''
    FROM generate_series(1, 20000) n";

async fn with_history() -> (TestDatabase, PgConnection) {
    let database = TestDatabase::empty();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    crate::migrate::postgres(&mut connection).await.unwrap();
    query(HISTORY).execute(&mut connection).await.unwrap();
    query("ANALYZE").execute(&mut connection).await.unwrap();
    (database, connection)
}

#[track_caller]
fn reads_the_queue_alone(plan: &str, reads: usize) {
    assert!(plan.matches("command_queues").count() >= reads, "{plan}");
    assert!(!plan.contains("Seq Scan on commands"), "{plan}");
}

#[tokio::test]
async fn a_poll_never_looks_at_history() {
    let (_database, mut connection) = with_history().await;
    let look = query_scalar(AssertSqlSafe(format!("EXPLAIN {LOOK}")))
        .bind(vec![vec![0_u8; 32]])
        .bind(vec![""])
        .bind(vec![false])
        .bind(vec![0_i64]);
    let look: Vec<String> = look.fetch_all(&mut connection).await.unwrap();
    reads_the_queue_alone(&look.join("\n"), 1);

    let id = || vec![Uuid::nil()];
    let poll = query_scalar(AssertSqlSafe(format!("EXPLAIN {POLL}")))
        .bind(vec![0_i64])
        .bind(id())
        .bind(id())
        .bind(id())
        .bind(vec![""])
        .bind(vec![None::<Uuid>])
        .bind(vec![None::<i16>])
        .bind(vec![None::<Vec<u8>>])
        .bind(vec![true])
        .bind(vec![false])
        .bind(vec![0_i64])
        .bind(0_i64)
        .bind(vec![false])
        .bind(vec!["SecurityInfo"]);
    let poll: Vec<String> = poll.fetch_all(&mut connection).await.unwrap();
    let plan = poll.join("\n");
    // The next command, and the last conversation; the command that is reported and the one that is handed over are
    // found by their keys.
    reads_the_queue_alone(&plan, 2);
}

/// Of a fleet that has done all it was asked.
const NOTHING_OPEN: &str = "
    INSERT INTO commands (tenant, device, id, enrollment, channel, state, sealed, queued_at, finished_at, request_type, payload)
    SELECT '00000000-0000-0000-0000-000000000001', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '', 3, false, n, n,
        'DeviceLock', ''
    FROM generate_series(1, 2000) n";

#[tokio::test]
async fn commands_are_looked_up_by_their_keys_also_where_none_was_open_when_the_plan_was_made() {
    let poll = plan_among(NOTHING_OPEN, POLL).await;
    looks_up(&poll, POLL);
    reads_the_queue_alone(&poll.join("\n"), 2);
    let tokens = plan_among(NOTHING_OPEN, UPDATE_TOKENS).await;
    let queue = tokens.iter().position(|step| step.contains("command_queues")).unwrap();
    assert!(tokens[queue + 1].contains("Index Cond"), "all that waits:\n{}", tokens.join("\n"));
}

/// Of a fleet whose queues were long, and are nearly empty: the index of open commands has as many pages as before, and so each
/// of the few that are left seems dear to find.
const NEARLY_ALL_DONE: &str = "
    INSERT INTO commands (tenant, device, id, enrollment, channel, state, sealed, queued_at, request_type, payload)
    SELECT '00000000-0000-0000-0000-000000000001', md5((n % 1000)::text)::uuid, gen_random_uuid(), gen_random_uuid(), '', 0, false, n,
        'DeviceLock', ''
    FROM generate_series(1, 3000) n;
    UPDATE commands SET state = 3, finished_at = queued_at WHERE queued_at > 2";

#[tokio::test]
async fn a_poll_reads_open_commands_alone_also_where_they_were_many_once() {
    for (statement, reads) in [(LOOK, 1), (POLL, 2), (UPDATE_TOKENS, 1)] {
        let plan = plan_among(NEARLY_ALL_DONE, statement).await;
        reads_the_queue_alone(&plan.join("\n"), reads);
    }
}

/// Of a time in which much is asked for, and of one in which nothing is.
const CHANGED: &str =
    "INSERT INTO changes (made_by, enrollments) SELECT n::text::xid8, '' FROM generate_series(1, 20000) n";

#[tokio::test]
async fn what_has_changed_is_found_without_what_changed_before() {
    for rows in [CHANGED, "SELECT 1"] {
        let plan = plan_among(rows, CHANGES).await;
        let found = plan.iter().position(|step| step.contains("changes_by_transaction")).unwrap();
        assert!(plan[found + 1].contains("Index Cond"), "{}", plan.join("\n"));
    }
}
