//! Users of a device: each has a channel of its own, beside the device's.

use apple::{CheckIn, CheckOut, Identifiers, Report, TokenUpdate};
use domain::{ChannelKey, CommandId, CommandState, DeviceName, NewCommand, NotSent, Schedule};
use serde_json::json;
use simulator::apple_device::Failure;
use testkit::{
    on_both,
    server::{Device, TOPIC, TestServer},
};

use super::tokens::{channel, enrollment};

const ANNA: &str = "6A8D1C70-0001";
const BERT: &str = "6A8D1C70-0002";

on_both!(token_and_magic_are_per_channel);
/// 20
async fn token_and_magic_are_per_channel(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let before = channel(&server, &mac).await;
    for (user, token) in [(ANNA, 1), (BERT, 2)] {
        logs_in(&mut mac, user, token).await;
    }
    assert_eq!(channel(&server, &mac).await, before, "the device's own is untouched");
    assert_eq!(token_of(&server, &mac, ANNA).await, Some(vec![1; 32]));
    logs_in(&mut mac, ANNA, 3).await;
    assert_eq!(token_of(&server, &mac, ANNA).await, Some(vec![3; 32]));
    assert_eq!(token_of(&server, &mac, BERT).await, Some(vec![2; 32]));
}

on_both!(a_user_gets_nothing_of_the_devices_queue);
/// 26
async fn a_user_gets_nothing_of_the_devices_queue(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    logs_in(&mut mac, ANNA, 1).await;
    server.lock(&mac).await;
    let idle = Report::idle(user(&mac, ANNA));
    assert_eq!(mac.poll(&idle).await.unwrap(), None);
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
}

#[tokio::test]
async fn a_user_cannot_answer_for_the_device() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    logs_in(&mut mac, ANNA, 1).await;
    server.lock(&mac).await;
    mac.idle().await.unwrap();
    let uuid = mac.current().unwrap().command_uuid.clone();
    let usurped = Report::acknowledged(user(&mac, ANNA), &uuid);
    let other = crate::speaker::Speaker::new(&server, mac.credential().clone(), mac.model().udid.clone());
    assert_eq!(other.report(&usurped).await, crate::speaker::Reply::fine());
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")), "it is still open");
    assert_eq!(mac.acknowledge().await, Ok(None));
}

on_both!(a_user_who_checks_out_does_not_unenroll_the_device);
/// 19
async fn a_user_who_checks_out_does_not_unenroll_the_device(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    logs_in(&mut mac, ANNA, 1).await;
    let check_out = CheckOut { topic: TOPIC.into(), ids: user(&mac, ANNA) };
    mac.check_in(&CheckIn::CheckOut(check_out)).await.unwrap();
    assert_eq!(token_of(&server, &mac, ANNA).await, None);
    let view = server.mdm().device(&server.owner(), &DeviceName::Id(mac.id())).await.unwrap();
    assert!(view.device.managed && !view.device.profile_removed);
    server.lock(&mac).await;
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
}

on_both!(a_user_enrolls_nobody);
async fn a_user_enrolls_nobody(server: TestServer) {
    use simulator::apple_device::{AppleDevice, DeviceModel};
    let options = server.options(server.link().await, DeviceModel::mac(server.seed()));
    let mut mac = AppleDevice::install(options).await.unwrap();
    mac.authenticate().await.unwrap();
    let ids = Identifiers { user_id: Some(ANNA.into()), ..mac.model().identifiers() };
    let message = TokenUpdate { ids, ..mac.token_update_message() };
    let refused = mac.check_in(&CheckIn::TokenUpdate(message)).await;
    assert!(matches!(refused, Err(Failure::Refused { status: 403, .. })), "{refused:?}");
    assert_eq!(super::count(&server).await, 0);
    mac.token_update().await.unwrap();
    assert_eq!(super::count(&server).await, 1);
}

on_both!(users_of_a_shared_ipad_are_known_by_their_names);
/// 23: on a Shared iPad every user has the same `UserID`, and the short name tells them apart.
async fn users_of_a_shared_ipad_are_known_by_their_names(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    for (name, token) in [("anna@example.com", 1), ("bert@example.com", 2)] {
        let ids = Identifiers {
            user_id: Some("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF".into()),
            user_short_name: Some(name.into()),
            ..ipad.model().identifiers()
        };
        let message = TokenUpdate { ids, token: vec![token; 32], ..ipad.token_update_message() };
        ipad.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
    }
    assert_eq!(token_of(&server, &ipad, "anna@example.com").await, Some(vec![1; 32]));
    assert_eq!(token_of(&server, &ipad, "bert@example.com").await, Some(vec![2; 32]));
}

/// 24: two Macs may have the same user.
#[tokio::test]
async fn the_same_user_of_two_macs_is_two() {
    let server = TestServer::start().await;
    let (mut one, mut other) = (server.enrolled_mac().await, server.enrolled_mac().await);
    logs_in(&mut one, ANNA, 1).await;
    logs_in(&mut other, ANNA, 2).await;
    assert_eq!(token_of(&server, &one, ANNA).await, Some(vec![1; 32]));
    assert_eq!(token_of(&server, &other, ANNA).await, Some(vec![2; 32]));
}

