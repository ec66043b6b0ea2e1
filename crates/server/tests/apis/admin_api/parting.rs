//! `EraseDevice` and `RemoveProfile` as administrators send them: a device that does so need not live to tell.

use apple::ErrorChainItem;
use domain::CommandState;
use serde_json::{Value, json};
use simulator::apple_device::AppleDevice;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::sent;

fn erase() -> Value {
    json!({ "RequestType": "EraseDevice" })
}

/// One for a Mac, which needs a PIN.
fn erase_a_mac(behavior: Option<&str>) -> Value {
    let mut command = json!({ "RequestType": "EraseDevice", "PIN": "482913" });
    command["ObliterationBehavior"] = json!(behavior);
    command
}

/// How many records there are after somebody claims to be `device`, by a link for anybody: two, if the claim waits for an
/// administrator.
async fn after_a_claim(server: &TestServer, device: &Device) -> usize {
    let options = server.options(server.link().await, device.model().clone());
    assert!(AppleDevice::enroll(options).await.unwrap().breaches().is_empty());
    server.devices_of(server.tenant()).await.len()
}

on_both!(a_device_that_erased_itself_without_an_answer_is_understood_when_it_comes_back);
/// 38
async fn a_device_that_erased_itself_without_an_answer_is_understood_when_it_comes_back(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let uuid = sent(&server, &phone, erase(), json!({})).await;
    phone.erase_before_answering(true);
    phone.connect().await.unwrap();
    assert!(phone.is_erased());
    assert_eq!(super::state(&server, &uuid).await, "handed_over", "a missing result is not a missing wipe");
    let link = server.link().await;
    phone.re_enroll(Some(&link)).await.unwrap();
    let devices = server.devices_of(server.tenant()).await;
    assert_eq!(devices.len(), 1, "the same device, and nobody in quarantine");
    assert!(devices[0].managed && !devices[0].quarantined);
    assert_eq!(super::state(&server, &uuid).await, "done");
}

on_both!(one_that_was_to_be_over_by_a_time_is_remembered_after_it);
async fn one_that_was_to_be_over_by_a_time_is_remembered_after_it(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let soon = server.mdm().now().plus(std::time::Duration::from_mins(5)).rfc3339();
    let uuid = sent(&server, &phone, erase(), json!({ "expires": soon })).await;
    phone.erase_before_answering(true);
    phone.connect().await.unwrap();
    server.clock().advance(std::time::Duration::from_mins(6));
    server.until(async |server| super::state(server, &uuid).await == "expired").await;
    assert_eq!(after_a_claim(&server, &phone).await, 1);
}

on_both!(a_mac_may_erase_itself_although_it_said_error);
/// 39: with `Default` an error does not mean that nothing was erased.
async fn a_mac_may_erase_itself_although_it_said_error(server: TestServer) {
    for (behavior, records) in [(None, 1), (Some("Default"), 1), (Some("DoNotObliterate"), 2)] {
        let mut mac = server.enrolled_mac().await;
        let before = server.devices_of(server.tenant()).await.len();
        let uuid = sent(&server, &mac, erase_a_mac(behavior), json!({})).await;
        assert_eq!(mac.idle().await, Ok(Some("EraseDevice")));
        mac.error(vec![ErrorChainItem { code: 12, ..ErrorChainItem::default() }]).await.unwrap();
        server.settled().await;
        assert_eq!(super::state(&server, &uuid).await, "failed");
        let added = after_a_claim(&server, &mac).await - before + 1;
        assert_eq!(added, records, "{behavior:?}");
    }
}

#[tokio::test]
async fn what_another_device_answers_with_an_error_it_did_not_do() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    sent(&server, &phone, erase(), json!({})).await;
    phone.idle().await.unwrap();
    phone.error(vec![]).await.unwrap();
    assert_eq!(after_a_claim(&server, &phone).await, 2);
}

#[tokio::test]
async fn a_mac_that_spoke_after_its_error_is_alive() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    sent(&server, &mac, erase_a_mac(None), json!({})).await;
    mac.idle().await.unwrap();
    mac.error(vec![]).await.unwrap();
    server.clock().advance(std::time::Duration::from_mins(1));
    let later = server.mdm().now();
    mac.idle().await.unwrap();
    let id = mac.id();
    server
        .until(async |server| {
            let devices = server.devices_of(server.tenant()).await;
            devices.iter().any(|device| device.id == id && device.last_contact >= Some(later))
        })
        .await;
    assert_eq!(after_a_claim(&server, &mac).await, 2);
}

on_both!(only_the_removal_of_our_profile_ends_an_enrollment);
async fn only_the_removal_of_our_profile_ends_an_enrollment(server: TestServer) {
    let ours = format!("remuda.enrollment.{}", server.tenant());
    for (identifier, records) in [(ours.as_str(), 1), ("com.example.wifi", 2)] {
        let mut phone = server.enrolled_iphone().await;
        let before = server.devices_of(server.tenant()).await.len();
        let command = json!({ "RequestType": "RemoveProfile", "Identifier": identifier });
        let uuid = sent(&server, &phone, command, json!({})).await;
        assert_eq!(phone.idle().await, Ok(Some("RemoveProfile")));
        let added = after_a_claim(&server, &phone).await - before + 1;
        assert_eq!(added, records, "{identifier}");
        let state = server.command(&phone, uuid.parse().unwrap()).await.state;
        let expected = if records == 1 { CommandState::Acknowledged } else { CommandState::HandedOver };
        assert_eq!(state, expected);
    }
}

on_both!(a_check_out_answers_the_removal_of_our_profile);
async fn a_check_out_answers_the_removal_of_our_profile(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let ours = format!("remuda.enrollment.{}", server.tenant());
    let command = json!({ "RequestType": "RemoveProfile", "Identifier": ours });
    let uuid = sent(&server, &phone, command, json!({})).await;
    assert_eq!(phone.idle().await, Ok(Some("RemoveProfile")));
    phone.check_out().await.unwrap();
    assert_eq!(super::state(&server, &uuid).await, "done");
}
