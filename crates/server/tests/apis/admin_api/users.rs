//! Commands for the users of a device, each of whom has a channel of their own.

use apple::{CheckIn, CheckOut, Identifiers, Report, TokenUpdate};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{Answer, Device, TOPIC, TestServer},
};

use super::{lock, refused, send, sent, shown, state};

const ANNA: &str = "6A8D1C70-0001";
const EVERYBODY: &str = "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF";

fn user(device: &Device, id: &str, name: &str) -> Identifiers {
    Identifiers {
        user_id: Some(id.into()),
        user_short_name: Some(name.into()),
        ..device.model().identifiers()
    }
}

/// A user logs in: tells a push token of their own.
async fn logs_in(server: &TestServer, device: &mut Device, ids: Identifiers, token: u8) {
    let message = TokenUpdate {
        ids,
        token: vec![token; 32],
        push_magic: format!("magic {token}"),
        unlock_token: None,
        ..device.token_update_message()
    };
    drop(server.apns().register(&message.token, &message.push_magic));
    device.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
}

fn profile() -> Value {
    let payload = "<plist><dict><key>PayloadType</key><string>Configuration</string><key>PayloadUUID</key>\
         <string>u</string><key>PayloadIdentifier</key><string>com.example.mail</string><key>PayloadVersion</key>\
         <integer>1</integer><key>PayloadContent</key><array/></dict></plist>";
    use base64::{Engine, engine::general_purpose::STANDARD};
    json!({ "RequestType": "InstallProfile", "Payload": STANDARD.encode(payload) })
}

async fn send_to(server: &TestServer, device: &Device, user: &str, command: Value) -> Answer {
    send(server, json!({ "devices": [device.client_id()], "user": user, "command": command })).await
}

/// How often APNs was asked to wake this token.
fn pushes(server: &TestServer, token: u8) -> usize {
    server.apns().pushes().iter().filter(|push| push.token == [token; 32]).count()
}

on_both!(a_user_of_a_mac_is_sent_a_command_woken_for_it_and_answers);
/// 26: a push to the device wakes no user, and one to a user not the device.
async fn a_user_of_a_mac_is_sent_a_command_woken_for_it_and_answers(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let ids = user(&mac, ANNA, "anna");
    logs_in(&server, &mut mac, ids.clone(), 1).await;
    for name in ["anna", ANNA] {
        server.pushed().await;
        let (own, hers) = (server.apns().pushes().len() - pushes(&server, 1), pushes(&server, 1));
        let uuid = sent(&server, &mac, profile(), json!({ "user": name })).await;
        server.until(async |server| pushes(server, 1) > hers).await;
        server.pushed().await;
        assert_eq!(server.apns().pushes().len() - pushes(&server, 1), own, "the device sleeps on");
        assert_eq!(shown(&server, &uuid).await["channel"], ANNA);
        assert_eq!(mac.idle().await, Ok(None), "it is not the device's");
        let handed = mac.poll(&Report::idle(ids.clone())).await.unwrap().unwrap();
        assert_eq!(handed.request_type, "InstallProfile");
        let done = Report::acknowledged(ids.clone(), &handed.command_uuid.clone());
        assert_eq!(mac.poll(&done).await.unwrap(), None);
        assert_eq!(state(&server, &uuid).await, "done");
    }
}

on_both!(a_user_of_a_shared_ipad_is_sent_a_command_by_the_name_of_the_account);
/// 23: from the first login to the CheckOut.
async fn a_user_of_a_shared_ipad_is_sent_a_command_by_the_name_of_the_account(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    server.change_record(ipad.id(), |device| device.facts.shared = Some(true)).await;
    let (anna, bert) =
        (user(&ipad, EVERYBODY, "anna@example.com"), user(&ipad, EVERYBODY, "bert@example.com"));
    logs_in(&server, &mut ipad, anna.clone(), 1).await;
    logs_in(&server, &mut ipad, bert.clone(), 2).await;
    let uuid = sent(&server, &ipad, profile(), json!({ "user": "anna@example.com" })).await;
    server.until(async |server| pushes(server, 1) > 1).await;
    assert_eq!(ipad.poll(&Report::idle(bert.clone())).await.unwrap(), None, "it is Anna's");
    let handed = ipad.poll(&Report::idle(anna.clone())).await.unwrap().unwrap();
    assert_eq!(handed.command_uuid.to_lowercase(), uuid);
    let put_off = Report::not_now(anna.clone(), &handed.command_uuid.clone());
    assert_eq!(ipad.poll(&put_off).await.unwrap(), None);
    assert_eq!(state(&server, &uuid).await, "not_now");

    // Who leaves, leaves alone.
    let check_out = CheckOut { topic: TOPIC.into(), ids: anna };
    ipad.check_in(&CheckIn::CheckOut(check_out)).await.unwrap();
    assert_eq!(state(&server, &uuid).await, "cancelled");
    let gone = send_to(&server, &ipad, "anna@example.com", profile()).await;
    assert!(gone.body["failed"][0]["error"].as_str().unwrap().contains("no such user"), "{}", gone.text);
    sent(&server, &ipad, profile(), json!({ "user": "bert@example.com" })).await;
    assert!(ipad.poll(&Report::idle(bert)).await.unwrap().is_some());
}

