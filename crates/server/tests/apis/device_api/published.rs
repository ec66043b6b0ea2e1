//! Every request of the published document, letter by letter, and the answer that stands there with it.

use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{accepted, call, people::Person};

const LOCK_SCREEN: &str = r#"{
"clientid":"{client id}",
"message":"{message}",
"phonenumber":"{phonenumber}",
"macpin":"123456"
}"#;
const ENABLE_LOST_MODE: &str = r#"{
"clientid":"{client id}",
"message":"Please call the following number for unlock instructions.",
"phonenumber":"0123456789",
"footnote":"This device is managed by Cortado.",
"password":"1234"
}"#;
const RESET_PASSCODE: &str = r#"{
"password":"{new password}",
"clientid":"{client id}"
}"#;
const WIPE: &str = r#"{
"clientid":"{client id}",
"macpin":"123456",
"partial":"true"
}"#;
const DEVICE_ALONE: &str = r#"{
"clientid":"{client id}"
}"#;
const LIST: &str = r#"{
"filter": {
"managed": true,
"wiped": true,
"lastcontact": {
"from": "2025-01-06",
"to": "2025-08-08"
},
"locationtimestamp": {
"from": "2025-01-06",
"to": "2025-08-08"
}
}
}"#;

const BY_CLIENT_ID: &str = r#"{
"clientid": "{client_id}"
}"#;
const BY_IMEI: &str = r#"{
"imei": "{device_imei}"
}"#;
const BY_TOKEN: &str = r#"{
"token":"{access token}",
"serialnumber": "{device_serialnumber}"
}"#;

/// The headers of the published requests.
async fn headers(server: &TestServer) -> [(&'static str, String); 2] {
    let key = server.key_of(domain::Role::Operator).await;
    [("Content-Type", "application/json".into()), ("Authorization", format!("Api-Key {key}"))]
}

on_both!(every_published_action_is_answered_as_published);

async fn every_published_action_is_answered_as_published(server: TestServer) {
    let mut ipad: Device = server.enrolled_ipad().await;
    let headers = headers(&server).await;
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    for (name, body, does) in [
        ("requestapplist", DEVICE_ALONE, "InstalledApplicationList"),
        ("lockscreen", LOCK_SCREEN, "DeviceLock"),
        ("resetpasscode", RESET_PASSCODE, "ClearPasscode"),
        ("enablelostmode", ENABLE_LOST_MODE, "EnableLostMode"),
        ("requestlocation", DEVICE_ALONE, "DeviceLocation"),
        ("disablelostmode", DEVICE_ALONE, "DisableLostMode"),
        ("wipe", WIPE, "RemoveProfile"),
    ] {
        let body = body.replace("{client id}", &ipad.client_id());
        let answer = call(&server.api(), name, &headers, &body).await;
        accepted(&answer);
        assert_eq!(answer.headers["content-type"], "application/json", "{name}");
        let done = ipad.connect().await.unwrap();
        assert!(done.iter().any(|command| command.request_type == does), "{name}: {done:?}");
        server.settled().await;
    }
}

on_both!(a_device_is_named_in_every_published_way);

async fn a_device_is_named_in_every_published_way(server: TestServer) {
    let phone = server.enrolled_iphone().await;
    let login = Person::admin(&server, &[(server.tenant(), domain::Role::Viewer)]).await;
    let token = login.token(&server.api()).await;
    let headers = headers(&server).await;
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let model = phone.model();
    let mut answers = Vec::new();
    for (headers, body) in [
        (&headers[..], BY_CLIENT_ID.replace("{client_id}", &phone.client_id())),
        (&headers, BY_IMEI.replace("{device_imei}", &model.modems[0].imei)),
        (
            &headers[..1],
            BY_TOKEN.replace("{access token}", &token).replace("{device_serialnumber}", &model.serial_number),
        ),
    ] {
        let mut answer = call(&server.api(), "info", headers, &body).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text);
        assert_eq!(answer.body["deviceinfo"]["clientid"], phone.client_id(), "{body}");
        // It is written down up to a second later.
        answer.body["deviceinfo"]["lastcontact"].take();
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn the_published_list_is_answered_as_published() {
    let server = TestServer::start().await;
    let _phone = server.enrolled_iphone().await;
    let headers = headers(&server).await;
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = call(&server.api(), "list", &headers, LIST).await;
    let nobody = r#"{"errorcode":null,"errormessage":null,"success":true,"tokenstatus":null,"data":[],"pagecount":1,"pageindex":1,"totalcount":0}"#;
    assert_eq!((answer.status, answer.text.as_str()), (200, nobody), "no phone of today fits that filter");
}
