//! When commands leave, and when they are over; the clock in hand.

use std::time::Duration;

use domain::Timestamp;
use serde_json::json;
use testkit::{on_both, server::TestServer};

use super::{lock, refused, send, sent, shown, state};

fn after(server: &TestServer, minutes: u64) -> String {
    let now: Timestamp = server.mdm().now();
    now.plus(Duration::from_mins(minutes)).rfc3339()
}

on_both!(higher_priorities_go_first);

async fn higher_priorities_go_first(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let mut ids = Vec::new();
    for priority in [0, -3, 7, 7] {
        ids.push(sent(&server, &phone, lock("x"), json!({ "priority": priority })).await);
    }
    let done = phone.connect().await.unwrap();
    let order: Vec<_> = done.iter().map(|done| done.command_uuid.to_lowercase()).collect();
    assert_eq!(order, [2, 3, 0, 1].map(|n: usize| ids[n].clone()));
}

on_both!(a_command_leaves_when_its_time_has_come_and_its_device_is_woken_then);

async fn a_command_leaves_when_its_time_has_come_and_its_device_is_woken_then(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    server.pushed().await;
    let uuid = sent(&server, &phone, lock("x"), json!({ "not_before": after(&server, 60) })).await;
    assert_eq!(phone.idle().await, Ok(None));
    server.clock().advance(Duration::from_mins(59));
    assert_eq!(phone.idle().await, Ok(None));
    let before = server.apns().pushes().len();
    server.clock().advance(Duration::from_mins(2));
    server.until(async |server| server.apns().pushes().len() > before).await;
    assert_eq!(phone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(phone.acknowledge().await, Ok(None));
    assert_eq!(state(&server, &uuid).await, "done");
}

on_both!(a_command_expires_and_a_late_result_still_counts);

async fn a_command_expires_and_a_late_result_still_counts(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let more = json!({ "expires": after(&server, 10) });
    let handed = sent(&server, &phone, lock("handed"), more.clone()).await;
    let never = sent(&server, &phone, lock("never"), more).await;
    assert_eq!(phone.idle().await, Ok(Some("DeviceLock")));
    server.clock().advance(Duration::from_mins(11));
    for uuid in [&handed, &never] {
        server.until(async |server| state(server, uuid).await == "expired").await;
    }
    assert_eq!(phone.acknowledge().await, Ok(None), "what is over is not handed over");
    assert_eq!([state(&server, &handed).await, state(&server, &never).await], ["done", "expired"]);
    assert_eq!(server.count_events("command.expired").await, 2);
}

on_both!(what_is_over_is_forgotten_when_its_time_has_come);

async fn what_is_over_is_forgotten_when_its_time_has_come(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let done = sent(&server, &phone, lock("done"), json!({})).await;
    phone.connect().await.unwrap();
    server.settled().await;
    let open = sent(&server, &phone, lock("open"), json!({})).await;
    server.clock().advance(Duration::from_hours(29 * 24));
    while server.mdm().forget(domain::Old::Commands).await.unwrap() > 0 {}
    assert_eq!(state(&server, &done).await, "done");
    server.clock().advance(Duration::from_hours(48));
    while server.mdm().forget(domain::Old::Commands).await.unwrap() > 0 {}
    let gone = server.api().admin(reqwest::Method::GET, &format!("commands/{done}"), None).await;
    refused(&gone, 404, "not-found");
    assert_eq!(state(&server, &open).await, "queued", "what waits is no history");
}

#[tokio::test]
async fn a_schedule_that_makes_no_sense_is_refused() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    for (field, value) in [
        ("priority", json!(101)),
        ("expires", json!("2001-01-01T00:00:00Z")),
        ("expires", json!("soon")),
        ("not_before", json!("2026-13-01T00:00:00Z")),
        ("dedupe", json!("")),
    ] {
        let mut body = json!({ "devices": [phone.client_id()], "command": lock("x") });
        body[field] = value;
        let answer = send(&server, body).await;
        refused(&answer, 400, "invalid");
        assert_eq!(answer.body["field"], field);
    }
    let uuid = sent(&server, &phone, lock("x"), json!({ "not_before": "2001-01-01T00:00:00Z" })).await;
    assert_eq!(shown(&server, &uuid).await["not_before"], "2001-01-01T00:00:00.000Z");
}
