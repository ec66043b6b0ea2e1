//! An identity whose enrollment ended long ago: what belonged to it is forgotten, and it still opens nothing.

use std::time::Duration;

use domain::{EnrollmentId, Old};
use testkit::{on_both, server::TestServer};

use crate::{
    check_in::count,
    speaker::{Reply, Speaker},
};

const DAY: Duration = Duration::from_hours(24);

on_both!(an_identity_of_an_enrollment_that_was_forgotten_is_refused_as_before);
/// Never by 401 (1), and not as one that was purged: nobody asked its device to drop anything.
async fn an_identity_of_an_enrollment_that_was_forgotten_is_refused_as_before(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let speaker = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    let fingerprint = iphone.credential().certificate.fingerprint();
    let before = server.database().await.directory.identity(&fingerprint).await.unwrap().unwrap().enrollment;
    let link = server.link_for(None, Some(iphone.id()), 1).await;
    iphone.re_enroll(Some(&link)).await.unwrap();
    server.settled().await;
    assert_eq!(speaker.idle().await, Reply::refused(403));
    forget(&server).await;
    server.clock().advance(360 * DAY);
    forget(&server).await;
    assert!(is_known(&server, &fingerprint).await, "its certificate could still be shown");
    assert_eq!(speaker.idle().await, Reply::refused(403));
    server.clock().advance(39 * DAY);
    forget(&server).await;
    assert!(is_kept(&server, before).await, "what it left behind is kept for 400 days");

    server.clock().advance(2 * DAY);
    forget(&server).await;

    assert!(!is_kept(&server, before).await && !is_known(&server, &fingerprint).await);
    for reply in [
        speaker.idle().await,
        speaker.authenticate().await,
        speaker.token_update().await,
        speaker.check_out().await,
    ] {
        assert_eq!(reply, Reply::refused(403));
    }
    assert_eq!(count(&server).await, 1, "the device is there");
    let now = iphone.credential().certificate.fingerprint();
    assert!(
        is_known(&server, &now).await,
        "and so is the enrollment that it has, be its certificate expired"
    );
}

async fn forget(server: &TestServer) {
    for old in Old::ALL {
        while server.mdm().forget(old).await.unwrap() > 0 {}
    }
}

async fn is_kept(server: &TestServer, enrollment: EnrollmentId) -> bool {
    server.records().await.enrollment(enrollment).await.unwrap().is_some()
}

async fn is_known(server: &TestServer, fingerprint: &pki::Fingerprint) -> bool {
    server.database().await.directory.identity(fingerprint).await.unwrap().is_some()
}