on_both!(a_command_that_is_for_devices_only_is_refused_for_a_user);
async fn a_command_that_is_for_devices_only_is_refused_for_a_user(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    let ids = user(&mac, ANNA, "anna");
    logs_in(&server, &mut mac, ids.clone(), 1).await;
    let answer = send_to(&server, &mac, "anna", json!({ "RequestType": "RestartDevice" })).await;
    assert_eq!((answer.status, &answer.body["commands"]), (202, &json!([])));
    let error = answer.body["failed"][0]["error"].as_str().unwrap();
    assert!(error.contains("user channel"), "{error}");
    let answer = send_to(&server, &mac, "anna", lock("hello")).await;
    assert_eq!(answer.body["failed"].as_array().unwrap().len(), 1, "{}", answer.text);
    assert_eq!(mac.poll(&Report::idle(ids)).await.unwrap(), None);
    sent(&server, &mac, json!({ "RequestType": "RestartDevice" }), json!({})).await;
}

#[tokio::test]
async fn who_is_no_user_of_a_device_is_told_apart_from_who_is() {
    let server = TestServer::start().await;
    let (mut mac, other) = (server.enrolled_mac().await, server.enrolled_mac().await);
    let ids = user(&mac, ANNA, "anna");
    logs_in(&server, &mut mac, ids, 1).await;
    let body = json!({ "devices": [mac.client_id(), other.client_id(), "serial:nobody's"], "user": "anna",
        "command": profile() });
    let answer = send(&server, body).await;
    let named = |list: &str| -> Vec<String> {
        let list = answer.body[list].as_array().unwrap();
        list.iter().map(|it| it["device"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(named("commands"), [mac.client_id()], "{}", answer.text);
    assert_eq!(named("failed"), [other.client_id(), "serial:nobody's".into()]);
    for wrong in ["", "a\nb", &"x".repeat(1025)] {
        let answer = send_to(&server, &mac, wrong, profile()).await;
        refused(&answer, 400, "invalid");
        assert_eq!(answer.body["field"], "user");
    }
}

on_both!(a_key_is_that_of_one_channel);
/// A command with the same key replaces that of the same channel, and leaves the others'.
async fn a_key_is_that_of_one_channel(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    for (id, name, token) in [(ANNA, "anna", 1), ("6A8D1C70-0002", "bert", 2)] {
        let ids = user(&mac, id, name);
        logs_in(&server, &mut mac, ids, token).await;
    }
    let keyed = |user: Value| json!({ "user": user, "dedupe": "mail" });
    let own = sent(&server, &mac, profile(), keyed(Value::Null)).await;
    let [first, berts, second] = [
        sent(&server, &mac, profile(), keyed("anna".into())).await,
        sent(&server, &mac, profile(), keyed("bert".into())).await,
        sent(&server, &mac, profile(), keyed("anna".into())).await,
    ];
    let states = [&own, &first, &berts, &second].map(|uuid| state(&server, uuid));
    let mut found = Vec::new();
    for state in states {
        found.push(state.await);
    }
    assert_eq!(found, ["queued", "cancelled", "queued", "queued"]);
}

on_both!(each_channel_is_diagnosed_for_itself);
async fn each_channel_is_diagnosed_for_itself(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    for (id, name, token) in [(ANNA, "anna", 1), ("6A8D1C70-0002", "bert", 2)] {
        let ids = user(&mac, id, name);
        logs_in(&server, &mut mac, ids, token).await;
    }
    server.pushed().await;
    server.apns().retire(&[2; 32]);
    let path = format!("devices/{}/diagnosis", mac.client_id());
    let diagnosis = async || server.api().admin(Method::GET, &path, None).await.body;
    let before = pushes(&server, 1);
    sent(&server, &mac, profile(), json!({ "user": "anna" })).await;
    sent(&server, &mac, profile(), json!({ "user": "bert" })).await;
    // Both are woken by a worker, which must have come by before the time is another.
    server.until(async |server| pushes(server, 1) > before).await;
    server.until(async |_| diagnosis().await["users"][1]["push"]["token"] == false).await;
    server.clock().advance(std::time::Duration::from_mins(16));
    server.until(async |server| pushes(server, 1) > before + 1).await;
    server.pushed().await;
    server.clock().advance(std::time::Duration::from_mins(16));
    let found = diagnosis().await;
    let users = found["users"].as_array().unwrap();
    let told: Vec<_> = users
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["push"]["token"].as_bool().unwrap()))
        .collect();
    assert_eq!(told, [("anna", true), ("bert", false)], "{found}");
    assert_eq!(found["push"]["token"], true);
    let why = |n: usize| found["waiting"][n]["why"].as_str().unwrap().to_owned();
    assert!(why(0).contains("anna is logged in") && why(1).contains("token is dead"), "{found}");
    let advice = found["advice"].to_string();
    assert!(advice.contains("Something waits for anna") && advice.contains("bert dead"), "{advice}");
    assert!(!advice.contains("Restart the device"), "its own channel is well: {advice}");
}
