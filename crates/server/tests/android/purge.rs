//! Purges: nothing is left here, and Google gives the device up.

use std::time::Duration;

use super::Office;

#[tokio::test]
async fn a_purge_reaches_google() {
    let office = Office::on_postgres().await;
    let phone = office.phone().await;
    purge(&office, &phone.client_id).await;
    office.server.until(async |_| office.google.device_names().is_empty()).await;
    office.google.sync(&phone.name);
    assert!(office.google.is_wiped(&phone.name), "Google tells the device to wipe itself");
    assert_eq!(office.find(&phone.name).await, None);
}

#[tokio::test]
async fn a_purge_survives_that_google_is_away_for_an_hour() {
    let office = Office::open().await;
    let phone = office.phone().await;
    office.google.set_away(true);
    purge(&office, &phone.client_id).await;
    office.server.clock().advance(Duration::from_hours(1));
    // Nothing that is told of the device from now on makes a record again.
    office.google.sync(&phone.name);
    office.google.set_away(false);
    office.server.clock().advance(Duration::from_mins(10));
    office
        .server
        .until(async |server| {
            server.clock().advance(Duration::from_secs(30));
            office.google.device_names().is_empty()
        })
        .await;
    assert!(office.list().await.is_empty());
}

async fn purge(office: &Office, client_id: &str) {
    let (mdm, owner) = (office.server.mdm(), office.server.owner());
    mdm.ask_purge(&owner, &[], &[client_id.to_owned()]).await.unwrap();
    office.server.settled().await;
    assert!(office.list().await.is_empty());
}
