//! What each kind of notification tells, and that nothing is made of what Google does not say.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{AndroidMethod, ports::Clock};
use serde_json::{Value, json};
use simulator::google::AndroidDevice;

use super::{Office, Phone};

/// A device that has enrolled and has not reported yet: all that is known is what ENROLLMENT told.
async fn newcomer(office: &Office, method: AndroidMethod, device: AndroidDevice) -> Phone {
    let name = office.google.enroll(&office.token(method, None).await, device).unwrap();
    Phone { client_id: office.client_id(&name).await, name }
}

/// A report that Google pushes, a minute later than the one before.
async fn report(office: &Office, phone: &Phone, id: &str, mut more: Value) {
    office.server.clock().advance(Duration::from_mins(1));
    more["name"] = json!(phone.name);
    more["lastStatusReportTime"] = json!(office.server.clock().now().rfc3339());
    office.tell(id, "STATUS_REPORT", &more).await;
}

impl Office {
    /// Pushes a notification, and waits until it is applied.
    async fn tell(&self, id: &str, kind: &str, data: &Value) {
        let data = STANDARD.encode(data.to_string());
        let message = json!({"messageId": id, "attributes": {"notificationType": kind}, "data": data});
        assert_eq!(self.post(self.body(&message).await).await, 204);
        self.applied().await;
    }

    fn now(&self) -> String {
        self.server.clock().now().rfc3339()
    }
}

#[tokio::test]
async fn an_enrollment_tells_what_the_device_is_and_no_more() {
    let office = Office::open().await;
    let phone = newcomer(&office, AndroidMethod::Dedicated, AndroidDevice::phone(1)).await;
    let info = office.info(&phone).await;
    for (field, expected) in [
        ("type", json!(4)),
        ("androidforworktype", json!(3)),
        ("enrollmenttype", Value::Null),
        ("displayname", json!("Google Pixel 9 4A000000000001")),
        ("modelname", json!("Pixel 9")),
        ("serialnumber", json!("4A000000000001")),
        ("batterylevel", Value::Null),
        ("storagemb", Value::Null),
        ("freestoragemb", Value::Null),
        ("imei", Value::Null),
        ("passwordenabled", Value::Null),
        ("roaming", Value::Null),
        ("location", Value::Null),
        ("lostmodeenabled", json!(false)),
        ("managed", json!(true)),
        ("wiped", json!(false)),
    ] {
        assert_eq!(info[field], expected, "{field}");
    }
}

#[tokio::test]
async fn a_personal_device_keeps_to_itself_what_google_does_not_tell() {
    let office = Office::open().await;
    let phone = office.enrolled(AndroidMethod::WorkProfile, AndroidDevice::personal_phone(2)).await;
    let info = office.info(&phone).await;
    for (field, expected) in [
        ("androidforworktype", json!(2)),
        ("serialnumber", json!("ESID4A000000000002")),
        ("imei", Value::Null),
        ("batterylevel", Value::Null),
        ("roaming", Value::Null),
        ("location", Value::Null),
        ("osname", json!("Android 15")),
        ("storagemb", json!(122_070)),
        ("passwordenabled", json!(true)),
    ] {
        assert_eq!(info[field], expected, "{field}");
    }
}

