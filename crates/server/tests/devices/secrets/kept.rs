//! Who may look at secrets, of which enrollment they are, and when they go.

use apple::CheckIn;
use domain::{
    DeviceSecret::{self, BootstrapToken, LockPin, UnlockToken},
    Error, Role,
    SecretStanding::{Confirmed, Waiting},
};
use reqwest::Method;
use serde_json::json;
use simulator::apple_device::AppleDevice;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{done, has_none, list, revealed, send, told};

fn lock(pin: &str) -> serde_json::Value {
    json!({ "RequestType": "DeviceLock", "PIN": pin })
}

#[tokio::test]
async fn looking_takes_an_operator_and_leaves_an_event() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    done(&server, &mut mac, lock("482913")).await;
    let path = format!("devices/{}/secrets/lock-pin/reveal", mac.client_id());
    let reveal = async |key: String| server.api().with_key(&key).admin(Method::POST, &path, None).await;

    let (_, stranger) = server.another_tenant("other").await;
    for (key, status) in [(server.key_of(Role::Viewer).await, 403), (stranger, 404), ("none".into(), 401)] {
        let refused = reveal(key).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(!refused.text.contains("482913"), "{}", refused.text);
    }
    assert_eq!(server.count_events("secret.revealed").await, 0);

    let shown = reveal(server.key_of(Role::Operator).await).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(shown.headers["cache-control"], "no-store");
    let (value, state) = (&shown.body["value"], &shown.body["state"]);
    assert_eq!((value, state, &shown.body["current"]), (&json!("482913"), &json!("confirmed"), &json!(true)));
    let events = server.events(Some(mac.id())).await;
    let event = events.iter().find(|event| event.kind == "secret.revealed").expect("an event");
    assert!(event.actor.starts_with("admin:") && event.details["secret"] == "lock-pin");
    assert_eq!(
        (&event.details["enrollment"], &event.details["command"]),
        (&shown.body["enrollment"], &shown.body["command"])
    );
    assert!(!event.details.to_string().contains("482913"));
}

#[tokio::test]
async fn whoever_may_only_look_sees_no_secret_by_any_way() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    done(&server, &mut mac, lock("482913")).await;
    let key = server.key_of(Role::Viewer).await;
    let viewer = server.mdm().actor_for_api_key(&key, None).await.unwrap();
    for secret in DeviceSecret::ALL {
        let refused = server.mdm().reveal(&viewer, mac.id(), secret).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{}", secret.name());
    }
    assert!(matches!(server.mdm().reveal_pin(&viewer, mac.id()).await, Err(Error::Forbidden(_))));
    assert_eq!(server.count_events("secret.revealed").await, 0);
}

#[tokio::test]
async fn a_secret_of_no_kind_and_one_that_is_not_there_are_not_found() {
    let server = TestServer::start().await;
    let mac = server.enrolled_mac().await;
    for secret in ["password", "erase-pin", "unlock-token"] {
        let path = format!("devices/{}/secrets/{secret}/reveal", mac.client_id());
        assert_eq!(server.api().admin(Method::POST, &path, None).await.status, 404, "{secret}");
    }
    assert_eq!(server.count_events("secret.revealed").await, 0);
}

/// Enrolls the device of `before` anew, without any token in its messages.
async fn enrolled_anew(server: &TestServer, before: &mut Device) -> AppleDevice {
    before.check_out().await.unwrap();
    let options = server.options(server.link().await, before.model().clone());
    let mut again = AppleDevice::install(options).await.unwrap();
    again.authenticate().await.unwrap();
    let mut message = again.token_update_message();
    message.unlock_token = None;
    again.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
    assert_eq!(server.id_of(&again).await, Some(before.id()), "it is the same device");
    again
}

on_both!(what_enrolls_anew_inherits_no_secret_and_the_archive_says_so);
/// 16: archived, and told as such; never taken for one of the new enrollment.
async fn what_enrolls_anew_inherits_no_secret_and_the_archive_says_so(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let token = mac.bootstrap_token().await.unwrap().unwrap();
    done(&server, &mut mac, lock("111111")).await;
    let before = revealed(&server, &mac, LockPin).await;
    assert!(before.is_current);
    let mut again = enrolled_anew(&server, &mut mac).await;

    assert_eq!(again.bootstrap_token().await.unwrap(), None);
    let archived = revealed(&server, &mac, BootstrapToken).await;
    assert_eq!((archived.value, archived.is_current), (token, false));
    let archived = revealed(&server, &mac, LockPin).await;
    assert_eq!((archived.is_current, archived.enrollment), (false, before.enrollment));

    again.connect().await.unwrap();
    send(&server, &mac, lock("222222")).await;
    let found = revealed(&server, &mac, LockPin).await;
    assert_eq!(list(&found), told([("222222", Waiting), ("111111", Confirmed)]));
    assert_eq!((found.is_current, found.others[0].is_current), (true, false));
    again.connect().await.unwrap();
    server.settled().await;
    assert_eq!(list(&revealed(&server, &mac, LockPin).await), told([("222222", Confirmed)]));
}

on_both!(an_unlock_token_of_before_clears_no_passcode_of_now);
/// 16
async fn an_unlock_token_of_before_clears_no_passcode_of_now(server: TestServer) {
    let mut iphone = server.enrolled_iphone().await;
    let token = iphone.push_address().unlock_token.clone();
    let _again = enrolled_anew(&server, &mut iphone).await;
    let archived = revealed(&server, &iphone, UnlockToken).await;
    assert_eq!((Some(archived.value), archived.is_current), (token, false));
    let clear = domain::ResetPasscode::new(None).unwrap();
    let refused = server.mdm().act(&server.owner(), iphone.id(), &domain::Action::ResetPasscode(clear)).await;
    assert!(matches!(refused, Err(Error::Unsupported(domain::Unsupported::NoUnlockToken))), "{refused:?}");
}

on_both!(a_purge_takes_every_secret_with_it);
async fn a_purge_takes_every_secret_with_it(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    done(&server, &mut mac, lock("111111")).await;
    mac.model_mut().secrets.recovery_key = Some(b"a key".to_vec());
    done(&server, &mut mac, json!({ "RequestType": "SecurityInfo" })).await;
    for secret in [LockPin, BootstrapToken, DeviceSecret::FileVaultRecoveryKey] {
        assert!(!has_none(&server, &mac, secret).await);
    }
    let application = server.application().await;
    let token = server.token_of(&application).await;
    let body = json!({ "guids": [mac.id().to_string()] });
    assert_eq!(server.api().purge(&token, &server.tenant().to_string(), body).await.status, 202);
    server.settled().await;
    let mut records = server.records().await;
    for secret in DeviceSecret::ALL {
        let gone = server.mdm().reveal(&server.owner(), mac.id(), secret).await;
        assert!(matches!(gone, Err(Error::NotFound(domain::Thing::Device))), "{}", secret.name());
        assert_eq!(records.escrow(mac.id(), secret.name(), 9).await.unwrap(), []);
    }
    assert_eq!(records.bootstrap_tokens(mac.id()).await.unwrap(), []);
}
