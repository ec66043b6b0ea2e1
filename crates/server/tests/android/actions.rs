//! What can be asked of a device that is in its user's hands.

use domain::AndroidMethod;
use serde_json::json;
use simulator::google::{AndroidDevice, Faults};

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

#[tokio::test]
async fn what_a_device_cannot_do_is_refused_with_the_reason() {
    let office = Office::open().await;
    let phone = office.phone().await;
    let own = office.enrolled(AndroidMethod::WorkProfile, AndroidDevice::personal_phone(2)).await;
    let old = AndroidDevice { android_version: 10, ..AndroidDevice::phone(3) };
    let old = office.enrolled(AndroidMethod::FullyManaged, old).await;
    let beside = AndroidDevice { android_version: 12, ..AndroidDevice::phone(4) };
    let beside = office.enrolled(AndroidMethod::CompanyOwnedWorkProfile, beside).await;
    let gone = office.enrolled(AndroidMethod::FullyManaged, AndroidDevice::phone(5)).await;
    office.ask(&gone, "wipe", json!({})).await;
    office.issued(&gone, 1).await;
    office.google.sync(&gone.name);
    office.until(&gone.client_id, |info| info["managed"] == false).await;
    for (device, call, more, why) in [
        (&phone, "wipe", json!({"partial": true}), "FULLY_MANAGED_UNSUPPORTED"),
        (&phone, "disablelostmode", json!({}), "NOT_IN_LOST_MODE"),
        (&phone, "requestlocation", json!({}), "NOT_IN_LOST_MODE"),
        (&own, "enablelostmode", json!({"message": "Lost"}), "PERSONAL_DEVICE_UNSUPPORTED"),
        (&own, "disablelostmode", json!({}), "PERSONAL_DEVICE_UNSUPPORTED"),
        (&own, "requestlocation", json!({}), "PERSONAL_DEVICE_UNSUPPORTED"),
        (&old, "enablelostmode", json!({"message": "Lost"}), "OS_TOO_OLD"),
        (&beside, "enablelostmode", json!({"message": "Lost"}), "OS_TOO_OLD"),
        (&gone, "lockscreen", json!({}), "DEVICE_NOT_MANAGED"),
        (&gone, "wipe", json!({}), "DEVICE_NOT_MANAGED"),
        (&gone, "resetpasscode", json!({"password": "847362"}), "DEVICE_NOT_MANAGED"),
        (&gone, "requestapplist", json!({}), "DEVICE_NOT_MANAGED"),
    ] {
        let answer = office.act(device, call, more).await;
        assert_eq!((answer.status, &answer.body["errorcode"]), (409, &json!(why)), "{call}: {}", answer.text);
        assert!(answer.body["errormessage"].as_str().is_some_and(|text| text.len() > 20), "{}", answer.text);
    }
    assert_eq!(office.arrivals(":issueCommand", 200), 1, "nothing of it reached Google");
}

#[tokio::test]
async fn each_commands_own_status_decides_and_not_that_it_is_done() {
    let office = Office::open().await;
    let phone = office.phone().await;
    // What a report shows already may not have been told of its command yet.
    let told = async |expected: &str| {
        office
            .server
            .until(async |server| {
                let events = server.records().await.events(None, 1000).await.unwrap();
                events.iter().filter(|event| event.kind.starts_with("command.")).any(|event| {
                    let kind = event.kind.trim_start_matches("command.");
                    let google = event.details["google"].as_str().unwrap_or("-");
                    format!("{kind} {} {google}", event.details["request_type"].as_str().unwrap()) == expected
                })
            })
            .await;
    };

    // The device is older than it said when it last reported.
    office.google.change(&phone.name, |device| device.android_version = 9);
    office.ask(&phone, "enablelostmode", json!({"message": "Lost"})).await;
    office.issued(&phone, 1).await;
    office.google.change(&phone.name, |device| device.android_version = 9);
    office.done(&phone, "enablelostmode").await;
    // Its report may come after the command's end; the one that is to follow must not be taken for it.
    office.until(&phone.client_id, |info| info["osname"] == "Android 9").await;
    told("failed START_LOST_MODE API_LEVEL").await;
    office.google.change(&phone.name, |device| device.android_version = 15);
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["osname"] == "Android 15").await;

    office.ask(&phone, "enablelostmode", json!({"message": "Lost"})).await;
    office.issued(&phone, 2).await;
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["lostmodeenabled"] == true).await;
    told("done START_LOST_MODE -").await;

    // Its user found it, and nobody told us.
    office.google.set_faults(Faults { lose_every: Some(1), ..Faults::default() });
    assert!(office.google.end_lost_mode_by_user(&phone.name));
    office.google.set_faults(Faults::default());
    office.ask(&phone, "disablelostmode", json!({})).await;
    office.issued(&phone, 3).await;
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["lostmodeenabled"] == false).await;
    told("done STOP_LOST_MODE NOT_IN_LOST_MODE").await;

    office.ask(&phone, "enablelostmode", json!({"message": "Lost"})).await;
    office.issued(&phone, 4).await;
    office.done(&phone, "enablelostmode").await;
    told("failed START_LOST_MODE USER_EXIT_LOST_MODE_RECENTLY").await;
    assert_eq!(office.info(&phone).await["lostmodeenabled"], false);
}
