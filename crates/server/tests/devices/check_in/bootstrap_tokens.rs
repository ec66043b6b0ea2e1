//! Bootstrap tokens: what a Mac leaves with its server, and gets back.

use apple::checkin::{BootstrapToken, GetBootstrapToken, SetBootstrapToken};
use apple::{CheckIn, Identifiers};
use domain::{DeviceSecret, Error, Thing};
use simulator::apple_device::{AppleDevice, DeviceModel, Failure};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::tokens::enrollment;
use crate::speaker::{Reply, Speaker};

on_both!(a_mac_gets_back_what_it_left);
async fn a_mac_gets_back_what_it_left(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let left = mac.bootstrap_token().await.unwrap().expect("a Mac leaves one when it enrolls");
    mac.set_bootstrap_token(Some(vec![7; 64 << 10])).await.unwrap();
    assert_ne!(mac.bootstrap_token().await.unwrap(), Some(left));
}

on_both!(a_token_that_is_empty_or_missing_is_taken_back);
/// 51, 52
async fn a_token_that_is_empty_or_missing_is_taken_back(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    for none in [None, Some(vec![])] {
        mac.leave_bootstrap_token().await.unwrap();
        let speaker = speaker(&server, &mac);
        let ids = speaker.ids();
        let message = SetBootstrapToken { ids: ids.clone(), token: none, awaiting_configuration: None };
        assert_eq!(speaker.check_in(&CheckIn::SetBootstrapToken(message)).await, Reply::fine());
        let reply = speaker.check_in(&get(ids)).await;
        assert_eq!(reply.status, 200);
        assert_eq!(BootstrapToken::parse(&reply.body), Ok(BootstrapToken::default()));
        assert!(reply.text().contains("<key>BootstrapToken</key>"), "{}", reply.text());
    }
}

on_both!(it_is_sealed_where_it_is_kept);
async fn it_is_sealed_where_it_is_kept(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let plain = mac.bootstrap_token().await.unwrap().unwrap();
    let enrollment = enrollment(&server, &mac).await;
    let sealed = server.records().await.bootstrap_token(enrollment).await.unwrap().unwrap();
    assert!(!sealed.windows(plain.len()).any(|window| window == plain));
}

on_both!(a_new_enrollment_does_not_inherit_it);
/// 16
async fn a_new_enrollment_does_not_inherit_it(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let before = enrollment(&server, &mac).await;
    let left = mac.bootstrap_token().await.unwrap();
    mac.check_out().await.unwrap();
    // It enrolls anew, and leaves none.
    let mut again =
        AppleDevice::install(server.options(server.link().await, mac.model().clone())).await.unwrap();
    again.authenticate().await.unwrap();
    again.token_update().await.unwrap();
    assert_ne!(enrollment(&server, &mac).await, before);
    assert_eq!(again.bootstrap_token().await.unwrap(), None);
    let archived =
        server.mdm().reveal(&server.owner(), mac.id(), DeviceSecret::BootstrapToken).await.unwrap();
    assert_eq!(
        (Some(archived.value), archived.is_current),
        (left, false),
        "that of the enrollment before is kept"
    );
}

on_both!(whoever_looks_at_it_is_written_down);
async fn whoever_looks_at_it_is_written_down(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let left = mac.bootstrap_token().await.unwrap();
    let owner = server.owner();
    let reveal = |secret| server.mdm().reveal(&owner, mac.id(), secret);
    assert_eq!(reveal(DeviceSecret::BootstrapToken).await.ok().map(|it| it.value), left);
    let none = reveal(DeviceSecret::UnlockToken).await;
    assert!(matches!(none, Err(Error::NotFound(Thing::Secret))), "a Mac has no unlock token");
    let events = server.events(Some(mac.id())).await;
    let looks: Vec<_> = events.iter().filter(|event| event.kind == "secret.revealed").collect();
    assert_eq!(looks.len(), 1);
    assert_eq!(looks[0].details["secret"], "bootstrap-token");
}

on_both!(a_mac_in_quarantine_keeps_its_token_when_it_is_approved);
async fn a_mac_in_quarantine_keeps_its_token_when_it_is_approved(server: TestServer) {
    let first = server.enrolled_mac().await;
    let options = server.options(server.link().await, first.model().clone());
    let mut second = AppleDevice::enroll(options).await.unwrap();
    let claim =
        server.devices_of(server.tenant()).await.into_iter().find(|device| device.quarantined).unwrap();
    server.mdm().approve_device(&server.owner(), claim.id).await.unwrap();
    assert!(second.bootstrap_token().await.unwrap().is_some());
    let handed: Vec<_> = second.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert!(handed.contains(&"DeclarativeManagement".into()), "{handed:?}");
}

#[tokio::test]
async fn only_the_device_itself_has_one() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    let speaker = speaker(&server, &mac);
    let ids = Identifiers { user_id: Some("6A8D1C70-0001".into()), ..speaker.ids() };
    let message = SetBootstrapToken { ids: ids.clone(), token: Some(vec![1]), awaiting_configuration: None };
    assert_eq!(speaker.check_in(&CheckIn::SetBootstrapToken(message)).await, Reply::refused(400));
    assert_eq!(speaker.check_in(&get(ids)).await, Reply::refused(400));
    let other = server.enrolled_mac().await;
    let thief = Speaker::new(&server, other.credential().clone(), mac.model().udid.clone());
    assert_eq!(thief.check_in(&get(thief.ids())).await, Reply::refused(403));
    assert!(mac.bootstrap_token().await.unwrap().is_some());
}

#[tokio::test]
async fn before_the_enrollment_there_is_nothing_to_keep() {
    let server = TestServer::start().await;
    let options = server.options(server.link().await, DeviceModel::mac(server.seed()));
    let mut mac = AppleDevice::install(options).await.unwrap();
    mac.authenticate().await.unwrap();
    let refused = mac.leave_bootstrap_token().await;
    assert!(matches!(refused, Err(Failure::Refused { status: 403, .. })), "{refused:?}");
    mac.token_update().await.unwrap();
    mac.leave_bootstrap_token().await.unwrap();
}

fn speaker(server: &TestServer, device: &Device) -> Speaker {
    Speaker::new(server, device.credential().clone(), device.model().udid.clone())
}

fn get(ids: Identifiers) -> CheckIn {
    CheckIn::GetBootstrapToken(GetBootstrapToken { ids, awaiting_configuration: None })
}
