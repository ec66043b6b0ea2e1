//! How devices come in, and how they are shown.

use std::time::Duration;

use domain::{AndroidChannel, AndroidMethod, Error, NewAndroidEnrollment};
use serde_json::{Value, json};
use simulator::google::AndroidDevice;
use testkit::server::TestServer;

use super::Office;

#[tokio::test]
async fn a_phone_is_shown_with_what_google_tells_and_nothing_else() {
    let office = Office::open().await;
    let phone = office.phone().await;
    let info = office.info(&phone).await;
    for (field, expected) in [
        ("type", json!(4)),
        ("androidforworktype", json!(3)),
        ("enrollmenttype", Value::Null),
        ("batterylevel", json!(81)),
        ("displayname", json!("Google Pixel 9 4A000000000001")),
        ("modelname", json!("Pixel 9")),
        ("osname", json!("Android 15")),
        ("imei", json!("356938030000001")),
        ("serialnumber", json!("4A000000000001")),
        ("storagemb", json!(122_070)),
        ("freestoragemb", json!(91_553)),
        ("passwordenabled", json!(true)),
        ("passcodecompliant", json!(true)),
        ("lostmodeenabled", json!(false)),
        ("location", Value::Null),
        ("roaming", Value::Null),
        ("managed", json!(true)),
        ("wiped", json!(false)),
        ("mdmid", json!(phone.name)),
    ] {
        assert_eq!(info[field], expected, "{field}");
    }
    assert!(info["lastcontact"].is_string());
    let visible = |action: &str| info["actions"][action]["visible"].as_bool().unwrap();
    let shown =
        ["lockscreen", "wipefull", "wipepartial", "enablelostmode", "requestlocation", "resetpasscode"];
    assert_eq!(shown.map(visible), [true, true, false, true, false, true]);
}

#[tokio::test]
async fn how_it_is_managed_decides_what_it_is() {
    let office = Office::open().await;
    let own = office.enrolled(AndroidMethod::WorkProfile, AndroidDevice::personal_phone(2)).await;
    let both = office.enrolled(AndroidMethod::CompanyOwnedWorkProfile, AndroidDevice::phone(3)).await;
    let (own, both) = (office.info(&own).await, office.info(&both).await);
    assert_eq!((&own["androidforworktype"], &both["androidforworktype"]), (&json!(2), &json!(4)));
    assert_eq!(own["batterylevel"], Value::Null, "a personal device does not tell");
    assert_eq!(own["actions"]["enablelostmode"]["visible"], json!(false));
    assert_eq!(both["actions"]["wipepartial"]["visible"], json!(true));
}

#[tokio::test]
async fn a_device_belongs_to_the_user_for_whom_the_token_was_made() {
    let office = Office::on_postgres().await;
    let (mdm, owner) = (office.server.mdm(), office.server.owner());
    mdm.add_user(&owner, "ann@example.com").await.unwrap();
    let token = office.token(AndroidMethod::FullyManaged, Some("ann@example.com")).await;
    let name = office.google.enroll(&token, AndroidDevice::phone(1)).unwrap();
    let client_id = office.client_id(&name).await;
    assert!(office.server.api().info(&client_id).await["usersid"].is_string());
}

#[tokio::test]
async fn the_service_that_set_the_device_up_is_shown() {
    let office = Office::open().await;
    for (number, channel, shown) in [(1, AndroidChannel::ZeroTouch, 0), (2, AndroidChannel::Knox, 3)] {
        let new = NewAndroidEnrollment {
            method: AndroidMethod::FullyManaged,
            channel: Some(channel),
            user: None,
            many: true,
            lifetime: Duration::from_hours(1),
        };
        let owner = office.server.owner();
        let made = office.server.mdm().add_android_enrollment(&owner, &new).await.unwrap();
        let name = office.google.enroll(&made.token, AndroidDevice::phone(number)).unwrap();
        let client_id = office.client_id(&name).await;
        assert_eq!(office.server.api().info(&client_id).await["enrollmenttype"], json!(shown));
    }
}

#[tokio::test]
async fn a_tenant_without_an_enterprise_makes_no_tokens() {
    let server = TestServer::start().await;
    let new = NewAndroidEnrollment {
        method: AndroidMethod::WorkProfile,
        channel: None,
        user: None,
        many: false,
        lifetime: Duration::from_hours(1),
    };
    let made = server.mdm().add_android_enrollment(&server.owner(), &new).await;
    assert!(matches!(made, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_user_makes_a_work_profile_on_a_device_of_their_own() {
    let office = Office::open().await;
    let (mdm, owner) = (office.server.mdm(), office.server.owner());
    let (_, password) = mdm.add_user(&owner, "ann@example.com").await.unwrap();
    let api = office.server.api();
    let login =
        json!({"type": "basic", "usertype": "user", "username": "ann@example.com", "password": password});
    let request = api.request(reqwest::Method::POST, "/api/mdm/v2/user/login").json(&login);
    let token = api.send(request).await.body["token"].clone();
    let wish = json!({"token": token, "mdmtype": "android", "byod": true, "html": true});
    let request = api.request(reqwest::Method::POST, "/api/mdm/v2/user/mdmprofile").json(&wish);
    let page = api.send(request).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let link = page.text.split("https://enterprise.google.com/android/enroll?et=").nth(1).unwrap();
    let value = link.split('"').next().unwrap();
    let name = office.google.enroll(value, AndroidDevice::personal_phone(7)).unwrap();
    let client_id = office.client_id(&name).await;
    let info = api.info(&client_id).await;
    assert_eq!(info["androidforworktype"], 2);
    assert!(info["usersid"].is_string());
}
