//! Devices that leave, and come back.

use apple::CheckIn;
use domain::{CommandState, DeviceName};
use simulator::apple_device::AppleDevice;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{
    count,
    tokens::{channel, enrollment},
};
use crate::speaker::{Reply, Speaker};

on_both!(a_device_that_checks_out_is_no_longer_managed);
async fn a_device_that_checks_out_is_no_longer_managed(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let command = server.lock(&iphone).await;
    iphone.check_out().await.unwrap();
    let view = server.mdm().device(&server.owner(), &DeviceName::Id(iphone.id())).await.unwrap();
    assert!(!view.device.managed && view.device.profile_removed);
    assert_eq!(view.pending, Vec::<String>::new());
    let state = server.records().await.command(iphone.id(), command).await.unwrap().unwrap().state;
    assert_eq!(state, CommandState::Cancelled);
    assert_eq!(server.count_events("device.checked_out").await, 1);
}

on_both!(a_check_out_may_be_said_again);
/// 18: best effort, so that it may come twice, or to a server that knows already.
async fn a_check_out_may_be_said_again(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let speaker = speaker(&server, &iphone);
    iphone.check_out().await.unwrap();
    assert_eq!(speaker.check_out().await, Reply::fine());
    assert_eq!(server.count_events("device.checked_out").await, 1);
}

on_both!(after_a_check_out_the_certificate_opens_nothing);
async fn after_a_check_out_the_certificate_opens_nothing(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let speaker = speaker(&server, &iphone);
    iphone.check_out().await.unwrap();
    assert_eq!(speaker.idle().await, Reply::refused(403));
    assert_eq!(speaker.token_update().await, Reply::refused(403));
    assert_eq!(speaker.authenticate().await, Reply::refused(403));
    assert_eq!(speaker.token_update().await, Reply::refused(403), "not even to enroll once more");
    let view = server.mdm().device(&server.owner(), &DeviceName::Id(iphone.id())).await.unwrap();
    assert!(!view.device.managed);
}

on_both!(a_device_that_comes_back_is_the_same_device);
async fn a_device_that_comes_back_is_the_same_device(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let client_id = iphone.client_id();
    for _ in 0..2 {
        iphone.check_out().await.unwrap();
        iphone.re_enroll(Some(&server.link().await)).await.unwrap();
        assert_eq!(server.id_of(&iphone).await.unwrap().client_id(), client_id);
        assert_eq!(count(&server).await, 1);
        let view = server.mdm().device(&server.owner(), &DeviceName::Id(iphone.id())).await.unwrap();
        assert!(view.device.managed && !view.device.profile_removed && !view.device.quarantined);
    }
    let done = iphone.connect().await.unwrap();
    assert_eq!(done.len(), 3, "it is asked for its inventory and told of its declarations again: {done:?}");
}

on_both!(a_device_that_comes_back_finds_nothing_of_its_old_queue);
async fn a_device_that_comes_back_finds_nothing_of_its_old_queue(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    server.lock(&mac).await;
    mac.check_out().await.unwrap();
    mac.re_enroll(Some(&server.link().await)).await.unwrap();
    let done = mac.connect().await.unwrap();
    assert!(done.iter().all(|done| done.request_type != "DeviceLock"), "{done:?}");
}

on_both!(a_device_that_comes_back_leaves_its_unlock_token_behind);
/// 16: stale ones are useless, or misleading.
async fn a_device_that_comes_back_leaves_its_unlock_token_behind(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let before = enrollment(&server, &iphone).await;
    assert!(channel(&server, &iphone).await.unlock_token.is_some());
    iphone.check_out().await.unwrap();
    // It enrolls anew without a token: then there is none.
    let options = server.options(server.link().await, iphone.model().clone());
    let mut again = AppleDevice::install(options).await.unwrap();
    again.authenticate().await.unwrap();
    let mut without = again.token_update_message();
    without.unlock_token = None;
    again.check_in(&CheckIn::TokenUpdate(without)).await.unwrap();
    assert_ne!(enrollment(&server, &iphone).await, before);
    let now = channel(&server, &iphone).await;
    assert_eq!((now.unlock_token, now.push_token), (None, again.push_address().token.clone()));
    // And its own when it tells one.
    again.token_update().await.unwrap();
    assert!(channel(&server, &iphone).await.unlock_token.is_some());
}

on_both!(a_push_that_was_due_before_goes_to_nobody_after_the_re_enrollment);
/// 12: the old token is dropped with its enrollment, and what was due for it is due for the new one's at most.
async fn a_push_that_was_due_before_goes_to_nobody_after_the_re_enrollment(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    server.pushed().await;
    let old = iphone.push_address().token.clone();
    server.apns().refuse_next(503, "ServiceUnavailable", None);
    let before = server.apns().pushes().len();
    server.lock(&iphone).await;
    server.until(async |server| server.apns().pushes().len() > before).await;
    iphone.check_out().await.unwrap();
    iphone.re_enroll(Some(&server.link().await)).await.unwrap();
    let new = iphone.push_address().token.clone();
    assert_ne!(old, new);
    server.clock().advance(std::time::Duration::from_hours(1));
    server.until(async |server| server.apns().pushes().iter().any(|push| push.token == new)).await;
    server.pushed().await;
    let later = server.apns().pushes().split_off(before + 1);
    assert!(later.iter().all(|push| push.token == new), "none of the old token");
}

on_both!(users_of_before_are_not_users_of_the_new_enrollment);
async fn users_of_before_are_not_users_of_the_new_enrollment(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let mut user = mac.token_update_message();
    user.ids.user_id = Some("6A8D1C70-0001".into());
    mac.check_in(&CheckIn::TokenUpdate(user)).await.unwrap();
    mac.check_out().await.unwrap();
    mac.re_enroll(Some(&server.link().await)).await.unwrap();
    let key = domain::ChannelKey("6A8D1C70-0001".into());
    let enrollment = enrollment(&server, &mac).await;
    assert_eq!(server.records().await.channel(enrollment, &key).await.unwrap(), None);
}

fn speaker(server: &TestServer, device: &Device) -> Speaker {
    Speaker::new(server, device.credential().clone(), device.model().udid.clone())
}