#[tokio::test]
async fn a_tablet_without_a_radio_has_no_imei() {
    let office = Office::open().await;
    let tablet = AndroidDevice { imei: None, secure: false, ..AndroidDevice::phone(1) };
    let tablet = office.enrolled(AndroidMethod::FullyManaged, tablet).await;
    let info = office.info(&tablet).await;
    assert_eq!((&info["imei"], &info["passwordenabled"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn a_report_tells_the_newest_of_several_measurements() {
    let office = Office::pushed_to(false).await;
    let phone = office.phone().await;
    let battery = |at: &str, level: u8| json!({"eventType": "BATTERY_LEVEL_COLLECTED", "createTime": at, "batteryLevel": level});
    let free = |at: &str, bytes: &str| json!({"eventType": "INTERNAL_STORAGE_MEASURED", "createTime": at, "byteCount": bytes});
    office.server.clock().advance(Duration::from_hours(1));
    let (now, before) = (office.now(), office.server.clock().now().minus(Duration::from_mins(30)).rfc3339());
    report(
        &office,
        &phone,
        "own-1",
        json!({
            "powerManagementEvents": [battery(&now, 12), battery(&before, 99), {"eventType": "POWER_CONNECTED"}],
            "memoryEvents": [free(&now, "1048576000"), free(&before, "9"), {"eventType": "RAM_MEASURED", "byteCount": "1"}],
            "networkInfo": {"meid": "A00000009296FB"},
            "policyCompliant": false,
            "nonComplianceDetails": [{"settingName": "passwordPolicies", "nonComplianceReason": "USER_ACTION"}],
        }),
    )
    .await;
    let info = office.info(&phone).await;
    assert_eq!((&info["batterylevel"], &info["freestoragemb"]), (&json!(12), &json!(1000)));
    assert_eq!(info["passcodecompliant"], json!(false));
    assert_eq!(info["imei"], "356938030000001", "what is not told again stays");
    let other = json!({"policyCompliant": false, "nonComplianceDetails": [{"settingName": "applications"}]});
    report(&office, &phone, "own-2", other).await;
    assert_eq!(office.info(&phone).await["passcodecompliant"], json!(true), "it is something else");
}

#[tokio::test]
async fn a_meid_stands_for_an_imei() {
    let office = Office::pushed_to(false).await;
    let device = AndroidDevice { imei: None, ..AndroidDevice::phone(1) };
    let phone = office.enrolled(AndroidMethod::FullyManaged, device).await;
    report(&office, &phone, "own", json!({"networkInfo": {"meid": "A00000009296FB"}})).await;
    assert_eq!(office.info(&phone).await["imei"], "A00000009296FB");
}

#[tokio::test]
async fn what_no_device_could_be_is_not_shown() {
    let office = Office::pushed_to(true).await;
    let phone = newcomer(&office, AndroidMethod::FullyManaged, AndroidDevice::phone(1)).await;
    let at = office.now();
    let battery = json!({"eventType": "BATTERY_LEVEL_COLLECTED", "createTime": at, "batteryLevel": 250});
    let memory = json!({"eventType": "INTERNAL_STORAGE_MEASURED", "createTime": at, "byteCount": "-5"});
    report(
        &office,
        &phone,
        "own-1",
        json!({"powerManagementEvents": [battery], "memoryEvents": [memory],
            "memoryInfo": {"totalInternalStorage": "-1"}, "softwareInfo": {"androidVersion": "1".repeat(9000)},
            "hardwareInfo": {"model": "Pixel\u{0}\n9", "serialNumber": ""}, "appliedState": "BRAND_NEW_STATE"}),
    )
    .await;
    let info = office.info(&phone).await;
    for field in ["batterylevel", "storagemb", "freestoragemb"] {
        assert_eq!(info[field], Value::Null, "{field}");
    }
    assert_eq!(info["serialnumber"], "4A000000000001");
    assert!(info["osname"].as_str().unwrap().len() < 300);
    assert!(!info["modelname"].as_str().unwrap().contains(['\u{0}', '\n']));
    // A message of the wrong types tells nothing at all, and stops nothing.
    let wrong = json!({"name": phone.name, "powerManagementEvents": "none", "hardwareInfo": []});
    office.tell("own-2", "STATUS_REPORT", &wrong).await;
    report(&office, &phone, "own-3", json!({"softwareInfo": {"androidVersion": "16"}})).await;
    assert_eq!(office.info(&phone).await["osname"], "Android 16");
}

#[tokio::test]
async fn logs_tell_where_a_lost_device_is_and_how_charged() {
    let office = Office::pushed_to(false).await;
    let phone = office.phone().await;
    let log = |id: &str, at: String, latitude: f64| {
        json!({"device": phone.name, "retrievalTime": at, "usageLogEvents": [{
            "eventId": id, "eventTime": at, "eventType": "LOST_MODE_LOCATION",
            "lostModeLocationEvent": {"location": {"latitude": latitude, "longitude": 13.4}, "batteryLevel": 7}}]})
    };
    office.server.clock().advance(Duration::from_mins(5));
    let earlier = office.server.clock().now().minus(Duration::from_mins(2)).rfc3339();
    office.tell("log-1", "USAGE_LOGS", &log("1", office.now(), 52.5)).await;
    office.tell("log-2", "USAGE_LOGS", &log("2", earlier, 48.1)).await;
    let info = office.info(&phone).await;
    assert_eq!(info["location"]["latitude"], json!(52.5), "the older one came later: {info}");
    assert_eq!(info["batterylevel"], 7);
    let nowhere = log("3", office.now(), 91.0);
    office.tell("log-3", "USAGE_LOGS", &nowhere).await;
    assert_eq!(office.info(&phone).await["location"]["latitude"], json!(52.5));
}

#[tokio::test]
async fn a_report_of_a_deleted_device_ends_its_management() {
    let office = Office::pushed_to(false).await;
    let phone = office.phone().await;
    report(&office, &phone, "own", json!({"state": "DELETED"})).await;
    let info = office.info(&phone).await;
    assert_eq!((&info["managed"], &info["wiped"]), (&json!(false), &json!(false)));
    assert_eq!(office.act(&phone, "lockscreen", json!({})).await.status, 409);
}

/// Google's notification may be faster than its answer to the call.
#[tokio::test]
async fn a_command_that_nobody_here_asked_for_changes_nothing() {
    let office = Office::pushed_to(false).await;
    let phone = office.phone().await;
    office.ask(&phone, "lockscreen", json!({})).await;
    office.issued(&phone, 1).await;
    let stray = json!({"name": format!("{}/operations/999", phone.name), "done": true,
        "metadata": {"type": "WIPE", "createTime": office.now()}, "response": {}});
    office.tell("own", "COMMAND", &stray).await;
    let info = office.info(&phone).await;
    assert_eq!((&info["wiped"], &info["managed"]), (&json!(false), &json!(true)));
    assert_eq!(info["actions"]["lockscreen"]["status"], 1, "still pending");
    office.done(&phone, "lockscreen").await;
}
