//! After an enrollment the server asks a device what it is, and shows what it was told.

use apple::Value;
use domain::{DeviceName, Facts};
use simulator::apple_device::DeviceModel;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

on_both!(what_a_device_reports_is_what_is_shown);
async fn what_a_device_reports_is_what_is_shown(server: TestServer) {
    for device in [server.enrolled_iphone().await, server.enrolled_ipad().await, server.enrolled_mac().await]
    {
        let (facts, model) = (facts(&server, &device).await, device.model());
        assert_eq!(facts.serial_number.as_ref(), Some(&model.serial_number));
        assert_eq!(facts.device_name.as_ref(), Some(&model.device_name));
        assert_eq!(facts.product_name.as_ref(), Some(&model.product_name));
        assert_eq!(facts.os_version.as_ref(), Some(&model.os_version));
        assert_eq!(facts.build_version.as_ref(), Some(&model.build_version));
        assert_eq!(facts.capacity_gb, Some(model.capacity));
        assert_eq!(facts.available_gb, Some(model.available_capacity));
        assert_eq!(facts.supervised, Some(model.supervised));
        // Macs do not say.
        assert_eq!(facts.passcode_present, (!model.is_mac()).then_some(model.passcode_set));
        let digits = |imei: &String| imei.chars().filter(char::is_ascii_digit).collect::<String>();
        let imeis: Vec<_> = model.modems.iter().map(|modem| digits(&modem.imei)).collect();
        assert_eq!(facts.imeis, imeis, "all of them, the first one first");
        assert!(facts.reported_at.is_some());
    }
}

#[tokio::test]
async fn a_battery_is_shown_as_it_was_reported() {
    let server = TestServer::start().await;
    let iphone = server.enrolled_iphone().await;
    assert_eq!(facts(&server, &iphone).await.battery_level, Some(iphone.model().battery_level));
}

on_both!(what_is_not_known_yet_is_not_made_up);
async fn what_is_not_known_yet_is_not_made_up(server: TestServer) {
    let options = server.options(server.link().await, DeviceModel::iphone(server.seed()));
    let mut iphone = server.enroll(options).await;
    let before = facts(&server, &iphone).await;
    assert_eq!(before.os_version.as_deref(), Some("18.1"), "that it said when it authenticated");
    assert_eq!((before.battery_level, before.capacity_gb, before.supervised), (None, None, None));
    iphone.fail("DeviceInformation", Some(vec![]));
    iphone.fail("SecurityInfo", Some(vec![]));
    iphone.fail("DeclarativeManagement", Some(vec![]));
    iphone.connect().await.unwrap();
    server.settled().await;
    assert_eq!(facts(&server, &iphone).await, before);
}

on_both!(an_inventory_that_is_put_off_comes_later);
async fn an_inventory_that_is_put_off_comes_later(server: TestServer) {
    let options = server.options(server.link().await, DeviceModel::mac(server.seed()));
    let mut mac = server.enroll(options).await;
    mac.put_off_everything(true);
    mac.connect().await.unwrap();
    mac.put_off_everything(false);
    mac.connect().await.unwrap();
    server.settled().await;
    assert_eq!(facts(&server, &mac).await.capacity_gb, Some(mac.model().capacity));
}

/// A query that an OS does not know would have it refuse the whole command; the strict device does.
#[tokio::test]
async fn an_old_system_is_asked_for_nothing_that_it_does_not_know() {
    let server = TestServer::start().await;
    for (model, version) in [
        (DeviceModel::iphone(server.seed()), "9.0"),
        (DeviceModel::iphone(server.seed()), "12.5.7"),
        (DeviceModel::mac(server.seed()), "10.13.6"),
        (DeviceModel::iphone(server.seed()), "26.1"),
    ] {
        let model = DeviceModel { os_version: version.into(), ..model };
        let mut device = server.enroll(server.options(server.link().await, model)).await;
        let done = device.connect().await.unwrap();
        assert!(done.iter().all(|done| done.status == apple::Status::Acknowledged), "{version}: {done:?}");
        server.settled().await;
        assert_eq!(facts(&server, &device).await.capacity_gb, Some(device.model().capacity), "{version}");
    }
}

#[tokio::test]
async fn a_device_that_comes_back_reports_anew() {
    let server = TestServer::start().await;
    let mut iphone = server.enrolled_iphone().await;
    iphone.check_out().await.unwrap();
    iphone.model_mut().os_version = "18.2".into();
    iphone.model_mut().passcode_set = false;
    iphone.re_enroll(Some(&server.link().await)).await.unwrap();
    let between = facts(&server, &iphone).await;
    assert_eq!((between.os_version.as_deref(), between.battery_level), (Some("18.2"), None));
    iphone.connect().await.unwrap();
    server.settled().await;
    let now = facts(&server, &iphone).await;
    assert_eq!((now.passcode_present, now.capacity_gb), (Some(false), Some(iphone.model().capacity)));
}

/// −1 is Apple's word for "I do not know".
#[tokio::test]
async fn a_device_that_does_not_know_its_charge_has_none() {
    let server = TestServer::start().await;
    let mut iphone = server.enrolled_iphone().await;
    let queries = apple::command::DeviceInformation { queries: vec!["BatteryLevel".into()] };
    server.queue(&iphone, &[queries.into()]).await;
    iphone.idle().await.unwrap();
    let uuid = iphone.current().unwrap().command_uuid.clone();
    let answers = apple::Dictionary::from_iter([("BatteryLevel", Value::from(-1.0))]);
    let report = apple::Report::acknowledged(iphone.model().identifiers(), &uuid);
    iphone.poll(&report.with("QueryResponses", Value::Dictionary(answers))).await.unwrap();
    server.settled().await;
    assert_eq!(facts(&server, &iphone).await.battery_level, None);
}

async fn facts(server: &TestServer, device: &Device) -> Facts {
    server.mdm().device(&server.owner(), &DeviceName::Id(device.id())).await.unwrap().device.facts
}
