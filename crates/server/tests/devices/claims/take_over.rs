//! When a claim is good: the same user, a link for this very device, or an enrollment that is over.

use domain::CommandState;
use simulator::apple_device::Failure;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{claimant, iphone_of, quarantined, record};
use crate::{
    check_in::tokens::{channel, enrollment},
    speaker::{Reply, Speaker},
};

on_both!(the_same_user_may);
async fn the_same_user_may(server: TestServer) {
    let iphone = iphone_of(&server, "anna@example.com").await;
    let link = server.link_for(Some("anna@example.com"), None, 1).await;
    takes_over(&server, iphone, link).await;
}

on_both!(a_link_for_this_very_device_may);
async fn a_link_for_this_very_device_may(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    let link = server.link_for(None, Some(iphone.id()), 1).await;
    takes_over(&server, iphone, link).await;
}

on_both!(anybody_may_once_the_enrollment_is_over);
async fn anybody_may_once_the_enrollment_is_over(server: TestServer) {
    let mut iphone = iphone_of(&server, "anna@example.com").await;
    iphone.check_out().await.unwrap();
    let mut claimant = claimant(&server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    assert_eq!(quarantined(&server).await, None);
    assert_eq!(server.id_of(&claimant).await, Some(iphone.id()));
    assert!(record(&server, &iphone).await.managed);
}

on_both!(another_user_may_not);
async fn another_user_may_not(server: TestServer) {
    let iphone = iphone_of(&server, "anna@example.com").await;
    server.mdm().add_user(&server.owner(), "bert@example.com").await.unwrap();
    let link = server.link_for(Some("bert@example.com"), None, 1).await;
    is_quarantined(&server, &iphone, link).await;
}

on_both!(nobody_may_not_even_where_the_device_is_nobodys);
/// No user is nobody's same user.
async fn nobody_may_not_even_where_the_device_is_nobodys(server: TestServer) {
    let iphone = server.enrolled_iphone().await;
    is_quarantined(&server, &iphone, server.link().await).await;
}

on_both!(a_link_for_another_device_may_not);
async fn a_link_for_another_device_may_not(server: TestServer) {
    let (iphone, mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    let link = server.link_for(None, Some(mac.id()), 1).await;
    is_quarantined(&server, &iphone, link).await;
}

/// Enrolling again with the link of another user moves a device that its owner has given up, and not one that is in use.
#[tokio::test]
async fn the_link_for_a_device_wins_over_its_user() {
    let server = TestServer::start().await;
    let iphone = iphone_of(&server, "anna@example.com").await;
    server.mdm().add_user(&server.owner(), "bert@example.com").await.unwrap();
    let link = server.link_for(Some("bert@example.com"), Some(iphone.id()), 1).await;
    let before = record(&server, &iphone).await.user;
    takes_over(&server, iphone, link).await;
    let page = server.devices_of(server.tenant()).await;
    assert_eq!(page.len(), 1);
    assert_ne!(page[0].user, before);
}

/// A claim by `link` is good: same record, nothing inherited, and the one before is out.
async fn takes_over(server: &TestServer, iphone: Device, link: String) {
    let command = server.lock(&iphone).await;
    let before = enrollment(server, &iphone).await;
    let mut claimant = claimant(server, &iphone, link).await;
    claimant.token_update().await.unwrap();

    assert_eq!(quarantined(server).await, None);
    assert_eq!(server.id_of(&claimant).await, Some(iphone.id()), "the clientid stays");
    assert_ne!(enrollment(server, &iphone).await, before);
    assert!(record(server, &iphone).await.managed);
    let state = server.records().await.command(iphone.id(), command).await.unwrap().unwrap().state;
    assert_eq!(state, CommandState::Cancelled, "archived, and not handed to the new one");
    let done: Vec<_> = claimant.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(done, ["DeviceInformation", "SecurityInfo", "DeclarativeManagement"]);
    assert_eq!(channel(server, &iphone).await.push_token, claimant.push_address().token);

    let old = Speaker::new(server, iphone.credential().clone(), iphone.model().udid.clone());
    assert_eq!(old.idle().await, Reply::refused(403));
    assert_eq!(old.token_update().await, Reply::refused(403));
    assert_eq!(old.authenticate().await, Reply::refused(403));
}

/// A claim by `link` is not good: it waits, and nothing changes for the device.
async fn is_quarantined(server: &TestServer, iphone: &Device, link: String) {
    let before = enrollment(server, iphone).await;
    let mut claimant = claimant(server, iphone, link).await;
    claimant.token_update().await.unwrap();
    let waiting = quarantined(server).await.expect("it is in quarantine");
    assert_ne!(waiting.id, iphone.id());
    assert!(!waiting.managed);
    assert_eq!(enrollment(server, iphone).await, before);
    assert_eq!(server.count_events("device.quarantined").await, 1);
    // It is told nothing, and it is not sent away: an administrator may still approve it.
    assert_eq!(claimant.idle().await, Ok(None));
    claimant.token_update().await.unwrap();
    let refused =
        server.mdm().act(&server.owner(), waiting.id, &domain::Action::Lock(domain::Lock::default())).await;
    assert!(matches!(refused, Err(domain::Error::Unsupported(_))), "{refused:?}");
    assert!(!matches!(claimant.idle().await, Err(Failure::NotEnrolled(_))));
}
