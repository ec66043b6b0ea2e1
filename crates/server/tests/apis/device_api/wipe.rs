//! `device/wipe`, full and partial.

use apple::{Command, command::ObliterationBehavior};
use domain::{ActionKind, DeviceSecret};
use serde_json::{Value, json};
use simulator::apple_device::DeviceModel;
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{accepted, action, ask, info, refused};

/// `managed`, `wiped` and `mdmprofileremoved`.
fn state(info: &Value) -> [bool; 3] {
    ["managed", "wiped", "mdmprofileremoved"].map(|field| info[field].as_bool().expect("a flag"))
}

/// The PIN in the erasure that a Mac is handed.
async fn handed_pin(mac: &mut Device) -> String {
    assert_eq!(mac.idle().await.unwrap(), Some("EraseDevice"));
    let Ok(Command::EraseDevice(erase)) = &mac.current().unwrap().command else { panic!("an erasure") };
    assert_eq!(erase.obliteration_behavior, Some(ObliterationBehavior::ObliterateWithWarning));
    erase.pin.as_ref().expect("a Mac is erased with a PIN").as_str().to_owned()
}

on_both!(a_device_is_erased_and_no_longer_managed);

async fn a_device_is_erased_and_no_longer_managed(server: TestServer) {
    let mut ipad = server.enrolled_ipad().await;
    ask(&server, "enablelostmode", &ipad, json!({ "message": "Call us" })).await;
    ipad.connect().await.unwrap();
    ask(&server, "requestapplist", &ipad, json!({})).await;
    ipad.connect().await.unwrap();
    ask(&server, "wipe", &ipad, json!({ "partial": "false", "macpin": "123456" })).await;
    ask(&server, "requestlocation", &ipad, json!({})).await;
    let before = info(&server, &ipad).await;
    assert_eq!((state(&before), action(&before, "wipefull")), ([true, false, false], (1, true)));
    let done = ipad.connect().await.unwrap();
    assert_eq!(done[0].request_type, "EraseDevice", "without a PIN, which no iPad would understand");
    assert!(ipad.is_erased());
    let after = info(&server, &ipad).await;
    assert_eq!(state(&after), [false, true, false]);
    assert_eq!(after["lostmodeenabled"], false, "erasing ends it");
    for (name, action) in after["actions"].as_object().unwrap() {
        assert_eq!(*action, json!({ "status": 0, "visible": false }), "{name}");
    }
    let apps = server.api().call("app/list", json!({ "clientid": ipad.client_id() })).await;
    assert_eq!(apps.body["totalcount"], 0);
    let again = server.api().device("wipe", json!({ "clientid": ipad.client_id() })).await;
    refused(&again, 409, "DEVICE_NOT_MANAGED");
    let wiped = server.api().device("list", json!({ "filter": { "wiped": true } })).await.body;
    assert_eq!(wiped["totalcount"], 1);
    assert_eq!(server.count_events("device.wiped").await, 1);
}

on_both!(a_mac_is_erased_with_a_pin_that_is_kept_before_it_leaves);

async fn a_mac_is_erased_with_a_pin_that_is_kept_before_it_leaves(server: TestServer) {
    let revealed = async |mac: &Device| server.mdm().reveal_pin(&server.owner(), mac.id()).await.unwrap();
    let mut mac = server.enrolled_mac().await;
    ask(&server, "lockscreen", &mac, json!({ "macpin": "111111" })).await;
    mac.connect().await.unwrap();
    let pin = revealed(&mac).await;
    assert_eq!((pin.pin.as_str(), pin.action), ("111111", ActionKind::LockScreen));
    ask(&server, "wipe", &mac, json!({ "macpin": "314159" })).await;
    let to_come = async |mac: &Device| {
        let pin = revealed(mac).await;
        assert_eq!(pin.pin, "111111", "the one that it is locked with");
        let [other] = &pin.revealed.others[..] else { panic!("{:?}", pin.revealed) };
        assert_eq!(other.secret, DeviceSecret::ErasePin);
        String::from_utf8(other.value.clone()).unwrap()
    };
    assert_eq!(to_come(&mac).await, "314159", "known before it leaves");
    ask(&server, "wipe", &mac, json!({})).await;
    let made = to_come(&mac).await;
    assert_ne!(made, "314159");
    assert_eq!(handed_pin(&mut mac).await, made);
    ask(&server, "wipe", &mac, json!({ "macpin": "271828" })).await;
    assert_eq!(to_come(&mac).await, made, "with that one the Mac will be erased");
    mac.acknowledge().await.unwrap();
    assert!(mac.is_erased());
    assert_eq!(state(&info(&server, &mac).await), [false, true, false]);
    let pin = revealed(&mac).await;
    assert_eq!((pin.pin, pin.action), (made, ActionKind::WipeFull), "it is needed now");
}

