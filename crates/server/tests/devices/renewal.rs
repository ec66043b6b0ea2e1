//! Renewal of identities: by the enrollment profile once more, by SCEP's own message, and after the end.

mod by_profile;
mod by_request;
mod expired;

use std::time::Duration;

use domain::{Command, RENEWAL};
use simulator::apple_device::{DeviceModel, RenewalManners};
use testkit::server::{Device, TestServer};

pub const DAY: Duration = Duration::from_hours(24);

/// Within the time before its end in which a certificate of a year is renewed.
pub const DUE: Duration = Duration::from_hours(306 * 24);

/// After the end of such a certificate.
pub const EXPIRED: Duration = Duration::from_hours(366 * 24);

/// An enrolled iPhone with these manners, with nothing left to do.
pub async fn iphone(server: &TestServer, renewal: RenewalManners) -> Device {
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let options = simulator::apple_device::EnrollOptions { renewal, ..options };
    let mut iphone = server.enroll(options).await;
    iphone.connect().await.unwrap();
    server.settled().await;
    iphone
}

/// The renewal that waits for a device.
pub async fn open_renewal(server: &TestServer, device: &Device) -> Option<Command> {
    server.records().await.open_command(device.id(), RENEWAL).await.unwrap()
}
