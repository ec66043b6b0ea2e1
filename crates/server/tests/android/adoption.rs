//! An enterprise that is there already comes to another server.

use std::time::Duration;

use serde_json::json;

use super::Office;

#[tokio::test]
async fn an_adopted_enterprise_brings_its_devices_and_tells_its_new_server_what_happens() {
    let office = Office::open().await;
    let phone = office.phone().await;
    let state = office.server.mdm().android_state(&office.server.owner()).await.unwrap().unwrap();
    let name = state.enterprise.unwrap();

    let new = office.beside().await;
    let account = office.google.service_account().as_bytes().to_vec();
    let adopt = async |name: &str| new.mdm().adopt_android_enterprise(&new.owner(), &account, name).await;
    assert!(matches!(adopt("enterprise").await, Err(domain::Error::Invalid { .. })));
    assert!(matches!(adopt("enterprises/NOBODYS").await, Err(domain::Error::Conflict(_))));
    assert_eq!(adopt(&name).await.unwrap(), name);
    assert!(matches!(adopt(&name).await, Err(domain::Error::Conflict(_))), "the tenant has one now");

    new.until(async |new| new.devices_of(new.tenant()).await.len() == 1).await;
    let device = new.devices_of(new.tenant()).await.remove(0);
    assert_eq!((device.key.as_str(), device.managed), (phone.name.as_str(), true));
    let client_id = device.id.client_id();
    office.google.change(&phone.name, |device| device.battery_level = 17);
    office.google.sync(&phone.name);
    new.until(async |new| new.api().info(&client_id).await["batterylevel"] == 17).await;
    let locked = new.api().device("lockscreen", json!({"clientid": client_id})).await;
    assert_eq!(locked.status, 200, "{}", locked.text);
    office.issued(&phone, 1).await;
    office.google.sync(&phone.name);
    new.until(async |new| new.api().info(&client_id).await["actions"]["lockscreen"]["status"] == 0).await;

    // The server before hears nothing any more, and finds out by comparing that the device was given up.
    new.mdm().ask_purge(&new.owner(), &[], &[client_id]).await.unwrap();
    new.until(async |_| office.google.device_names().is_empty()).await;
    assert_eq!(office.info(&phone).await["managed"], true);
    office.server.clock().advance(Duration::from_hours(7));
    office.until(&phone.client_id, |info| info["managed"] == false).await;
}
