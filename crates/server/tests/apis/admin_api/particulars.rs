//! What is particular to single commands of Apple's, as administrators send them.

use apple::{Report, Value as Plist};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{send, sent, shown, state};

/// Why a command is not for this device.
async fn refusal(server: &TestServer, device: &Device, command: Value) -> String {
    let answer = send(server, json!({ "devices": [device.client_id()], "command": command })).await;
    assert_eq!((answer.status, &answer.body["commands"]), (202, &json!([])), "{}", answer.text);
    answer.body["failed"][0]["error"].as_str().unwrap().to_owned()
}

/// 36: a PIN of six digits, for Macs alone; and never where the command would brick the Mac, or is forbidden.
#[tokio::test]
async fn a_lock_is_sent_only_where_it_locks() {
    let server = TestServer::start().await;
    let (mac, phone) = (server.enrolled_mac().await, server.enrolled_iphone().await);
    let lock = |pin: &str| json!({ "RequestType": "DeviceLock", "PIN": pin });
    for wrong in ["", "12345", "1234567", "12345a"] {
        assert!(refusal(&server, &mac, lock(wrong)).await.contains("PIN"), "{wrong}");
    }
    assert!(refusal(&server, &phone, lock("123456")).await.contains("PIN: not available on iOS"));
    let changed = async |change: fn(&mut domain::Facts)| {
        server.change_record(mac.id(), |device| change(&mut device.facts)).await;
    };
    changed(|facts| (facts.os_version, facts.apple_silicon) = (Some("11.4".into()), Some(true))).await;
    assert!(refusal(&server, &mac, lock("123456")).await.contains("harms a Mac with Apple silicon"));
    changed(|facts| facts.os_version = Some("11.5".into())).await;
    sent(&server, &mac, lock("123456"), json!({})).await;
    changed(|facts| facts.enrollment = domain::EnrollmentKind::User).await;
    let refused = refusal(&server, &mac, lock("123456")).await;
    assert!(refused.contains("User Enrollment"), "{refused}");
}

on_both!(a_lock_that_showed_no_message_says_so);
/// 37: acknowledged, and nothing was shown.
async fn a_lock_that_showed_no_message_says_so(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    phone.model_mut().passcode_set = false;
    let uuid = sent(&server, &phone, super::lock("hello"), json!({})).await;
    phone.connect().await.unwrap();
    let done = shown(&server, &uuid).await;
    assert_eq!((&done["state"], &done["result"]["MessageResult"]), (&json!("done"), &json!("NoPasscodeSet")));
}

on_both!(what_a_locked_device_puts_off_is_done_once_it_is_unlocked);
/// 35
async fn what_a_locked_device_puts_off_is_done_once_it_is_unlocked(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    phone.put_off("SecurityInfo", true);
    phone.put_off("InstalledApplicationList", true);
    let uuids = [
        sent(&server, &phone, json!({ "RequestType": "SecurityInfo" }), json!({})).await,
        sent(&server, &phone, json!({ "RequestType": "InstalledApplicationList" }), json!({})).await,
        sent(&server, &phone, super::lock("hello"), json!({})).await,
    ];
    phone.connect().await.unwrap();
    let mut states = Vec::new();
    for uuid in &uuids {
        states.push(state(&server, uuid).await);
    }
    assert_eq!(states, ["not_now", "not_now", "done"]);
    phone.put_off("SecurityInfo", false);
    phone.put_off("InstalledApplicationList", false);
    phone.connect().await.unwrap();
    for uuid in &uuids {
        assert_eq!(state(&server, uuid).await, "done");
    }
}

on_both!(where_a_device_is_is_told_in_lost_mode_only);
/// 42: 12067 outside of it, and the Device API keeps what was known.
async fn where_a_device_is_is_told_in_lost_mode_only(server: TestServer) {
    let (mut ipad, mac) = (server.enrolled_ipad().await, server.enrolled_mac().await);
    let locate = || json!({ "RequestType": "DeviceLocation" });
    let uuid = sent(&server, &ipad, locate(), json!({})).await;
    ipad.connect().await.unwrap();
    let failed = shown(&server, &uuid).await;
    assert_eq!((&failed["state"], &failed["error_chain"][0]["code"]), (&json!("failed"), &json!(12067)));
    let lost = json!({ "RequestType": "EnableLostMode", "Message": "Call us" });
    sent(&server, &ipad, lost, json!({})).await;
    let uuid = sent(&server, &ipad, locate(), json!({})).await;
    ipad.connect().await.unwrap();
    let done = shown(&server, &uuid).await;
    assert_eq!(done["state"], "done");
    // An RFC 3339 text, and no date of a property list.
    let at = done["result"]["Timestamp"].as_str().unwrap();
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
    assert!(refusal(&server, &mac, locate()).await.contains("macOS"));
    // Ends it, so that the next test device is not confused with a lost one.
    sent(&server, &ipad, json!({ "RequestType": "DisableLostMode" }), json!({})).await;
    ipad.connect().await.unwrap();
}

