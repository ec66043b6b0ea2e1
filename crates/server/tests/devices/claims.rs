//! Who may take over a device's record: a UDID in a check-in is only claimed (the Device API's contract).

mod live;
mod quarantine;
mod take_over;
mod tenants;

use domain::{Device as Record, DeviceName};
use simulator::apple_device::{AppleDevice, DeviceModel};
use testkit::server::{Device, TestServer};

/// Somebody who claims to be `device`, with an identity of its own; it has authenticated and not more.
pub async fn claimant(server: &TestServer, device: &Device, link: String) -> AppleDevice {
    let options = server.options(link, device.model().clone());
    let mut claimant = AppleDevice::install(options).await.unwrap();
    claimant.authenticate().await.unwrap();
    claimant
}

/// The record of a device.
pub async fn record(server: &TestServer, device: &Device) -> Record {
    server.mdm().device(&server.owner(), &DeviceName::Id(device.id())).await.unwrap().device
}

/// The record that waits for an administrator, if one does.
pub async fn quarantined(server: &TestServer) -> Option<Record> {
    let mut devices = server.devices_of(server.tenant()).await;
    devices.retain(|device| device.quarantined);
    assert!(devices.len() < 2, "{devices:?}");
    devices.pop()
}

/// An iPhone of a user, enrolled by a link of that user's.
pub async fn iphone_of(server: &TestServer, user: &str) -> Device {
    server.mdm().add_user(&server.owner(), user).await.unwrap();
    let link = server.link_for(Some(user), None, 1).await;
    let mut iphone = server.enroll(server.options(link, DeviceModel::iphone(server.seed()))).await;
    iphone.connect().await.unwrap();
    server.settled().await;
    iphone
}