on_both!(what_waits_for_users_goes_with_the_device);
/// 12: of a device that leaves, or enrolls anew, no queue is left, those of its users neither.
async fn what_waits_for_users_goes_with_the_device(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    logs_in(&mut mac, ANNA, 1).await;
    let sent = async |mac: &Device| send(&server, mac, ANNA).await;
    let before_it_left = sent(&mac).await;
    mac.check_out().await.unwrap();
    assert_eq!(server.command(&mac, before_it_left).await.state, CommandState::Cancelled);

    mac.re_enroll(Some(&server.link().await)).await.unwrap();
    logs_in(&mut mac, ANNA, 2).await;
    let before_it_was_erased = sent(&mac).await;
    mac.erase();
    let link = server.link_for(None, Some(mac.id()), 1).await;
    mac.re_enroll(Some(&link)).await.unwrap();
    assert_eq!(server.command(&mac, before_it_was_erased).await.state, CommandState::Cancelled);
    let ids = user(&mac, ANNA);
    let speaker = crate::speaker::Speaker::new(&server, mac.credential().clone(), mac.model().udid.clone());
    assert_eq!(speaker.report(&Report::idle(ids)).await, crate::speaker::Reply::fine(), "nothing for Anna");
}

on_both!(a_user_who_is_not_at_the_screen_is_managed_all_the_same);
/// 13b: `NotOnConsole` says that another user is at the screen, and neither that this one left.
async fn a_user_who_is_not_at_the_screen_is_managed_all_the_same(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    for not_on_console in [Some(true), Some(false), None] {
        let message = TokenUpdate {
            ids: user(&mac, ANNA),
            token: vec![1; 32],
            unlock_token: None,
            not_on_console,
            ..mac.token_update_message()
        };
        mac.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
        assert_eq!(token_of(&server, &mac, ANNA).await, Some(vec![1; 32]));
        let id = send(&server, &mac, ANNA).await;
        let ids = user(&mac, ANNA);
        let handed = mac.poll(&Report::idle(ids.clone())).await.unwrap().unwrap().command_uuid.clone();
        assert_eq!(handed.to_lowercase(), id.to_string());
        assert_eq!(mac.poll(&Report::acknowledged(ids, &handed)).await.unwrap(), None);
    }
}

on_both!(a_user_of_a_mac_under_user_enrollment_is_known_by_the_enrollment_user_id);
/// 22: no UDID, and `EnrollmentUserID` in place of `UserID`.
async fn a_user_of_a_mac_under_user_enrollment_is_known_by_the_enrollment_user_id(server: TestServer) {
    use crate::speaker::{Reply, Speaker};
    use apple::Authenticate;
    use simulator::apple_device::{AppleDevice, DeviceModel};
    let options = server.options(server.link().await, DeviceModel::mac(server.seed()));
    let mac = AppleDevice::install(options).await.unwrap();
    let ids = Identifiers { enrollment_id: Some("8F1B-77".into()), ..Identifiers::default() };
    let anna = Identifiers { enrollment_user_id: Some("EU-1".into()), ..ids.clone() };
    let speaker = Speaker::new(&server, mac.credential().clone(), "unused");
    let authenticate = Authenticate { ids: ids.clone(), serial_number: None, ..mac.authenticate_message() };
    let own = TokenUpdate { ids, unlock_token: None, ..mac.token_update_message() };
    let hers = TokenUpdate { ids: anna.clone(), token: vec![1; 32], ..own.clone() };
    for message in
        [CheckIn::Authenticate(authenticate), CheckIn::TokenUpdate(own), CheckIn::TokenUpdate(hers)]
    {
        assert_eq!(speaker.check_in(&message).await, Reply::fine());
    }
    let device = server.devices_of(server.tenant()).await.remove(0);
    let users = server.mdm().diagnose(&server.owner(), device.id).await.unwrap().users;
    assert_eq!((device.key.as_str(), users.len(), users[0].key.0.as_str()), ("8F1B-77", 1, "EU-1"));
    let sent = send_to(&server, "udid:8F1B-77", "EU-1").await.unwrap();
    let handed = speaker.report(&Report::idle(anna)).await;
    assert!(handed.text().contains(&sent.to_string().to_uppercase()), "{handed:?}");
}

/// A command that every user of a Mac takes.
async fn send(server: &TestServer, device: &Device, user: &str) -> CommandId {
    send_to(server, &device.client_id(), user).await.unwrap()
}

async fn send_to(server: &TestServer, device: &str, user: &str) -> Result<CommandId, NotSent> {
    let request = json!({ "RequestType": "ProfileList" });
    let command = NewCommand {
        request: apple::command::RawCommand::from_json(&request).unwrap(),
        schedule: Schedule::default(),
        dedupe: None,
        user: Some(user.into()),
    };
    server.mdm().send_command(&server.owner(), &command, &[device.to_owned()]).await.unwrap().remove(0)
}

fn user(device: &Device, user: &str) -> Identifiers {
    Identifiers {
        user_id: Some(user.into()),
        user_short_name: Some("anna".into()),
        ..device.model().identifiers()
    }
}

/// A user's `TokenUpdate`, with a token of this byte.
async fn logs_in(device: &mut Device, who: &str, token: u8) {
    let message = TokenUpdate {
        ids: user(device, who),
        token: vec![token; 32],
        push_magic: format!("magic of {who}"),
        unlock_token: None,
        ..device.token_update_message()
    };
    device.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
}

async fn token_of(server: &TestServer, device: &Device, user: &str) -> Option<Vec<u8>> {
    let enrollment = enrollment(server, device).await;
    let channel = server.records().await.channel(enrollment, &ChannelKey(user.into())).await;
    channel.unwrap().map(|channel| channel.push_token)
}
