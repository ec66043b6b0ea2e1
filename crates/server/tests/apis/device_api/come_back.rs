//! Devices that were wiped and enroll again: the same device, under the rule of who may take over a record.

use std::time::Duration;

use domain::{CommandState, DeviceName, ports::Clock};
use serde_json::{Value, json};
use simulator::apple_device::AppleDevice;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{action, ask, info};

fn is_back(info: &Value) -> bool {
    info["managed"] == true && info["wiped"] == false && info["mdmprofileremoved"] == false
}

/// Enrolls the same hardware by a link for anybody, and answers what it is asked.
async fn comes_back(server: &TestServer, device: &mut Device) {
    let link = server.link().await;
    device.re_enroll(Some(&link)).await.unwrap();
    device.connect().await.unwrap();
}

/// The ids of all devices.
async fn all(server: &TestServer) -> Vec<String> {
    super::texts(&server.api().device("list", json!({})).await.body, "clientid")
}

on_both!(a_wiped_device_comes_back_as_the_same_one);

async fn a_wiped_device_comes_back_as_the_same_one(server: TestServer) {
    for parameters in [json!({}), json!({ "partial": true })] {
        let mut phone = server.enrolled_iphone().await;
        let clients = all(&server).await.len();
        ask(&server, "wipe", &phone, parameters).await;
        phone.connect().await.unwrap();
        assert!(!is_back(&info(&server, &phone).await));
        comes_back(&server, &mut phone).await;
        let back = info(&server, &phone).await;
        assert!(is_back(&back), "{back}");
        assert_eq!(all(&server).await.len(), clients, "the same clientid");
        assert_eq!((action(&back, "wipefull"), action(&back, "wipepartial")), ((0, true), (0, true)));
    }
}

on_both!(an_erased_device_that_never_answered_is_understood_when_it_comes_back);

async fn an_erased_device_that_never_answered_is_understood_when_it_comes_back(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    ask(&server, "wipe", &phone, json!({})).await;
    phone.erase_before_answering(true);
    phone.connect().await.unwrap();
    assert!(phone.is_erased());
    let open = server.records().await.open_commands(phone.id()).await.unwrap();
    let erase = open.iter().find(|command| command.request_type == "EraseDevice").expect("still open").id;
    let silent = info(&server, &phone).await;
    assert_eq!(
        (is_back(&silent), action(&silent, "wipefull")),
        (true, (1, true)),
        "nothing shows that it was erased"
    );

    comes_back(&server, &mut phone).await;
    let back = info(&server, &phone).await;
    assert!(is_back(&back), "{back}");
    assert_eq!(action(&back, "wipefull"), (0, true), "it is not erased again");
    assert_eq!(all(&server).await, [phone.client_id()]);
    assert_eq!(server.command(&phone, erase).await.state, CommandState::Acknowledged);
    let events = server.events(Some(phone.id())).await;
    let settled =
        events.iter().find(|event| event.details["command"] == json!(erase) && event.kind == "command.done");
    assert_eq!(settled.expect("an event").details["evidence"], "the device enrolled again");
}

/// Another device claims to be `device`, by a link for anybody, and enrolls as far as it may.
async fn claimed(server: &TestServer, device: &Device) {
    let options = server.options(server.link().await, device.model().clone());
    assert!(AppleDevice::enroll(options).await.unwrap().breaches().is_empty());
}

#[tokio::test]
async fn a_device_that_spoke_after_it_was_told_to_erase_itself_is_alive() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    server.lock(&phone).await;
    ask(&server, "wipe", &phone, json!({})).await;
    assert_eq!(phone.idle().await.unwrap(), Some("DeviceLock"));
    assert_eq!(phone.not_now().await.unwrap(), Some("EraseDevice"));
    server.clock().advance(Duration::from_mins(1));
    let told = server.clock().now();
    assert_eq!(phone.idle().await.unwrap(), Some("DeviceLock"), "it never heard of the erasure");
    phone.acknowledge().await.unwrap();
    let name = DeviceName::Id(phone.id());
    server
        .until(async |server| {
            let device = server.records().await.device_named(&name).await.unwrap().unwrap();
            device.last_contact >= Some(told)
        })
        .await;
    claimed(&server, &phone).await;
    assert_eq!(all(&server).await.len(), 2, "the claim waits beside the live enrollment");
    assert!(is_back(&info(&server, &phone).await));
}

#[tokio::test]
async fn an_erasure_that_was_put_off_ends_nothing() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    ask(&server, "wipe", &phone, json!({})).await;
    assert_eq!(phone.idle().await.unwrap(), Some("EraseDevice"));
    phone.not_now().await.unwrap();
    claimed(&server, &phone).await;
    assert_eq!(all(&server).await.len(), 2);
}

#[tokio::test]
async fn an_erasure_that_never_left_ends_nothing() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    ask(&server, "wipe", &phone, json!({})).await;
    claimed(&server, &phone).await;
    assert_eq!(all(&server).await.len(), 2);
    assert_eq!(action(&info(&server, &phone).await, "wipefull"), (1, true));
}

on_both!(a_lost_device_that_is_erased_comes_back_lost);

/// Erasing ends the lost mode on the device, and nobody has said that it was found.
async fn a_lost_device_that_is_erased_comes_back_lost(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    for found in [false, true] {
        ask(&server, "enablelostmode", &ipad, json!({ "message": "Call us", "footnote": "ACME" })).await;
        ipad.connect().await.unwrap();
        server.settled().await;
        if found {
            ask(&server, "disablelostmode", &ipad, json!({})).await;
            ipad.connect().await.unwrap();
            server.settled().await;
        }
        ask(&server, "wipe", &ipad, json!({})).await;
        ipad.connect().await.unwrap();
        assert_eq!(info(&server, &ipad).await["lostmodeenabled"], false);
        comes_back(&server, &mut ipad).await;
        assert_eq!(info(&server, &ipad).await["lostmodeenabled"], !found);
        let shown = ipad.model().lost_mode.clone();
        assert_eq!(shown.is_some(), !found);
        if let Some(shown) = shown {
            assert_eq!(
                (shown.message.as_deref(), shown.footnote.as_deref()),
                (Some("Call us"), Some("ACME"))
            );
            ask(&server, "disablelostmode", &ipad, json!({})).await;
            ipad.connect().await.unwrap();
            server.settled().await;
        }
    }
    assert_eq!(server.count_events("device.lost_again").await, 1);
}

#[tokio::test]
async fn a_device_that_comes_back_inherits_neither_queue_nor_token() {
    let server = TestServer::start().await;
    let mut ipad = server.enrolled_ipad().await;
    ask(&server, "lockscreen", &ipad, json!({ "message": "hello" })).await;
    ask(&server, "wipe", &ipad, json!({})).await;
    ipad.put_off("DeviceLock", true);
    ipad.connect().await.unwrap();
    assert!(ipad.is_erased());
    ipad.put_off("DeviceLock", false);
    server.settled().await;
    let link = server.link().await;
    ipad.re_enroll(Some(&link)).await.unwrap();
    let done: Vec<_> = ipad.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert!(
        !done.contains(&"DeviceLock".to_owned()) && !done.contains(&"EraseDevice".to_owned()),
        "{done:?}"
    );
    let back = info(&server, &ipad).await;
    assert_eq!((action(&back, "lockscreen"), &back["lostmodeenabled"]), ((0, true), &json!(false)));
}
