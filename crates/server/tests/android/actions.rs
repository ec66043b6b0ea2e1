//! What can be asked of a device that is in its user's hands.

use serde_json::json;

use super::Office;

#[tokio::test]
async fn a_lock_is_pending_until_the_device_has_done_it() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.ask(&phone, "lockscreen", json!({"message": "hello"})).await;
    assert_eq!(office.info(&phone).await["actions"]["lockscreen"]["status"], 1);
    office.issued(&phone, 1).await;
    office.ask(&phone, "lockscreen", json!({})).await;
    office.done(&phone, "lockscreen").await;
    assert_eq!(office.server.count_events("command.done").await, 1, "asked again while it was pending");
    assert_eq!(office.arrivals(":issueCommand", 200), 1);
}

#[tokio::test]
async fn a_password_is_needed_and_set() {
    let office = Office::open().await;
    let phone = office.phone().await;
    let refused = office.act(&phone, "resetpasscode", json!({})).await;
    assert_eq!((refused.status, &refused.body["success"]), (400, &json!(false)), "{}", refused.text);
    office.ask(&phone, "resetpasscode", json!({"password": "847362"})).await;
    office.issued(&phone, 1).await;
    office.done(&phone, "resetpasscode").await;
    assert_eq!(office.google.password(&phone.name).as_deref(), Some("847362"));
}

#[tokio::test]
async fn what_the_device_refuses_is_over_and_told_in_the_log() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.ask(&phone, "resetpasscode", json!({"password": "1234"})).await;
    office.issued(&phone, 1).await;
    office.done(&phone, "resetpasscode").await;
    assert_eq!(office.google.password(&phone.name), None);
    let events = office.server.records().await.events(None, 100).await.unwrap();
    let failed = events.iter().find(|event| event.kind == "command.failed").unwrap();
    assert_eq!(failed.details["google"], "INVALID_VALUE");
}

#[tokio::test]
async fn the_applications_are_those_that_the_device_reported() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.ask(&phone, "requestapplist", json!({})).await;
    office.server.until(async |server| server.count_events("command.done").await == 1).await;
    let list = office.server.api().call("app/list", json!({"clientid": phone.client_id})).await;
    let apps = list.body["data"].as_array().unwrap();
    assert_eq!((apps.len(), &apps[0]["id"]), (1, &json!("com.android.chrome")), "{}", list.text);
    assert_eq!(apps[0]["platform"], 4);
}
