//! Whole answers, as the published documents have them.

use domain::{Location, Timestamp};
use insta::assert_snapshot;
use serde_json::json;
use simulator::apple_device::DeviceModel;
use testkit::{on_both, server::TestServer};

use super::call;
use crate::shown::shown;

on_both!(a_list_shows_every_device_as_published);

async fn a_list_shows_every_device_as_published(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let mut pad = server.enrolled_ipad().await;
    let mut mac = server.enrolled_mac().await;
    let mut list = server.api().device("list", json!({})).await;
    // By id, and ids are random: put them into the order of their enrollment.
    let order = [&mut phone, &mut pad, &mut mac].map(|device| device.client_id());
    let data = list.body["data"].as_array_mut().unwrap();
    assert!(data.is_sorted_by_key(|device| device["clientid"].as_str().unwrap().to_owned()));
    data.sort_by_key(|device| order.iter().position(|id| device["clientid"] == id.as_str()));
    assert_snapshot!("list", shown(&list));
}

#[tokio::test]
async fn a_page_of_a_list_is_shown_as_published() {
    let server = TestServer::start().await;
    let _phone = server.enrolled_iphone().await;
    let page = server.api().device("list", json!({ "pagesize": 10, "pageindex": 1 })).await;
    assert_snapshot!("list_one_page", shown(&page));
    let empty = server.api().device("list", json!({ "filter": { "managed": false } })).await;
    assert_snapshot!("list_empty", shown(&empty));
}

on_both!(info_shows_a_device_as_published);

async fn info_shows_a_device_as_published(server: TestServer) {
    let user = server.mdm().add_user(&server.owner(), "user@example.com").await.unwrap();
    let link = server.link_for(Some("user@example.com"), None, 1).await;
    let mut phone = server.enroll(server.options(link, DeviceModel::iphone(server.seed()))).await;
    phone.connect().await.unwrap();
    server.settled().await;
    let place =
        Location { latitude: 58.517_524_8, longitude: 12.447_230_8, at: Timestamp(1_606_302_297_743) };
    server.change_record(phone.id(), |device| device.facts.location = Some(place)).await;

    let info = server.api().device("info", json!({ "clientid": phone.client_id() })).await;
    assert_snapshot!("info", shown(&info));
    let device = &info.body["deviceinfo"];
    assert_eq!(device["clientid"], phone.client_id());
    assert_eq!(device["usersid"], user.0.to_string());
}

#[tokio::test]
async fn what_a_device_has_not_said_yet_is_null() {
    let server = TestServer::start().await;
    let phone = server.enroll(server.options(server.link().await, DeviceModel::iphone(server.seed()))).await;
    let info = server.api().device("info", json!({ "clientid": phone.client_id() })).await;
    assert_snapshot!("info_before_the_first_inventory", shown(&info));
}

#[tokio::test]
async fn a_device_that_left_is_shown_as_such() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    phone.check_out().await.unwrap();
    let info = server.api().info(&phone.client_id()).await;
    assert_eq!(
        (&info["managed"], &info["mdmprofileremoved"], &info["wiped"]),
        (&json!(false), &json!(true), &json!(false))
    );
    assert_eq!(info["actions"]["lockscreen"], json!({ "status": 0, "visible": false }));
}

on_both!(a_lock_is_answered_as_published);

async fn a_lock_is_answered_as_published(server: TestServer) {
    let phone = server.enrolled_iphone().await;
    let body = json!({ "clientid": phone.client_id(), "message": "hello", "phonenumber": "0123456789" });
    assert_snapshot!("lockscreen", shown(&server.api().device("lockscreen", body).await));
    let info = server.api().info(&phone.client_id()).await;
    assert_eq!(info["actions"]["lockscreen"], json!({ "status": 1, "visible": true }));
}

#[tokio::test]
async fn refusals_are_answered_as_documented() {
    let server = TestServer::start().await;
    let api = server.api();
    let unknown = json!({ "clientid": "e60cf0e25e63430694441870c27a8b42" });
    assert_snapshot!("info_of_an_unknown_device", shown(&api.device("info", unknown).await));
    let stranger = api.with_key("nobody's").device("list", json!({})).await;
    assert_snapshot!("list_by_a_stranger", shown(&stranger));
    let key = format!("Api-Key {}", server.key_of(domain::Role::Viewer).await);
    let headers =
        [("authorization", key.as_str()), ("content-type", "application/json"), ("accept-language", "de")];
    server.add_records([testkit::server::record(1)]).await;
    let lock = call(&api, "lockscreen", &headers, r#"{"serialnumber":"SERIAL000001"}"#).await;
    assert_snapshot!("lockscreen_by_a_viewer_in_german", shown(&lock));
}
