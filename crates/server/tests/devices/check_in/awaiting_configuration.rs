//! Devices in Setup Assistant, which hang there until they are told to go on (17).

use apple::{CheckIn, Identifiers, Report, TokenUpdate};
use simulator::apple_device::{AppleDevice, DeviceModel};
use testkit::{on_both, server::TestServer};

on_both!(a_device_that_waits_is_let_go_on);
async fn a_device_that_waits_is_let_go_on(server: TestServer) {
    let mut ipad = waiting(&server).await;
    let first = ["DeviceInformation", "SecurityInfo", "DeviceConfigured", "DeclarativeManagement"];
    assert_eq!(handed_over(&mut ipad).await, first);
    assert_eq!(handed_over(&mut ipad).await, [""; 0], "once");
}

on_both!(a_device_that_says_no_more_of_it_waits_still);
async fn a_device_that_says_no_more_of_it_waits_still(server: TestServer) {
    let mut ipad = waiting(&server).await;
    for said in [None, Some(true), None] {
        says_that_it_waits(&mut ipad, said).await;
    }
    let handed = handed_over(&mut ipad).await;
    assert_eq!(handed.iter().filter(|name| *name == "DeviceConfigured").count(), 1, "{handed:?}");
}

#[tokio::test]
async fn a_device_that_waits_again_is_let_go_on_again() {
    let server = TestServer::start().await;
    let mut ipad = server.enrolled_ipad().await;
    for _ in 0..2 {
        says_that_it_waits(&mut ipad, Some(true)).await;
        assert_eq!(handed_over(&mut ipad).await, ["DeviceConfigured"]);
    }
}

/// 30: what is put off in Setup Assistant must not block what ends it.
#[tokio::test]
async fn what_is_put_off_meanwhile_does_not_stand_in_the_way() {
    let server = TestServer::start().await;
    let mut ipad = waiting(&server).await;
    ipad.put_off("DeviceInformation", true);
    ipad.put_off("SecurityInfo", true);
    let done = ipad.connect().await.unwrap();
    let configured = done.iter().find(|done| done.request_type == "DeviceConfigured").unwrap();
    assert_eq!(configured.status, apple::Status::Acknowledged);
}

on_both!(a_user_of_a_shared_ipad_who_waits_is_let_go_on);
async fn a_user_of_a_shared_ipad_who_waits_is_let_go_on(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    let ids = Identifiers {
        user_id: Some("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF".into()),
        user_short_name: Some("anna@example.com".into()),
        ..ipad.model().identifiers()
    };
    let message = TokenUpdate {
        ids: ids.clone(),
        awaiting_configuration: Some(true),
        unlock_token: None,
        ..ipad.token_update_message()
    };
    ipad.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
    assert_eq!(ipad.idle().await, Ok(None), "it is not the device that waits");
    let handed = ipad.poll(&Report::idle(ids.clone())).await.unwrap().unwrap();
    assert_eq!(handed.request_type, "UserConfigured");
    let done = Report::acknowledged(ids, &handed.command_uuid.clone());
    assert_eq!(ipad.poll(&done).await.unwrap(), None);
}

#[tokio::test]
async fn a_device_that_does_not_wait_is_not_told() {
    let server = TestServer::start().await;
    let mut ipad = server.enrolled_ipad().await;
    for said in [None, Some(false)] {
        says_that_it_waits(&mut ipad, said).await;
        assert_eq!(handed_over(&mut ipad).await, [""; 0]);
    }
}

/// One whose first `TokenUpdate` says that it waits.
async fn waiting(server: &TestServer) -> AppleDevice {
    let options = server.options(server.link().await, DeviceModel::supervised_ipad(server.seed()));
    let mut ipad = AppleDevice::install(options).await.unwrap();
    ipad.authenticate().await.unwrap();
    says_that_it_waits(&mut ipad, Some(true)).await;
    ipad
}

async fn says_that_it_waits(device: &mut AppleDevice, awaiting_configuration: Option<bool>) {
    let message = TokenUpdate { awaiting_configuration, ..device.token_update_message() };
    device.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
}

/// One conversation; what it brought.
async fn handed_over(device: &mut AppleDevice) -> Vec<String> {
    device.connect().await.unwrap().into_iter().map(|done| done.request_type).collect()
}
