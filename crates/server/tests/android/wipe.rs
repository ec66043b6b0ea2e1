//! Wipes, by how the device is managed.

use domain::AndroidMethod;
use serde_json::json;
use simulator::google::AndroidDevice;

use super::Office;

#[tokio::test]
async fn a_fully_managed_device_is_wiped_as_a_whole_and_comes_back_as_the_same() {
    let office = Office::open().await;
    let phone = office.phone().await;
    let partial = office.act(&phone, "wipe", json!({"partial": true})).await;
    assert_eq!((partial.status, &partial.body["errorcode"]), (409, &json!("FULLY_MANAGED_UNSUPPORTED")));
    office.ask(&phone, "wipe", json!({})).await;
    office.issued(&phone, 1).await;
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["wiped"] == true && info["managed"] == false).await;
    assert!(office.google.is_wiped(&phone.name));
    let again = office.phone().await;
    assert_eq!(again.client_id, phone.client_id);
    assert_ne!(again.name, phone.name);
    let info = office.info(&again).await;
    assert_eq!((&info["wiped"], &info["managed"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn of_a_personal_device_only_the_work_profile_goes() {
    let office = Office::open().await;
    let phone = office.enrolled(AndroidMethod::WorkProfile, AndroidDevice::personal_phone(1)).await;
    office.ask(&phone, "wipe", json!({"partial": true})).await;
    office.issued(&phone, 1).await;
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["managed"] == false).await;
    let info = office.info(&phone).await;
    assert_eq!((&info["wiped"], &info["mdmprofileremoved"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_company_owned_device_is_given_to_its_user() {
    let office = Office::open().await;
    let phone = office.enrolled(AndroidMethod::CompanyOwnedWorkProfile, AndroidDevice::phone(1)).await;
    office.ask(&phone, "wipe", json!({"partial": true})).await;
    office.issued(&phone, 1).await;
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["managed"] == false).await;
    assert_eq!(office.info(&phone).await["wiped"], false);
    assert!(!office.google.is_wiped(&phone.name));
}