on_both!(a_partial_wipe_takes_the_management_off);

async fn a_partial_wipe_takes_the_management_off(server: TestServer) {
    for (partial, model) in
        [(json!(true), DeviceModel::iphone(server.seed())), (json!("true"), DeviceModel::mac(server.seed()))]
    {
        let mut device = server.enrolled(model).await;
        ask(&server, "wipe", &device, json!({ "partial": partial, "macpin": "123456" })).await;
        let before = info(&server, &device).await;
        assert_eq!((action(&before, "wipepartial"), action(&before, "wipefull")), ((1, true), (0, true)));
        let done = device.connect().await.unwrap();
        assert_eq!(done[0].request_type, "RemoveProfile");
        assert!(!device.is_enrolled() && !device.is_erased());
        let after = info(&server, &device).await;
        assert_eq!((state(&after), action(&after, "wipepartial")), ([false, false, true], (0, false)));
    }
}

on_both!(a_users_own_device_is_never_erased);

async fn a_users_own_device_is_never_erased(server: TestServer) {
    let mut own = server.enrolled(DeviceModel::user_enrolled_iphone(server.seed())).await;
    assert_eq!(info(&server, &own).await["enrollmenttype"], 2);
    ask(&server, "wipe", &own, json!({})).await;
    assert_eq!(action(&info(&server, &own).await, "wipefull"), (1, true));
    let done = own.connect().await.unwrap();
    assert_eq!(done[0].request_type, "RemoveProfile");
    assert!(!own.is_erased());
    assert_eq!(state(&info(&server, &own).await), [false, false, true]);
}

#[tokio::test]
async fn a_device_that_only_says_that_it_leaves_has_removed_its_profile() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    ask(&server, "wipe", &phone, json!({ "partial": true })).await;
    assert_eq!(phone.idle().await.unwrap(), Some("RemoveProfile"));
    let command = server.records().await.open_commands(phone.id()).await.unwrap().remove(0);
    phone.check_out().await.unwrap();
    assert_eq!(state(&info(&server, &phone).await), [false, false, true]);
    let settled = server.command(&phone, command.id).await;
    assert_eq!(settled.state, domain::CommandState::Acknowledged, "what came shows that it was done");
}

#[tokio::test]
async fn a_wipe_that_failed_or_was_put_off_changes_nothing() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    ask(&server, "wipe", &phone, json!({})).await;
    phone.put_off_next(1);
    phone.connect().await.unwrap();
    let waiting = info(&server, &phone).await;
    assert_eq!((state(&waiting), action(&waiting, "wipefull")), ([true, false, false], (1, true)));
    phone.fail_next(vec![]);
    phone.connect().await.unwrap();
    let failed = info(&server, &phone).await;
    assert_eq!((state(&failed), action(&failed, "wipefull")), ([true, false, false], (0, true)));
    assert!(!phone.is_erased());
}

#[tokio::test]
async fn a_mac_that_cannot_erase_its_content_says_that_it_goes_nevertheless() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    mac.fail_erase_preflight(true);
    ask(&server, "wipe", &mac, json!({})).await;
    mac.connect().await.unwrap();
    assert!(mac.is_erased());
    assert_eq!(state(&info(&server, &mac).await), [false, true, false]);
}

#[tokio::test]
async fn parameters_that_cannot_be_are_refused() {
    let server = TestServer::start().await;
    let mac = server.enrolled_mac().await;
    for parameters in
        [json!({ "macpin": "12345" }), json!({ "macpin": 123_456 }), json!({ "partial": "yes" })]
    {
        let mut body = parameters;
        body["clientid"] = json!(mac.client_id());
        refused(&server.api().device("wipe", body).await, 400, "INVALID_FIELD");
    }
    assert_eq!(action(&info(&server, &mac).await, "wipefull"), (0, true));
    let body = json!({ "serialnumber": mac.model().serial_number, "partial": true });
    accepted(&server.api().device("wipe", body).await);
}
