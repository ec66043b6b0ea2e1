//! Notifications that come twice, late, in another order or never, and a Google that is away.

use std::time::Duration;

use serde_json::json;
use simulator::google::{AndroidDevice, Faults};

use super::{Office, Phone};

/// Looks again and again, a minute by the clock each time: what polls has its chance.
async fn in_time(office: &Office, mut is_so: impl AsyncFnMut() -> bool) {
    office
        .server
        .until(async |server| {
            server.clock().advance(Duration::from_mins(1));
            is_so().await
        })
        .await;
}

async fn lose_and_find(office: &Office, phone: &Phone) {
    office.ask(phone, "enablelostmode", json!({"message": "Lost", "password": "847362"})).await;
    let shown = async |field: &str| office.info(phone).await[field].clone();
    in_time(office, async || {
        office.google.sync(&phone.name);
        shown("lostmodeenabled").await == true && office.google.password(&phone.name).is_some()
    })
    .await;
    office.ask(phone, "disablelostmode", json!({})).await;
    in_time(office, async || {
        office.google.sync(&phone.name);
        shown("lostmodeenabled").await == false
    })
    .await;
}

#[tokio::test]
async fn notifications_that_come_twice_and_in_reverse_change_nothing() {
    let office = Office::open().await;
    office.google.set_faults(Faults { duplicate_every: Some(1), reorder: true, ..Faults::default() });
    let phone = office.phone().await;
    lose_and_find(&office, &phone).await;
    assert_eq!(office.list().await.len(), 1);
}

#[tokio::test]
async fn a_command_whose_notification_is_lost_is_followed_by_asking() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.google.set_faults(Faults { lose_every: Some(1), ..Faults::default() });
    office.ask(&phone, "lockscreen", json!({})).await;
    office.issued(&phone, 1).await;
    office.google.sync(&phone.name);
    in_time(&office, async || office.info(&phone).await["actions"]["lockscreen"]["status"] == 0).await;
}

#[tokio::test]
async fn a_device_of_which_nobody_told_is_found_by_comparing() {
    let office = Office::open().await;
    office.google.set_faults(Faults { lose_every: Some(1), ..Faults::default() });
    let token = office.token(domain::AndroidMethod::FullyManaged, None).await;
    let name = office.google.enroll(&token, AndroidDevice::phone(1)).unwrap();
    office.google.sync(&name);
    office.server.clock().advance(Duration::from_hours(7));
    in_time(&office, async || office.find(&name).await.is_some()).await;
}

#[tokio::test]
async fn an_old_report_does_not_undo_a_newer_one() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.google.set_faults(Faults { delay: true, ..Faults::default() });
    office.google.change(&phone.name, |device| device.battery_level = 20);
    office.google.sync(&phone.name);
    office.google.set_faults(Faults::default());
    office.server.clock().advance(Duration::from_secs(5));
    office.google.change(&phone.name, |device| device.battery_level = 50);
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["batterylevel"] == 50).await;
    office.google.release_delayed();
    let waits = async |_: &testkit::server::TestServer| {
        let state = office.server.mdm().android_state(&office.server.owner()).await.unwrap().unwrap();
        let subscription = state.subscription.unwrap();
        office.google.waiting(&subscription) == 0 && state.waiting_notifications == 0
    };
    office.server.until(waits).await;
    assert_eq!(office.info(&phone).await["batterylevel"], 50);
}

#[tokio::test]
async fn nothing_is_lost_while_google_is_away_for_an_hour() {
    let mut office = Office::open().await;
    let phone = office.phone().await;
    office.google.set_away(true);
    office.ask(&phone, "lockscreen", json!({})).await;
    let state = async |office: &Office| {
        office.server.mdm().android_state(&office.server.owner()).await.unwrap().unwrap()
    };
    let known = office.server.devices_of(office.server.tenant()).await;
    let found = async || office.server.mdm().diagnose(&office.server.owner(), known[0].id).await.unwrap();
    // A query that was answered before may be noted after the first that is not.
    office.server.until(async |_| found().await.google.is_some()).await;
    office.server.until(async |_| found().await.waiting[0].1.contains("waits for Google")).await;
    let advice = found().await.advice;
    assert!(advice.iter().any(|advice| advice.contains("Google does not do what it is asked")), "{advice:?}");
    office.server.clock().advance(Duration::from_hours(1));
    office.server.restart().await;
    assert_eq!(office.info(&phone).await["actions"]["lockscreen"]["status"], 1);
    office.google.set_away(false);
    in_time(&office, async || office.arrivals(":issueCommand", 200) == 1).await;
    office.google.sync(&phone.name);
    in_time(&office, async || office.info(&phone).await["actions"]["lockscreen"]["status"] == 0).await;
    assert_eq!(office.arrivals(":issueCommand", 200), 1, "issued once");
    in_time(&office, async || state(&office).await.trouble.is_none()).await;
}
