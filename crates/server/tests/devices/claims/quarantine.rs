//! What an administrator decides about a device in quarantine.

use domain::{Error, Thing};
use testkit::{on_both, server::TestServer};

use super::{claimant, quarantined, record};
use crate::{
    check_in::{count, tokens::enrollment},
    speaker::{Reply, Speaker},
};

on_both!(a_device_that_is_approved_takes_the_record_over);
async fn a_device_that_is_approved_takes_the_record_over(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    server.lock(&iphone).await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    let waiting = quarantined(&server).await.unwrap();
    let approved = server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap();
    assert_eq!(approved, iphone.id(), "the clientid stays");
    assert_eq!(count(&server).await, 1);

    let done: Vec<_> = claimant.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(
        done,
        ["DeviceInformation", "SecurityInfo", "DeclarativeManagement"],
        "and nothing of the old queue"
    );
    let old = Speaker::new(&server, iphone.credential().clone(), iphone.model().udid.clone());
    assert_eq!(old.idle().await, Reply::refused(403));
    server.pushed().await;
    let woken = claimant.push_address().token.clone();
    assert!(server.apns().pushes().iter().any(|push| push.token == woken && push.status == 200));
    assert_eq!(server.count_events("device.approved").await, 1);
}

on_both!(a_device_that_is_approved_after_the_other_left_takes_its_record_over_too);
async fn a_device_that_is_approved_after_the_other_left_takes_its_record_over_too(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    iphone.check_out().await.unwrap();
    let waiting = quarantined(&server).await.unwrap();
    assert_eq!(server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap(), iphone.id());
    assert!(record(&server, &iphone).await.managed);
    assert_eq!(claimant.idle().await, Ok(Some("DeviceInformation")));
}

on_both!(a_device_that_is_rejected_is_out);
async fn a_device_that_is_rejected_is_out(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let before = enrollment(&server, &iphone).await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    let waiting = quarantined(&server).await.unwrap();
    server.mdm().reject_device(&server.owner(), waiting.id).await.unwrap();
    assert_eq!(count(&server).await, 1);

    let rejected = Speaker::new(&server, claimant.credential().clone(), iphone.model().udid.clone());
    for reply in [rejected.idle().await, rejected.token_update().await, rejected.authenticate().await] {
        assert_eq!(reply, Reply::refused(403), "refused, and not unenrolled");
    }
    assert_eq!(enrollment(&server, &iphone).await, before);
    assert_eq!(iphone.idle().await, Ok(None));
    assert_eq!(server.count_events("device.rejected").await, 1);
}

on_both!(a_device_that_left_quarantine_by_itself_cannot_be_approved);
async fn a_device_that_left_quarantine_by_itself_cannot_be_approved(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    let waiting = quarantined(&server).await.unwrap();
    claimant.check_out().await.unwrap();
    assert_eq!(quarantined(&server).await, None);
    let refused = server.mdm().approve_device(&server.owner(), waiting.id).await;
    assert!(matches!(refused, Err(Error::NotFound(Thing::Device))), "{refused:?}");
    assert_eq!(iphone.idle().await, Ok(None), "the live one goes on");
}

on_both!(a_device_in_quarantine_may_say_everything_again);
async fn a_device_in_quarantine_may_say_everything_again(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    claimant.authenticate().await.unwrap();
    claimant.rotate_push_address().await.unwrap();
    let waiting = quarantined(&server).await.expect("it is there still");
    let approved = server.mdm().approve_device(&server.owner(), waiting.id).await.unwrap();
    assert_eq!(approved, iphone.id());
    server.pushed().await;
    let newest = claimant.push_address().token.clone();
    assert_eq!(server.apns().pushes().last().unwrap().token, newest, "its last token is the one that counts");
}

on_both!(only_a_device_in_quarantine_is_approved_or_rejected);
async fn only_a_device_in_quarantine_is_approved_or_rejected(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let not_found = |error: Error| matches!(error, Error::NotFound(Thing::Device));
    assert!(not_found(server.mdm().approve_device(&server.owner(), iphone.id()).await.unwrap_err()));
    assert!(not_found(server.mdm().reject_device(&server.owner(), iphone.id()).await.unwrap_err()));
    assert_eq!(iphone.idle().await, Ok(None));
}
