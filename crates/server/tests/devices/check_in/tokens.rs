//! `TokenUpdate`, again and again.

use apple::CheckIn;
use domain::{Channel, ChannelKey, DeviceName};
use simulator::apple_device::{AppleDevice, DeviceModel, Failure, LostAnswer};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

on_both!(a_repeated_token_changes_nothing);
async fn a_repeated_token_changes_nothing(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    let before = channel(&server, &ipad).await;
    for _ in 0..3 {
        ipad.token_update().await.unwrap();
    }
    ipad.lose_next_answer(LostAnswer::Retried);
    ipad.token_update().await.unwrap();
    let after = channel(&server, &ipad).await;
    assert_eq!((before.push_token, before.push_magic), (after.push_token, after.push_magic));
    assert_eq!(server.id_of(&ipad).await, Some(ipad.id()));
}

on_both!(a_token_update_keeps_the_queue);
/// 13
async fn a_token_update_keeps_the_queue(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    server.lock(&ipad).await;
    ipad.token_update().await.unwrap();
    assert_eq!(ipad.idle().await, Ok(Some("DeviceLock")));
    ipad.token_update().await.unwrap();
    assert_eq!(ipad.acknowledge().await, Ok(None));
}

on_both!(token_magic_and_unlock_token_are_replaced);
/// 13b
async fn token_magic_and_unlock_token_are_replaced(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    assert_eq!(unlock_token(&server, &iphone).await, iphone.push_address().unlock_token);
    iphone.rotate_push_address().await.unwrap();
    let stored = channel(&server, &iphone).await;
    let address = iphone.push_address().clone();
    assert_eq!((stored.push_token, stored.push_magic), (address.token.clone(), address.magic));
    assert_eq!(unlock_token(&server, &iphone).await, address.unlock_token);
    // And the next push goes there.
    server.pushed().await;
    server.lock(&iphone).await;
    server.pushed().await;
    assert_eq!(server.apns().pushes().last().unwrap().token, address.token);
}

on_both!(an_unlock_token_that_is_absent_is_not_deleted);
/// 15: Apple says so in as many words.
async fn an_unlock_token_that_is_absent_is_not_deleted(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let mut without = iphone.token_update_message();
    without.unlock_token = None;
    iphone.check_in(&CheckIn::TokenUpdate(without)).await.unwrap();
    assert_eq!(unlock_token(&server, &iphone).await, iphone.push_address().unlock_token);
}

on_both!(a_mac_has_no_unlock_token);
async fn a_mac_has_no_unlock_token(server: TestServer) {
    let mac = server.enrolled_mac().await;
    assert_eq!(channel(&server, &mac).await.unlock_token, None);
}

#[tokio::test]
async fn an_unlock_token_may_change_its_size() {
    let server = TestServer::start().await;
    let mut iphone = server.enrolled_iphone().await;
    for size in [1, 2000, 64 << 10] {
        let mut larger = iphone.token_update_message();
        larger.unlock_token = Some(vec![5; size]);
        iphone.check_in(&CheckIn::TokenUpdate(larger)).await.unwrap();
        assert_eq!(unlock_token(&server, &iphone).await, Some(vec![5; size]));
    }
}

#[tokio::test]
async fn tokens_are_sealed_where_they_are_kept() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    let sealed = channel(&server, &iphone).await.unlock_token.unwrap();
    let plain = iphone.push_address().unlock_token.clone().unwrap();
    assert!(!sealed.windows(16).any(|window| window == &plain[..16]));
}

/// 13: a device may tell its token once and never again, so that it hears 200 when it is stored, and else what makes it try
/// again (7): neither a 200 nor a 4xx.
#[tokio::test]
async fn a_token_that_cannot_be_stored_is_not_taken() {
    let server = TestServer::on_postgres().await;
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let mut iphone = AppleDevice::install(options).await.unwrap();
    iphone.authenticate().await.unwrap();
    let away =
        |to: &str, from: &str| server.postgres().execute(&format!("ALTER TABLE {from} RENAME TO {to}"));
    away("channels_away", "channels");
    let failed = iphone.token_update().await;
    assert!(matches!(failed, Err(Failure::Unavailable { status: 500..=599, .. })), "{failed:?}");
    away("channels", "channels_away");
    assert_eq!(super::count(&server).await, 0, "nothing of it was written");
    iphone.token_update().await.unwrap();
    assert_eq!(super::count(&server).await, 1);

    iphone.connect().await.unwrap();
    away("channels_away", "channels");
    let failed = iphone.rotate_push_address().await;
    assert!(matches!(failed, Err(Failure::Unavailable { status: 500..=599, .. })), "{failed:?}");
    away("channels", "channels_away");
    iphone.token_update().await.unwrap();
    let id = server.id_of(&iphone).await.unwrap();
    let enrollment = server.devices_of(server.tenant()).await[0].enrollment;
    let stored = server.records().await.channel(enrollment, &ChannelKey::default()).await.unwrap().unwrap();
    assert_eq!(stored.push_token, iphone.push_address().token, "{id}");
}

/// The device channel of the enrollment that a device now has.
pub async fn channel(server: &TestServer, device: &Device) -> Channel {
    let enrollment = enrollment(server, device).await;
    let channel = server.records().await.channel(enrollment, &ChannelKey::default()).await;
    channel.unwrap().expect("a channel")
}

/// The unlock token that is kept for a device, opened.
async fn unlock_token(server: &TestServer, device: &Device) -> Option<Vec<u8>> {
    let ring = std::fs::read_to_string(server.folder().join("data/key-ring.json")).unwrap();
    let ring = pki::KeyRing::from_json(&ring).unwrap();
    let sealed = channel(server, device).await.unlock_token?;
    let context = format!("unlock-token/{}", enrollment(server, device).await);
    Some(ring.open(&context, &sealed).unwrap().to_vec())
}

/// The enrollment that a device now has.
pub async fn enrollment(server: &TestServer, device: &Device) -> domain::EnrollmentId {
    let view = server.mdm().device(&server.owner(), &DeviceName::Id(device.id())).await;
    view.unwrap().device.enrollment
}
