//! `device/lockscreen` of Macs: with a PIN, which is kept.

use apple::Command;
use serde_json::json;
use simulator::apple_device::DeviceModel;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{accepted, refused};

async fn lock(server: &TestServer, mac: &Device, pin: Option<&str>) {
    let body = json!({ "clientid": mac.client_id(), "message": "hello", "macpin": pin });
    accepted(&server.api().device("lockscreen", body).await);
}

async fn revealed(server: &TestServer, mac: &Device) -> String {
    server.mdm().reveal_pin(&server.owner(), mac.id()).await.unwrap().pin
}

/// The PIN in the lock that a Mac is handed, which then locks itself.
async fn carried_out(mac: &mut Device) -> String {
    assert_eq!(mac.idle().await.unwrap(), Some("DeviceLock"));
    let pin = match &mac.current().unwrap().command {
        Ok(Command::DeviceLock(lock)) => {
            lock.pin.as_ref().expect("a Mac is locked with a PIN").as_str().to_owned()
        }
        other => panic!("not a lock: {other:?}"),
    };
    assert_eq!(mac.acknowledge().await.unwrap(), None);
    pin
}

on_both!(a_mac_is_locked_with_the_pin_that_was_given_which_is_kept);

async fn a_mac_is_locked_with_the_pin_that_was_given_which_is_kept(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    lock(&server, &mac, Some("314159")).await;
    assert_eq!(carried_out(&mut mac).await, "314159");
    assert_eq!(revealed(&server, &mac).await, "314159");
}

on_both!(without_a_pin_one_is_made_and_revealing_it_leaves_an_event);

async fn without_a_pin_one_is_made_and_revealing_it_leaves_an_event(server: TestServer) {
    let mut mac = server.enrolled_mac().await;
    lock(&server, &mac, None).await;
    let revealed_before = count(&server, &mac).await;
    let pin = carried_out(&mut mac).await;
    assert!(pin.len() == 6 && pin.bytes().all(|digit| digit.is_ascii_digit()), "{pin}");
    assert_eq!(revealed(&server, &mac).await, pin);
    assert_eq!((revealed_before, count(&server, &mac).await), (0, 1));
}

async fn count(server: &TestServer, mac: &Device) -> usize {
    let events = server.events(Some(mac.id())).await;
    events.iter().filter(|event| event.kind == "secret.revealed").count()
}

#[tokio::test]
async fn the_pin_that_is_revealed_is_the_one_of_the_last_lock() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    for pin in ["111111", "222222"] {
        lock(&server, &mac, Some(pin)).await;
        carried_out(&mut mac).await;
    }
    assert_eq!(revealed(&server, &mac).await, "222222");
}

#[tokio::test]
async fn while_a_lock_is_queued_another_pin_replaces_it_and_is_the_one_that_is_kept() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    lock(&server, &mac, Some("111111")).await;
    lock(&server, &mac, Some("222222")).await;
    assert_eq!(carried_out(&mut mac).await, "222222");
    assert_eq!(revealed(&server, &mac).await, "222222");
}

#[tokio::test]
async fn a_pin_that_comes_too_late_is_not_the_one_that_is_kept() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    lock(&server, &mac, Some("111111")).await;
    mac.idle().await.unwrap();
    lock(&server, &mac, Some("222222")).await;
    mac.acknowledge().await.unwrap();
    assert_eq!(revealed(&server, &mac).await, "111111", "with that one the Mac was locked");
}

#[tokio::test]
async fn no_answer_and_no_event_shows_a_pin() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    let body = json!({ "clientid": mac.client_id(), "macpin": "314159" });
    let answer = server.api().device("lockscreen", body).await;
    assert!(!answer.text.contains("314159"));
    carried_out(&mut mac).await;
    server.settled().await;
    let info = server.api().info(&mac.client_id()).await.to_string();
    let events = format!("{:?}", server.events(None).await);
    assert!(!info.contains("314159") && !events.contains("314159"), "{info} {events}");
}

#[tokio::test]
async fn a_mac_that_a_lock_would_deactivate_is_409() {
    let server = TestServer::start().await;
    for (version, locks) in [("11.4", false), ("11.4.1", false), ("11.5", true), ("15.1", true)] {
        let model = DeviceModel { os_version: version.into(), ..DeviceModel::mac(server.seed()) };
        let mac = server.enrolled(model).await;
        let answer = server.api().device("lockscreen", json!({ "clientid": mac.client_id() })).await;
        let visible = server.api().info(&mac.client_id()).await["actions"]["lockscreen"]["visible"].clone();
        assert_eq!(visible, locks, "{version}");
        if locks { accepted(&answer) } else { refused(&answer, 409, "MACOS_TOO_OLD") }
    }
}

#[tokio::test]
async fn a_pin_has_six_digits() {
    let server = TestServer::start().await;
    let mac = server.enrolled_mac().await;
    for pin in
        [json!("12345"), json!("1234567"), json!("12345a"), json!("١٢٣٤٥٦"), json!(123_456), json!(" 12345")]
    {
        let body = json!({ "clientid": mac.client_id(), "macpin": pin });
        refused(&server.api().device("lockscreen", body).await, 400, "INVALID_FIELD");
    }
    assert_eq!(server.api().info(&mac.client_id()).await["actions"]["lockscreen"]["status"], 0);
}
