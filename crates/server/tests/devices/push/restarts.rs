//! Pushes are rows: none is lost when the server stops.

use std::time::Duration;

use testkit::{on_both, server::TestServer};

use super::settled;

/// How long a push belongs to the worker that took it and says nothing more.
const CLAIM: Duration = Duration::from_secs(15);

on_both!(one_that_was_under_way_is_sent_again);
async fn one_that_was_under_way_is_sent_again(mut server: TestServer) {
    let mut iphone = settled(&server).await;
    let before = server.apns().counters();
    server.apns().hold();
    server.lock(&iphone).await;
    server.apns().watch().wait_for(|so_far| so_far.arrived == before.arrived + 1).await.unwrap();
    server.restart().await;
    server.apns().release();
    server.clock().advance(CLAIM);
    server.apns().watch().wait_for(|so_far| so_far.arrived > before.arrived + 1).await.unwrap();
    server.pushed().await;
    assert_eq!(server.apns().pushes().last().unwrap().status, 200);
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
}

on_both!(one_that_waits_for_its_next_try_waits_still);
async fn one_that_waits_for_its_next_try_waits_still(mut server: TestServer) {
    let iphone = settled(&server).await;
    let accepted = server.apns().counters().accepted;
    server.apns().refuse_next(503, "ServiceUnavailable", Some("600"));
    server.lock(&iphone).await;
    let is_later = async |server: &TestServer| {
        server.mdm().next_push_due().await.unwrap().is_some_and(|due| due > server.mdm().now())
    };
    server.until(is_later).await;
    server.restart().await;
    assert!(is_later(&server).await);
    server.clock().advance(Duration::from_mins(10));
    server.apns().watch().wait_for(|so_far| so_far.accepted == accepted + 1).await.unwrap();
}

on_both!(one_that_was_asked_for_while_the_server_was_down_is_sent);
/// As the command line does, which works on the database itself.
async fn one_that_was_asked_for_while_the_server_was_down_is_sent(mut server: TestServer) {
    let iphone = settled(&server).await;
    let accepted = server.apns().counters().accepted;
    let mut tx = server.database().await.store.begin(server.tenant()).await.unwrap();
    tx.ask_push(iphone.id(), &domain::ChannelKey::default(), server.mdm().now()).await.unwrap();
    server.apns().hold();
    tx.commit().await.unwrap();
    server.restart().await;
    server.apns().release();
    server.clock().advance(CLAIM);
    server.apns().watch().wait_for(|so_far| so_far.accepted > accepted).await.unwrap();
}

on_both!(one_that_takes_longer_than_its_claim_is_left_to_its_server);
async fn one_that_takes_longer_than_its_claim_is_left_to_its_server(server: TestServer) {
    let iphone = settled(&server).await;
    let before = server.apns().counters().arrived;
    server.apns().hold();
    server.lock(&iphone).await;
    server.apns().watch().wait_for(|so_far| so_far.arrived == before + 1).await.unwrap();
    let its_end = server.mdm().now().plus(CLAIM);
    let other = server.database().await;
    // A claim of no length takes nothing away.
    assert_eq!(other.outbox.claim_pushes(its_end, its_end, 1, &[]).await.unwrap().len(), 1);
    server.clock().advance(CLAIM - Duration::from_secs(1));
    server
        .until(async |_| other.outbox.claim_pushes(its_end, its_end, 1, &[]).await.unwrap().is_empty())
        .await;
    server.clock().advance(Duration::from_secs(1));
    assert_eq!(other.outbox.claim_pushes(server.mdm().now(), its_end, 1, &[]).await.unwrap(), []);
    server.apns().release();
    server.pushed().await;
    assert_eq!(server.apns().counters().arrived, before + 1);
}
