//! `device/resetpasscode`.

use apple::Command;
use serde_json::json;
use simulator::apple_device::DeviceModel;
use testkit::{on_both, server::TestServer};

use super::{action, ask, cannot, info};

on_both!(a_passcode_is_cleared_with_the_token_that_the_device_gave);

async fn a_passcode_is_cleared_with_the_token_that_the_device_gave(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    assert_eq!(info(&server, &phone).await["passwordenabled"], true);
    ask(&server, "resetpasscode", &phone, json!({ "password": ["not looked at"] })).await;
    ask(&server, "resetpasscode", &phone, json!({})).await;
    assert_eq!(action(&info(&server, &phone).await, "resetpasscode"), (1, true));
    assert_eq!(phone.idle().await.unwrap(), Some("ClearPasscode"));
    let Ok(Command::ClearPasscode(command)) = &phone.current().unwrap().command else { panic!("a reset") };
    assert_eq!(Some(&command.unlock_token), phone.push_address().unlock_token.as_ref());
    assert_eq!(phone.acknowledge().await.unwrap(), None, "one, and no second");
    let now = info(&server, &phone).await;
    assert_eq!((&now["passwordenabled"], action(&now, "resetpasscode")), (&json!(false), (0, true)));
}

#[tokio::test]
async fn the_newest_token_counts() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    phone.rotate_push_address().await.unwrap();
    ask(&server, "resetpasscode", &phone, json!({})).await;
    phone.connect().await.unwrap();
    assert!(!phone.model().passcode_set);
    assert_eq!(info(&server, &phone).await["passwordenabled"], false);
}

#[tokio::test]
async fn the_token_is_kept_sealed_also_in_the_queue() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    ask(&server, "resetpasscode", &phone, json!({})).await;
    let token = phone.push_address().unlock_token.clone().expect("a token");
    let open = server.records().await.open_commands(phone.id()).await.unwrap();
    let reset = open.iter().find(|command| command.request_type == "ClearPasscode").expect("the reset");
    assert!(reset.sealed && reset.judged.as_ref().unwrap().faults.is_none());
    assert!(!reset.payload.windows(token.len()).any(|window| window == token));
}

on_both!(without_a_token_no_passcode_can_be_cleared);

async fn without_a_token_no_passcode_can_be_cleared(server: TestServer) {
    let mac = server.enrolled_mac().await;
    cannot(&server, "resetpasscode", "resetpasscode", &mac, json!({}), "PLATFORM_UNSUPPORTED").await;
    let own = server.enrolled(DeviceModel::user_enrolled_iphone(server.seed())).await;
    cannot(&server, "resetpasscode", "resetpasscode", &own, json!({}), "USER_ENROLLMENT_UNSUPPORTED").await;

    let phone = server.enrolled_iphone().await;
    assert_eq!(action(&info(&server, &phone).await, "resetpasscode"), (0, true));
    // As if the live enrollment were another one, in which the device has told no token.
    let nowhere = "00000000-0000-0000-0000-000000000007".parse().unwrap();
    server.change_record(phone.id(), |record| record.enrollment = nowhere).await;
    cannot(&server, "resetpasscode", "resetpasscode", &phone, json!({}), "UNLOCK_TOKEN_MISSING").await;
}
