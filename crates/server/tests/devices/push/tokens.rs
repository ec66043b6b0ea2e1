//! Which tokens are pushed to: only 410 retires one (64).

use std::time::Duration;

use testkit::{on_both, server::TestServer};

use super::settled;
use crate::check_in::tokens::enrollment;

on_both!(a_token_that_is_gone_is_pushed_to_no_more);
async fn a_token_that_is_gone_is_pushed_to_no_more(server: TestServer) {
    let iphone = settled(&server).await;
    server.apns().retire(&iphone.push_address().token);
    server.lock(&iphone).await;
    server.pushed().await;
    assert_eq!(server.apns().counters().refused, 1);
    assert_eq!(server.count_events("push.token_gone").await, 1);
    let arrived = server.apns().counters().arrived;
    for _ in 0..3 {
        server.lock(&iphone).await;
        server.pushed().await;
    }
    server.clock().advance(Duration::from_hours(1));
    server.pushed().await;
    assert_eq!(server.apns().counters().arrived, arrived);
}

on_both!(the_next_token_update_revives_it);
async fn the_next_token_update_revives_it(server: TestServer) {
    let mut iphone = settled(&server).await;
    server.apns().retire(&iphone.push_address().token);
    server.lock(&iphone).await;
    server.pushed().await;
    let accepted = server.apns().counters().accepted;
    iphone.rotate_push_address().await.unwrap();
    // A command waits, so that the device is woken without anybody asking again.
    server.apns().watch().wait_for(|so_far| so_far.accepted == accepted + 1).await.unwrap();
    assert_eq!(server.apns().pushes().last().unwrap().token, iphone.push_address().token);
    assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")));
}

on_both!(a_bad_token_is_kept_and_an_alarm_is_raised);
/// `BadDeviceToken` usually means that our certificate is wrong: never give up a fleet for it.
async fn a_bad_token_is_kept_and_an_alarm_is_raised(server: TestServer) {
    let iphone = settled(&server).await;
    for (round, reason) in
        ["BadDeviceToken", "DeviceTokenNotForTopic", "TopicDisallowed"].into_iter().enumerate()
    {
        server.apns().refuse_next(400, reason, None);
        server.lock(&iphone).await;
        server.until(async |server| server.count_events("push.refused").await == round + 1).await;
        assert_eq!(server.count_events("push.token_gone").await, 0);
        let said = server.events(Some(iphone.id())).await[0].details.to_string();
        assert!(said.contains(reason), "{said}");
        // It is tried again once somebody has had the time to mend it.
        let accepted = server.apns().counters().accepted;
        server.clock().advance(Duration::from_mins(30));
        server.apns().watch().wait_for(|so_far| so_far.accepted == accepted + 1).await.unwrap();
        server.pushed().await;
    }
}

on_both!(a_refusal_of_our_certificate_retires_nobody);
async fn a_refusal_of_our_certificate_retires_nobody(server: TestServer) {
    let iphone = settled(&server).await;
    server.apns().refuse_next(403, "BadCertificate", None);
    server.lock(&iphone).await;
    server.until(async |server| server.count_events("push.refused").await == 1).await;
    let enrollment = enrollment(&server, &iphone).await;
    let channel = server.records().await.channel(enrollment, &domain::ChannelKey::default()).await.unwrap();
    assert_eq!(channel.unwrap().push_token, iphone.push_address().token);
}

on_both!(a_purged_device_is_woken_once_more);
/// So that it connects, and hears that it is to drop its management.
async fn a_purged_device_is_woken_once_more(server: TestServer) {
    let iphone = settled(&server).await;
    let arrived = server.apns().counters().arrived;
    let guid = iphone.id().0.hyphenated().to_string();
    server.mdm().ask_purge(&server.owner(), &[], &[guid]).await.unwrap();
    server.settled().await;
    server.pushed().await;
    assert_eq!(server.apns().counters().arrived, arrived + 1);
    assert_eq!(server.apns().pushes().last().unwrap().token, iphone.push_address().token);
}
