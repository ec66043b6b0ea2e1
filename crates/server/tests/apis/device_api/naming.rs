//! How a call names its device.

use domain::Timestamp;
use serde_json::{Value, json};
use simulator::apple_device::DeviceModel;
use testkit::{
    on_both,
    server::{Api, TestServer, record},
};

use super::refused;

/// The `clientid` of the device that has this name.
async fn found(api: &Api, name: Value) -> String {
    let answer = api.device("info", name).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["deviceinfo"]["clientid"].as_str().unwrap().to_owned()
}

on_both!(a_device_is_found_by_each_of_its_names);

async fn a_device_is_found_by_each_of_its_names(server: TestServer) {
    let phone = server.enrolled_iphone().await;
    let _other = server.enrolled_iphone().await;
    let id = phone.client_id();
    let DeviceModel { serial_number, modems, .. } = phone.model();
    assert!(modems.len() > 1 && modems[0].imei.contains(' '), "Apple writes IMEIs with spaces: {modems:?}");
    for name in [
        json!({ "clientid": id }),
        json!({ "clientid": id.to_uppercase() }),
        json!({ "clientid": phone.id().to_string() }),
        json!({ "serialnumber": serial_number }),
        json!({ "imei": modems[0].imei }),
        json!({ "imei": modems[0].imei.replace(' ', "") }),
        json!({ "imei": modems[1].imei.replace(' ', "-") }),
    ] {
        assert_eq!(found(&server.api(), name.clone()).await, id, "{name}");
    }
}

#[tokio::test]
async fn the_clientid_counts_before_all_other_names() {
    let server = TestServer::start().await;
    server.add_records([record(1), record(2)]).await;
    let name = json!({ "clientid": record(1).id.client_id(), "serialnumber": "SERIAL000002", "imei": "1" });
    assert_eq!(found(&server.api(), name).await, record(1).id.client_id());
}

on_both!(a_name_of_several_means_the_managed_one_else_the_newest);

async fn a_name_of_several_means_the_managed_one_else_the_newest(server: TestServer) {
    let several = |number: u64, days: i64, managed: bool, name: &str| {
        let mut device = record(number);
        device.managed = managed;
        device.enrolled_at = Timestamp(1_700_000_000_000 + days * 86_400_000);
        device.facts.serial_number = Some(format!("SERIAL-{name}"));
        device.facts.imeis = vec![format!("35{number}"), format!("99{}", name.len())];
        device
    };
    server
        .add_records([
            several(1, 1, false, "managed"),
            several(2, 2, true, "managed"),
            several(3, 3, false, "managed"),
            several(4, 9, false, "gone"),
            several(5, 8, false, "gone"),
        ])
        .await;
    let (api, managed, newest) = (server.api(), record(2).id.client_id(), record(4).id.client_id());
    assert_eq!(found(&api, json!({ "serialnumber": "SERIAL-managed" })).await, managed);
    assert_eq!(found(&api, json!({ "imei": "997" })).await, managed, "by the second IMEI too");
    assert_eq!(found(&api, json!({ "serialnumber": "SERIAL-gone" })).await, newest);
    assert_eq!(found(&api, json!({ "imei": "994" })).await, newest);
    assert_eq!(found(&api, json!({ "imei": "351" })).await, record(1).id.client_id());
}

on_both!(a_device_of_another_tenant_does_not_exist);

async fn a_device_of_another_tenant_does_not_exist(server: TestServer) {
    let phone = server.enrolled_iphone().await;
    let (_, key) = server.another_tenant("other").await;
    let stranger = server.api().with_key(&key);
    let DeviceModel { serial_number, modems, .. } = phone.model();
    for name in [
        json!({ "clientid": phone.client_id() }),
        json!({ "serialnumber": serial_number }),
        json!({ "imei": modems[0].imei }),
    ] {
        for call in ["info", "lockscreen"] {
            refused(&stranger.device(call, name.clone()).await, 404, "DEVICE_NOT_FOUND");
        }
    }
    assert_eq!(stranger.device("list", json!({})).await.body["totalcount"], 0);
    assert_eq!(server.api().info(&phone.client_id()).await["actions"]["lockscreen"]["status"], 0);
}

#[tokio::test]
async fn a_name_that_nobody_has_is_not_found_and_none_at_all_is_a_bad_request() {
    let server = TestServer::start().await;
    let _phone = server.enrolled_iphone().await;
    for call in ["info", "lockscreen"] {
        for name in [
            json!({ "clientid": "e60cf0e25e63430694441870c27a8b42" }),
            json!({ "clientid": "no id" }),
            json!({ "imei": "357351093108963" }),
            json!({ "serialnumber": "' OR 1=1 --" }),
            json!({ "serialnumber": "%" }),
        ] {
            refused(&server.api().device(call, name).await, 404, "DEVICE_NOT_FOUND");
        }
        for name in [json!({}), json!({ "clientid": null, "imei": "", "serialnumber": " " })] {
            refused(&server.api().device(call, name).await, 400, "DEVICE_NOT_NAMED");
        }
    }
}
