//! A lost device: it is locked, gets a new password, tells where it is, and is found.

use serde_json::json;

use super::{Office, Phone};

async fn lose(office: &Office, phone: &Phone, more: serde_json::Value) {
    office.ask(phone, "enablelostmode", more).await;
    office.issued(phone, 1).await;
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["lostmodeenabled"] == true).await;
}

#[tokio::test]
async fn the_password_comes_after_the_lost_mode() {
    let office = Office::open().await;
    let phone = office.phone().await;
    let lost = json!({"message": "Please call", "phonenumber": "+49 30 1", "email": "it@example.org",
        "password": "847362"});
    lose(&office, &phone, lost).await;
    office.issued(&phone, 2).await;
    office.done(&phone, "enablelostmode").await;
    assert_eq!(office.google.password(&phone.name).as_deref(), Some("847362"));
    assert_eq!(office.server.count_events("command.failed").await, 0);
}

#[tokio::test]
async fn a_lost_device_tells_where_it_is_until_it_is_found() {
    let office = Office::open().await;
    let phone = office.phone().await;
    lose(&office, &phone, json!({"message": "Please call"})).await;
    office.ask(&phone, "requestlocation", json!({})).await;
    office.done(&phone, "requestlocation").await;
    let place = office.info(&phone).await["location"].clone();
    assert_eq!((&place["latitude"], &place["longitude"]), (&json!(52.520_008), &json!(13.404_954)));
    assert!(place["timestamp"].is_string());
    assert_eq!(office.info(&phone).await["recoverytoken"], serde_json::Value::Null, "Google tells of none");

    office.ask(&phone, "disablelostmode", json!({})).await;
    office.issued(&phone, 2).await;
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["lostmodeenabled"] == false).await;
    assert_eq!(office.act(&phone, "requestlocation", json!({})).await.status, 409);
    assert_eq!(office.act(&phone, "disablelostmode", json!({})).await.status, 409);
}

#[tokio::test]
async fn a_password_does_not_follow_a_lost_mode_that_failed() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.ask(&phone, "resetpasscode", json!({"password": "111111"})).await;
    office.issued(&phone, 1).await;
    office.done(&phone, "resetpasscode").await;
    office.ask(&phone, "enablelostmode", json!({"message": "Lost", "password": "222222"})).await;
    office.issued(&phone, 2).await;
    office.done(&phone, "enablelostmode").await;
    assert_eq!(office.info(&phone).await["lostmodeenabled"], false, "refused: the password was just reset");
    assert_eq!(office.google.password(&phone.name).as_deref(), Some("111111"));
}

#[tokio::test]
async fn its_user_may_end_the_lost_mode() {
    let office = Office::open().await;
    let phone = office.phone().await;
    lose(&office, &phone, json!({"message": "Please call"})).await;
    assert!(office.google.end_lost_mode_by_user(&phone.name));
    office.until(&phone.client_id, |info| info["lostmodeenabled"] == false).await;
}
