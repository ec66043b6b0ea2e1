//! Clocks of devices are wrong, by up to a day (9).

use simulator::apple_device::{AppleDevice, DeviceModel, Identity, Transport};
use testkit::{
    on_both,
    server::{Options, TestServer},
};

const HOUR: i64 = 3_600_000;

on_both!(a_device_whose_clock_is_wrong_enrolls_and_obeys);
async fn a_device_whose_clock_is_wrong_enrolls_and_obeys(server: TestServer) {
    for hours in [-20, 20, -24, 24] {
        let mut options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
        // Its clock judges its new certificate, and stamps its signatures.
        options.transport = Transport::new(server.clock().off_by(hours * HOUR));
        let mut iphone = server.enroll(options).await;
        iphone.connect().await.unwrap();
        server.lock(&iphone).await;
        assert_eq!(iphone.idle().await, Ok(Some("DeviceLock")), "{hours} h");
        assert_eq!(iphone.acknowledge().await, Ok(None));
    }
}

#[tokio::test]
async fn a_clock_that_goes_wrong_later_disturbs_nobody() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    for hours in [-20, 20, 24 * 4000, -24 * 4000, 0] {
        mac.set_clock(server.clock().off_by(hours * HOUR)).unwrap();
        assert_eq!(mac.idle().await, Ok(None), "{hours} h: a claimed signing time proves nothing");
    }
}

/// Over TLS the device judges the server's certificate by the same wrong clock.
#[tokio::test]
async fn the_servers_own_certificate_is_dated_back_too() {
    let server = TestServer::with(Options { tls: true, ..Options::default() }).await;
    for hours in [-20, 20] {
        let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
        let mut options = options.identity(Identity::TlsClientCertificate);
        options.transport = Transport::new(server.clock().off_by(hours * HOUR));
        let iphone = AppleDevice::enroll(options).await;
        assert!(iphone.as_ref().is_ok_and(AppleDevice::is_enrolled), "{hours} h: {:?}", iphone.err());
    }
}
