//! From SQLite to PostgreSQL: an installation with everything in it, killed in the middle, and devices that go on.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{
    patience::within,
    postgres::TestDatabase,
    server::{TestServer, record},
};

use super::{Program, text};

const RECORDS: u64 = 703;

/// Waits until the database answers `1`.
async fn until(database: &TestDatabase, condition: &str) {
    let select = format!("SELECT count(*) FROM ({condition}) AS found");
    let comes = async {
        while database.execute(&select).trim() == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(condition, comes).await;
}

/// Starts the move, and kills it with SIGKILL once devices have arrived and it is in the middle of the events.
async fn kill_in_the_middle(program: &Program, arguments: &[&str], database: &TestDatabase) {
    let holds = "BEGIN; LOCK TABLE audit IN SHARE MODE; SELECT pg_sleep(600)";
    std::thread::scope(|scope| {
        // Ends with its connection, by force.
        let holder = scope.spawn(|| std::panic::catch_unwind(|| database.execute(holds)));
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            runtime.block_on(async {
                until(
                    database,
                    "SELECT 1 FROM pg_locks WHERE relation = 'audit'::regclass AND mode = 'ShareLock'",
                )
                .await;
                let mut moving = program.start(arguments);
                until(
                    database,
                    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'remuda migrate-database'
                         AND wait_event_type = 'Lock'",
                )
                .await;
                moving.signal("KILL").await;
                assert!(!moving.ended().await.success());
            });
        });
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK TABLE audit%'";
        database.execute(others);
        assert!(holder.join().expect("its panic is caught").is_err());
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_moves_to_postgresql_and_its_devices_go_on() {
    let mut server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    server.pushed().await;
    let done = server.lock(&phone).await;
    phone.connect().await.unwrap();
    server.settled().await;
    let waits = server.lock(&phone).await;
    server.add_records((0..RECORDS).map(record)).await;
    let database = TestDatabase::new().await;
    let from = format!("sqlite:{}", server.folder().join("data/remuda.db").display());
    let program = Program::beside(&server);
    let arguments = ["migrate-database", "--from", &from, "--to", database.url()];
    program.fails(&arguments, 1, "stop it first").await;
    let events = server.records().await.events(None, 1000).await.unwrap().len();
    server.stop().await;

    kill_in_the_middle(&program, &arguments, &database).await;
    program.fails(&["tenant", "list", "--database", database.url()], 1, "migrate-database").await;
    let moved = program.json(&arguments).await;

    assert!(moved["resumed_at"].as_u64().unwrap() > RECORDS, "{moved}");
    assert_eq!((rows(&moved, "devices"), rows(&moved, "audit")), (RECORDS + 1, events as u64));
    assert_eq!(text(&moved["tables"][0], "sha256").len(), 64);
    program.fails(&arguments, 1, "in use already").await;

    server.start_on(database).await;
    assert_eq!(phone.connect().await.unwrap().len(), 1, "what waited is carried out");
    for command in [done, waits] {
        server.until(async |server| server.command(&phone, command).await.finished_at.is_some()).await;
    }
    let listed = server.api().device("list", json!({ "pagesize": 1, "pagenumber": 0 })).await;
    assert_eq!(listed.status, 200, "the API key is known: {}", listed.text);
    let mut another = server.enrolled_mac().await;
    server.lock(&another).await;
    assert_eq!(
        another.connect().await.unwrap().last().map(|it| it.request_type.as_str()),
        Some("DeviceLock")
    );
}

fn rows(moved: &Value, table: &str) -> u64 {
    let tables = moved["tables"].as_array().unwrap();
    let found = tables.iter().find(|it| it["name"] == table).unwrap();
    found["rows"].as_u64().unwrap()
}

#[tokio::test]
async fn a_move_from_nothing_or_to_nowhere_is_told() {
    let program = Program::new();
    let arguments = ["migrate-database", "--from", "sqlite:none.db", "--to", "postgres://localhost/x"];
    program.fails(&arguments, 1, "there is no such file").await;
    assert!(!program.folder().join("none.db").exists());
    program.write("some.db", "");
    let onto_itself = ["migrate-database", "--from", "sqlite:some.db", "--to", "sqlite:other.db"];
    program.fails(&onto_itself, 1, "moved to PostgreSQL").await;
}
