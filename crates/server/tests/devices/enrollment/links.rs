//! What an enrollment link is good for, how often and how long.

use std::time::Duration;

use domain::{Actor, DeviceName, Error, NewLink};
use reqwest::{Client, Method};
use server::config::Settings;
use simulator::apple_device::{AppleDevice, DeviceModel, Failure, Step};
use testkit::{
    on_both,
    server::{Options, TestServer},
};

use super::{fetch, is_open, profile};

on_both!(a_device_of_each_kind_enrolls_by_its_link);
async fn a_device_of_each_kind_enrolls_by_its_link(server: TestServer) {
    for device in [server.enrolled_iphone().await, server.enrolled_ipad().await, server.enrolled_mac().await]
    {
        assert!(device.is_enrolled());
        let view = server.mdm().device(&server.owner(), &DeviceName::Id(device.id())).await.unwrap();
        let facts = view.device.facts;
        assert!(view.device.managed && !view.device.quarantined);
        assert_eq!(view.device.key, device.model().udid);
        assert_eq!(facts.serial_number.as_ref(), Some(&device.model().serial_number));
        assert_eq!(facts.supervised, Some(device.model().supervised));
    }
}

on_both!(fetching_a_profile_counts_no_use);
async fn fetching_a_profile_counts_no_use(server: TestServer) {
    let link = server.link().await;
    for _ in 0..10 {
        assert!(is_open(&link).await);
    }
    let preview = Client::builder().no_proxy().build().unwrap().request(Method::HEAD, &link).send().await;
    assert_eq!(preview.unwrap().status(), 200);
    let iphone = server.enroll(server.options(link.clone(), DeviceModel::iphone(1))).await;
    assert!(iphone.is_enrolled());
    assert!(!is_open(&link).await);
}

on_both!(a_use_is_counted_when_a_certificate_is_issued);
async fn a_use_is_counted_when_a_certificate_is_issued(server: TestServer) {
    let link = server.link_for(None, None, 2).await;
    // This one has its certificate, and never says a word.
    AppleDevice::install(server.options(link.clone(), DeviceModel::iphone(1))).await.unwrap();
    assert!(is_open(&link).await);
    let mac = server.enroll(server.options(link.clone(), DeviceModel::mac(2))).await;
    assert!(mac.is_enrolled());
    assert_eq!(fetch(&link).await.status(), 410);
}

on_both!(a_profile_that_was_fetched_in_time_is_of_no_use_once_the_link_is_used_up);
async fn a_profile_that_was_fetched_in_time_is_of_no_use_once_the_link_is_used_up(server: TestServer) {
    let link = server.link().await;
    let kept = profile(&link).await;
    let iphone = server.enroll(server.options(link, DeviceModel::iphone(1))).await;
    assert!(iphone.is_enrolled());
    is_refused(&server, kept).await;
}

on_both!(a_profile_that_was_fetched_in_time_is_of_no_use_once_the_link_has_expired);
async fn a_profile_that_was_fetched_in_time_is_of_no_use_once_the_link_has_expired(server: TestServer) {
    let new = NewLink { user: None, device: None, uses: 1, lifetime: Duration::from_hours(1) };
    let link = server.mdm().add_link(&server.owner(), &new).await.unwrap();
    let kept = profile(&link).await;
    server.clock().advance(Duration::from_hours(1));
    assert_eq!(fetch(&link).await.status(), 410);
    is_refused(&server, kept).await;
}

#[tokio::test]
async fn a_link_leads_into_its_own_tenant() {
    let server = TestServer::start().await;
    let (other, _) = server.another_tenant("Other").await;
    let new = NewLink { user: None, device: None, uses: 1, lifetime: Duration::from_hours(1) };
    let link = server.mdm().add_link(&Actor::local(other), &new).await.unwrap();
    AppleDevice::enroll(server.options(link, DeviceModel::iphone(1))).await.unwrap();
    let here = server.devices_of(server.tenant()).await.len();
    assert_eq!((here, server.devices_of(other).await.len()), (0, 1));
}

#[tokio::test]
async fn no_link_is_made_for_plain_http_unless_that_was_said() {
    let settings = Settings { allow_http_loopback: Some(false.into()), ..Settings::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    let new = NewLink { user: None, device: None, uses: 1, lifetime: Duration::from_hours(1) };
    let refused = server.mdm().add_link(&server.owner(), &new).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let health = server.mdm().health().await.unwrap();
    assert!(health.device_url.unwrap().contains("--device-url"));
}

#[tokio::test]
async fn the_address_that_was_set_is_the_one_that_devices_get() {
    let settings = Settings { device_url: Some("https://mdm.example.com/".into()), ..Settings::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    assert!(server.link().await.starts_with("https://mdm.example.com/enroll/"));
}

#[tokio::test]
async fn a_link_for_two_is_closed_to_the_third() {
    let server = TestServer::start().await;
    let link = server.link_for(None, None, 2).await;
    for seed in [1, 2] {
        AppleDevice::enroll(server.options(link.clone(), DeviceModel::iphone(seed))).await.unwrap();
    }
    let third = AppleDevice::enroll(server.options(link, DeviceModel::iphone(3))).await;
    let error = third.err().expect("it must not enroll");
    assert_eq!(error.step, Step::Profile);
    assert!(matches!(error.cause, Failure::Refused { status: 410, .. }), "{error}");
}

/// What somebody gets who has kept a profile.
async fn is_refused(server: &TestServer, kept: apple::EnrollmentProfile) {
    let refused = crate::scep::client::Client::new(server, kept).certificate().await;
    assert!(refused.is_err(), "{refused:?}");
}
