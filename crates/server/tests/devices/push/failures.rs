//! APNs, or the way to it, does not want to: the push is tried again, ever more slowly.

use std::time::Duration;

use domain::Timestamp;
use testkit::{on_both, server::TestServer};

use super::settled;

on_both!(what_apns_asks_us_to_wait_is_waited);
async fn what_apns_asks_us_to_wait_is_waited(server: TestServer) {
    let iphone = settled(&server).await;
    let accepted = server.apns().counters().accepted;
    server.apns().refuse_next(429, "TooManyRequests", Some("300"));
    let asked = server.mdm().now();
    server.lock(&iphone).await;
    let due = next_due(&server, asked).await;
    assert!(due >= asked.plus(Duration::from_mins(5)), "{due:?} is too soon after {asked:?}");
    server.clock().advance(Duration::from_mins(5));
    server.apns().watch().wait_for(|so_far| so_far.accepted == accepted + 1).await.unwrap();
}

on_both!(each_failure_is_waited_for_twice_as_long);
async fn each_failure_is_waited_for_twice_as_long(server: TestServer) {
    let iphone = settled(&server).await;
    let accepted = server.apns().counters().accepted;
    for status in [500, 503, 503, 500] {
        server.apns().refuse_next(status, "InternalServerError", None);
    }
    server.lock(&iphone).await;
    let mut waits = Vec::new();
    for _ in 0..4 {
        let now = server.mdm().now();
        let due = next_due(&server, now).await;
        waits.push(due);
        // Nothing but the hand moves this clock by so much.
        server.clock().advance(due.since(server.mdm().now()));
    }
    server.apns().watch().wait_for(|so_far| so_far.accepted == accepted + 1).await.unwrap();
    assert!(waits.is_sorted(), "{waits:?}");
    assert_eq!(server.count_events("push.refused").await, 0, "that is nothing to raise an alarm for");
}

on_both!(a_connection_that_is_told_to_go_away_is_replaced);
async fn a_connection_that_is_told_to_go_away_is_replaced(server: TestServer) {
    let iphone = settled(&server).await;
    let mut watch = server.apns().watch();
    for opened in 2..4 {
        let accepted = server.apns().counters().accepted;
        server.apns().go_away();
        watch.wait_for(|so_far| so_far.closed == opened - 1).await.unwrap();
        server.lock(&iphone).await;
        watch.wait_for(|so_far| so_far.accepted == accepted + 1).await.unwrap();
        assert_eq!(server.apns().counters().opened, opened);
        server.pushed().await;
    }
}

on_both!(a_push_that_is_under_way_when_the_connection_is_cut_is_sent_again);
async fn a_push_that_is_under_way_when_the_connection_is_cut_is_sent_again(server: TestServer) {
    let iphone = settled(&server).await;
    let before = server.apns().counters();
    let mut watch = server.apns().watch();
    server.apns().hold();
    server.lock(&iphone).await;
    watch.wait_for(|so_far| so_far.arrived == before.arrived + 1).await.unwrap();
    server.apns().drop_connections();
    server.apns().release();
    watch.wait_for(|so_far| so_far.closed == before.closed + 1).await.unwrap();
    server.clock().advance(Duration::from_mins(1));
    watch.wait_for(|so_far| so_far.accepted == before.accepted + 1).await.unwrap();
}

on_both!(a_stream_that_is_reset_is_sent_again);
async fn a_stream_that_is_reset_is_sent_again(server: TestServer) {
    const REFUSED_STREAM: u32 = 7;
    let iphone = settled(&server).await;
    let accepted = server.apns().counters().accepted;
    server.apns().reset_next(REFUSED_STREAM);
    server.lock(&iphone).await;
    server.clock().advance(Duration::from_mins(1));
    server.apns().watch().wait_for(|so_far| so_far.accepted == accepted + 1).await.unwrap();
}

#[tokio::test]
async fn one_that_fails_does_not_hold_the_others_up() {
    let server = TestServer::start().await;
    let (one, other) = (settled(&server).await, settled(&server).await);
    server.apns().refuse_next(503, "ServiceUnavailable", Some("3600"));
    let (refused, accepted) = (server.apns().counters().refused, server.apns().counters().accepted);
    server.lock(&one).await;
    server.apns().watch().wait_for(|so_far| so_far.refused == refused + 1).await.unwrap();
    server.lock(&other).await;
    server.apns().watch().wait_for(|so_far| so_far.accepted == accepted + 1).await.unwrap();
    assert_eq!(server.apns().pushes().last().unwrap().token, other.push_address().token);
}

/// When the push that failed after `now` is tried again.
async fn next_due(server: &TestServer, now: Timestamp) -> Timestamp {
    let mut due = now;
    server
        .until(async |server| {
            due = server.mdm().next_push_due().await.unwrap().expect("it waits");
            due > server.mdm().now()
        })
        .await;
    due
}
