//! That a poll reads open commands alone, however long the history is: what SQLite says that it will do.

use rusqlite::Connection;

use super::steps;
use crate::migrate;

fn migrated() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    for (_, _, sql) in migrate::SQLITE {
        connection.execute_batch(sql).unwrap();
    }
    connection
}

fn plan(connection: &Connection, statement: &str) -> String {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let count = explain.parameter_count();
    let nothing = vec![None::<i64>; count];
    let steps =
        explain.query_map(rusqlite::params_from_iter(nothing), |row| row.get::<_, String>(3)).unwrap();
    steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_poll_never_looks_at_history() {
    let connection = migrated();
    for statement in steps::QUEUE_READS {
        let plan = plan(&connection, statement);
        let commands: Vec<_> = plan.lines().filter(|step| step.contains("command")).collect();
        let [queue] = *commands else { panic!("reads more: {plan}") };
        assert!(queue.contains("USING INDEX command_queues (tenant=? AND device=? AND channel=?"), "{plan}");
        assert!(
            !plan.contains("TEMP B-TREE") && !plan.contains("SCAN"),
            "sorts, or reads a whole table: {plan}"
        );
    }
}
