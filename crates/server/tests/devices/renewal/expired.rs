//! An identity that has expired while its device was away: good for its renewal, and for nothing else.

use apple::Report;
use domain::CommandState;
use simulator::apple_device::{Failure, RenewalManners};
use testkit::{on_both, server::TestServer};

use super::{DUE, EXPIRED, iphone, open_renewal};
use crate::speaker::{Reply, Speaker};

on_both!(it_gets_its_renewal_first_and_everything_else_afterwards);
async fn it_gets_its_renewal_first_and_everything_else_afterwards(server: TestServer) {
    for manners in [RenewalManners::CheckIn, RenewalManners::Quiet] {
        let mut iphone = iphone(&server, manners).await;
        let lock = server.lock(&iphone).await;
        server.clock().advance(EXPIRED);
        let done: Vec<_> =
            iphone.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
        assert_eq!(done, ["InstallProfile", "DeviceLock"], "{manners:?}");
        assert_eq!(server.command(&iphone, lock).await.state, CommandState::Acknowledged);
        assert_eq!(iphone.idle().await, Ok(None));
    }
}

on_both!(it_gets_nothing_else);
async fn it_gets_nothing_else(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    let lock = server.lock(&iphone).await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    server.clock().advance(EXPIRED);
    assert_eq!(speaker.authenticate().await, Reply::refused(403));
    assert_eq!(speaker.token_update().await, Reply::refused(403));
    assert_eq!(iphone.idle().await, Ok(Some("InstallProfile")));
    // While that waits, and when it has failed, there is still nothing else.
    assert_eq!(iphone.not_now().await, Ok(None));
    assert_eq!(iphone.idle().await, Ok(Some("InstallProfile")));
    assert_eq!(iphone.error(vec![]).await, Ok(None));
    assert_eq!(server.command(&iphone, lock).await.state, CommandState::Queued);
    assert_eq!(iphone.idle().await, Ok(Some("InstallProfile")), "a fresh one");
    assert_eq!(iphone.acknowledge().await, Ok(Some("DeviceLock")), "now it is somebody again");
}

on_both!(a_renewal_that_waited_too_long_is_followed_by_a_fresh_one);
/// The challenge of a renewal that waited for months may be over too.
async fn a_renewal_that_waited_too_long_is_followed_by_a_fresh_one(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    server.clock().advance(DUE);
    server.mdm().queue_renewals().await.unwrap();
    let stale = open_renewal(&server, &iphone).await.unwrap();
    server.clock().advance(EXPIRED);
    let before = iphone.credential().certificate.clone();
    for _ in 0..2 {
        iphone.connect().await.unwrap();
    }
    assert_ne!(iphone.credential().certificate, before);
    assert!(!server.command(&iphone, stale.id).await.state.is_open());
    assert_eq!(iphone.idle().await, Ok(None));
}

on_both!(an_enrollment_that_is_over_gets_no_renewal);
async fn an_enrollment_that_is_over_gets_no_renewal(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    iphone.check_out().await.unwrap();
    server.clock().advance(EXPIRED);
    assert_eq!(server.mdm().queue_renewals().await.unwrap(), 0);
    assert_eq!(speaker.idle().await, Reply::refused(403));
}

on_both!(one_that_was_never_used_is_no_identity);
async fn one_that_was_never_used_is_no_identity(server: TestServer) {
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    let pinned = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    iphone.renew_by_request().await.unwrap();
    server.clock().advance(EXPIRED);
    assert!(matches!(iphone.idle().await, Err(Failure::Refused { status: 403, .. })));
    assert!(pinned.idle().await.text().contains("InstallProfile"), "the pinned one has lost nothing by it");
}

#[tokio::test]
async fn what_it_reports_is_taken_all_the_same() {
    let server = TestServer::start().await;
    let mut iphone = iphone(&server, RenewalManners::Quiet).await;
    let lock = server.lock(&iphone).await;
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
    let uuid = iphone.current().unwrap().command_uuid.clone();
    server.clock().advance(EXPIRED);
    let done = Report::acknowledged(iphone.model().identifiers(), &uuid);
    assert_eq!(iphone.poll(&done).await.unwrap(), None);
    assert_eq!(server.command(&iphone, lock).await.state, CommandState::Acknowledged);
}
