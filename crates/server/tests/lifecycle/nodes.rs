//! Several nodes on one PostgreSQL: each answers as if it were the only one.

use std::time::Duration;

use domain::PurgeCounts;
use serde_json::json;
use testkit::server::{Api, TestServer, record};

use super::{Program, Request};

#[tokio::test]
async fn nodes_count_together() {
    let server = TestServer::on_postgres().await;
    server.clock().stop();
    let other = server.another_node().await;
    let nodes = [server.api(), Api::new(other.api_url(), "")];
    let program = Program::new(&server).await;
    for request in [Request::Login, Request::Purge] {
        for n in 0..5 {
            assert_eq!(program.ask(&nodes[n % 2], request).await, None, "{request:?} {n}");
        }
        for node in &nodes {
            assert_eq!(program.ask(node, request).await, Some(1000), "{request:?}");
        }
    }
    other.stop().await.unwrap();
}

#[tokio::test]
async fn a_new_signing_key_is_known_to_every_node_when_it_is_first_used() {
    let server = TestServer::on_postgres().await;
    let other = server.another_node().await;
    let [here, there] = [server.api(), Api::new(other.api_url(), "")];
    let before = Program::new(&server).await;
    assert_eq!(before.ask(&there, Request::Purge).await, None, "one node's token is the other's");

    server.mdm().rotate_token_keys().await.unwrap();
    server.clock().advance(Duration::from_mins(5));
    assert_eq!(other.mdm().token_keys().len(), 1, "it was not told yet");
    let token = before.login(&here).await.body["token"].as_str().unwrap().to_owned();
    let after = Program { token, ..before };
    assert_eq!(after.ask(&there, Request::Purge).await, None, "it looks when it has to");
    assert_eq!(other.mdm().token_keys(), server.mdm().token_keys());
    other.stop().await.unwrap();
}

#[tokio::test]
async fn nodes_that_find_a_key_to_be_old_make_one_new_one() {
    let server = TestServer::on_postgres().await;
    let other = server.another_node().await;
    server.clock().advance(Duration::from_hours(30 * 24));
    let (mine, theirs) = tokio::join!(server.mdm().tend_token_keys(), other.mdm().tend_token_keys());
    mine.unwrap();
    theirs.unwrap();
    assert_eq!(server.mdm().token_keys().len(), 2);
    assert_eq!(other.mdm().token_keys(), server.mdm().token_keys());
    other.stop().await.unwrap();
}

#[tokio::test]
async fn nodes_that_share_purges_do_each_device_once() {
    let server = TestServer::on_postgres().await;
    let other = server.another_node().await;
    let nodes = [server.api(), Api::new(other.api_url(), "")];
    server.add_records((1..=400).map(record)).await;
    let program = Program::new(&server).await;
    for n in 0..4 {
        // Each names half of what the one before named.
        let guids: Vec<_> = (n * 50 + 1..=n * 50 + 250).map(|number| record(number).guid()).collect();
        let asked = nodes[usize::try_from(n % 2).unwrap()].purge(
            &program.token,
            &program.customer,
            json!({ "guids": guids }),
        );
        assert_eq!(asked.await.status, 202);
    }
    server.settled().await;
    let jobs = server.mdm().purges(&server.owner(), 10).await.unwrap();
    let all = jobs.iter().fold(PurgeCounts::default(), |sum, job| PurgeCounts {
        purged: sum.purged + job.counts.purged,
        skipped: sum.skipped + job.counts.skipped,
        failed: sum.failed + job.counts.failed,
    });
    assert_eq!(all, PurgeCounts { purged: 400, skipped: 600, failed: 0 });
    assert_eq!(server.count_events("device.purged").await, 400);
    other.stop().await.unwrap();
}