/// 38, 40: keys that this server has no type for go out as they came.
#[tokio::test]
async fn an_erasure_goes_out_as_it_was_written() {
    let server = TestServer::start().await;
    let ipad = server.enrolled_ipad().await;
    let command = json!({
        "RequestType": "EraseDevice", "PreserveDataPlan": true,
        "ReturnToService": { "Enabled": true, "WiFiProfileData": "PHBsaXN0Lz4=", "MDMProfileData": "PHBsaXN0Lz4=" },
    });
    let uuid = sent(&server, &ipad, command, json!({})).await;
    let stored = server.command(&ipad, uuid.parse().unwrap()).await;
    assert!(stored.sealed, "a profile may hold a password");
    let body = handed_over(&server, &ipad).await;
    let document = Plist::from_reader_xml(body.as_slice()).unwrap();
    let command = document.as_dictionary().unwrap()["Command"].as_dictionary().unwrap();
    assert_eq!(command["PreserveDataPlan"].as_boolean(), Some(true));
    let service = command["ReturnToService"].as_dictionary().unwrap();
    assert_eq!(service["WiFiProfileData"].as_data(), Some(&b"<plist/>"[..]));
    assert_eq!(service["Enabled"].as_boolean(), Some(true));
    assert_eq!(state(&server, &uuid).await, "handed_over");
}

/// The bytes of the next command; the pretend device never sees it.
async fn handed_over(server: &TestServer, device: &Device) -> Vec<u8> {
    use simulator::apple_device::{By, Request};
    let report = Report::idle(device.model().identifiers()).encode();
    let url = format!("{}/mdm", server.device_url());
    let request = Request::put(url, apple::content_type::REPORT, report);
    device.send(request, By::Itself).await.unwrap().body
}

/// 45: the fallback for an unlock token that never came; what it tells is shown to nobody.
#[tokio::test]
async fn an_unlock_token_may_be_asked_for_and_is_not_shown() {
    let server = TestServer::start().await;
    let mut ipad = server.enrolled_ipad().await;
    let uuid = sent(&server, &ipad, json!({ "RequestType": "RequestUnlockToken" }), json!({})).await;
    ipad.connect().await.unwrap();
    server.settled().await;
    let done = shown(&server, &uuid).await;
    assert_eq!(done["state"], "done");
    let listed = server.api().admin(Method::GET, "commands", None).await.text;
    use base64::{Engine, engine::general_purpose::STANDARD};
    let token = STANDARD.encode(ipad.push_address().unlock_token.as_ref().unwrap());
    assert!(!done.to_string().contains(&token[..20]) && !listed.contains(&token[..20]), "{done}");
}

/// 38, 41, 43, 44, 46, 47: refused before it is queued, by what Apple's schema says of the very device.
#[tokio::test]
async fn what_is_not_for_a_device_is_refused() {
    let server = TestServer::start().await;
    let (mac, phone, ipad) =
        (server.enrolled_mac().await, server.enrolled_iphone().await, server.enrolled_ipad().await);
    let plain = |name: &str| json!({ "RequestType": name });
    let lost = json!({ "RequestType": "EnableLostMode", "Message": "Call us" });
    for (device, command, why) in [
        (&phone, lost.clone(), "supervis"),
        (&mac, lost, "macOS"),
        (&phone, plain("DisableLostMode"), "supervis"),
        (&phone, plain("PlayLostModeSound"), "supervis"),
        (&phone, plain("RestartDevice"), "supervis"),
        (&mac, json!({ "RequestType": "ClearPasscode", "UnlockToken": "AAAA" }), "macOS"),
    ] {
        let refused = refusal(&server, device, command.clone()).await;
        assert!(refused.contains(why), "{command}: {refused}");
    }
    sent(&server, &ipad, plain("RestartDevice"), json!({})).await;
    for device in [&mac, &phone] {
        let change = |device: &mut domain::Device| device.facts.enrollment = domain::EnrollmentKind::User;
        server.change_record(device.id(), change).await;
    }
    for (device, command) in [
        (&mac, plain("InstalledApplicationList")),
        (&mac, json!({ "RequestType": "EraseDevice", "PIN": "482913" })),
        (&phone, plain("EraseDevice")),
    ] {
        let refused = refusal(&server, device, command.clone()).await;
        assert!(refused.contains("User Enrollment"), "{command}: {refused}");
    }
    sent(&server, &phone, plain("InstalledApplicationList"), json!({})).await;
}
