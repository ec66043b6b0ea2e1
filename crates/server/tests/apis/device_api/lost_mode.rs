//! `device/enablelostmode`, `device/requestlocation` and `device/disablelostmode`.

use apple::Command;
use serde_json::{Value, json};
use simulator::apple_device::{DeviceModel, Place};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{action, ask, cannot, info, refused};

/// A supervised iPad that is in lost mode.
async fn lost(server: &TestServer) -> Device {
    let mut ipad = server.enrolled_ipad().await;
    ask(server, "enablelostmode", &ipad, json!({ "message": "Call us" })).await;
    ipad.connect().await.unwrap();
    assert_eq!(info(server, &ipad).await["lostmodeenabled"], true);
    ipad
}

fn states(info: &Value) -> [(u64, bool); 3] {
    ["enablelostmode", "disablelostmode", "requestlocation"].map(|name| action(info, name))
}

on_both!(a_lost_ipad_is_found_and_given_back);

async fn a_lost_ipad_is_found_and_given_back(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    assert_eq!(states(&info(&server, &ipad).await), [(0, true), (0, false), (0, false)]);
    let texts =
        json!({ "message": "Call us", "phonenumber": "0123", "footnote": "ACME", "password": "1234" });
    ask(&server, "enablelostmode", &ipad, texts).await;
    assert_eq!(states(&info(&server, &ipad).await)[0], (1, true));
    ipad.connect().await.unwrap();
    let shown = ipad.model().lost_mode.clone().expect("it is in lost mode");
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        (shown.message, shown.phone_number, shown.footnote),
        (text("Call us"), text("0123"), text("ACME"))
    );
    let now = info(&server, &ipad).await;
    assert_eq!((&now["lostmodeenabled"], &now["location"]), (&json!(true), &json!(null)));
    assert_eq!(states(&now), [(0, false), (0, true), (0, true)]);

    ipad.model_mut().place = Some(Place { latitude: 58.517_524_8, longitude: 12.447_230_8 });
    ask(&server, "requestlocation", &ipad, json!({})).await;
    ipad.connect().await.unwrap();
    let location = info(&server, &ipad).await["location"].clone();
    assert_eq!((&location["latitude"], &location["longitude"]), (&json!(58.517_524_8), &json!(12.447_230_8)));
    assert!(location["timestamp"].as_str().unwrap().starts_with("/Date("), "{location}");
    let listed = json!({ "filter": { "locationtimestamp": { "from": "2000-01-01" } } });
    assert_eq!(server.api().device("list", listed).await.body["totalcount"], 1);

    ask(&server, "disablelostmode", &ipad, json!({})).await;
    ipad.connect().await.unwrap();
    let now = info(&server, &ipad).await;
    assert_eq!((&now["lostmodeenabled"], &now["location"]), (&json!(false), &location));
    assert_eq!(states(&now), [(0, true), (0, false), (0, false)]);
}

#[tokio::test]
async fn only_a_supervised_device_with_ios_can_be_lost() {
    let server = TestServer::start().await;
    let old = DeviceModel { os_version: "9.2".into(), ..DeviceModel::supervised_ipad(server.seed()) };
    for (device, code) in [
        (server.enrolled_iphone().await, "DEVICE_NOT_SUPERVISED"),
        (server.enrolled_mac().await, "PLATFORM_UNSUPPORTED"),
        (server.enrolled(old).await, "OS_TOO_OLD"),
    ] {
        let message = json!({ "message": "Call us" });
        cannot(&server, "enablelostmode", "enablelostmode", &device, message, code).await;
        cannot(&server, "disablelostmode", "disablelostmode", &device, json!({}), code).await;
        cannot(&server, "requestlocation", "requestlocation", &device, json!({}), code).await;
    }
}

#[tokio::test]
async fn out_of_lost_mode_it_cannot_end_and_nobody_may_ask_where_the_device_is() {
    let server = TestServer::start().await;
    let ipad = server.enrolled_ipad().await;
    for call in ["disablelostmode", "requestlocation"] {
        cannot(&server, call, call, &ipad, json!({}), "NOT_IN_LOST_MODE").await;
    }
    let lost = lost(&server).await;
    let again = json!({ "message": "Call us again" });
    cannot(&server, "enablelostmode", "enablelostmode", &lost, again, "ALREADY_IN_LOST_MODE").await;
}

#[tokio::test]
async fn a_finder_has_to_be_shown_something() {
    let server = TestServer::start().await;
    let ipad = server.enrolled_ipad().await;
    let phone = server.enrolled_iphone().await;
    for device in [&ipad, &phone] {
        for texts in [json!({}), json!({ "footnote": "ACME" }), json!({ "message": "", "phonenumber": null })]
        {
            let mut body = texts;
            body["clientid"] = json!(device.client_id());
            let answer = server.api().device("enablelostmode", body).await;
            refused(&answer, 400, "MESSAGE_OR_PHONENUMBER_MISSING");
        }
    }
    let body = json!({ "clientid": ipad.client_id(), "message": "x", "footnote": "x".repeat(1025) });
    refused(&server.api().device("enablelostmode", body).await, 400, "INVALID_FIELD");
}

on_both!(what_a_finder_is_shown_is_replaced_until_it_left);

async fn what_a_finder_is_shown_is_replaced_until_it_left(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    ask(&server, "enablelostmode", &ipad, json!({ "message": "first", "footnote": "ACME" })).await;
    ask(&server, "enablelostmode", &ipad, json!({ "phonenumber": "0123" })).await;
    assert_eq!(ipad.idle().await.unwrap(), Some("EnableLostMode"));
    let Ok(Command::EnableLostMode(command)) = &ipad.current().unwrap().command else { panic!("lost mode") };
    assert_eq!((command.message.as_deref(), command.footnote.as_deref()), (None, None));
    assert_eq!(command.phone_number.as_deref(), Some("0123"));
    ask(&server, "enablelostmode", &ipad, json!({ "message": "too late" })).await;
    assert_eq!(ipad.acknowledge().await.unwrap(), None, "one, and no second");
    assert_eq!(info(&server, &ipad).await["lostmodeenabled"], true);
}

#[tokio::test]
async fn what_a_device_refuses_changes_nothing_but_what_is_pending() {
    let server = TestServer::start().await;
    let mut ipad = lost(&server).await;
    ask(&server, "requestlocation", &ipad, json!({})).await;
    ask(&server, "disablelostmode", &ipad, json!({})).await;
    ipad.fail("DeviceLocation", Some(vec![]));
    ipad.fail("DisableLostMode", Some(vec![]));
    ipad.connect().await.unwrap();
    let now = info(&server, &ipad).await;
    assert_eq!((&now["lostmodeenabled"], &now["location"]), (&json!(true), &json!(null)));
    assert_eq!(states(&now), [(0, false), (0, true), (0, true)]);
}
