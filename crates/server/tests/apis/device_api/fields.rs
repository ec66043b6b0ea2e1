//! What a device reports, and the fields in which it is shown.

use serde_json::{Value, json};
use simulator::apple_device::DeviceModel;
use testkit::{on_both, server::TestServer};

/// A device of this model, once it has told its inventory.
async fn shown(server: &TestServer, model: DeviceModel) -> (DeviceModel, Value) {
    let device = server.enrolled(model).await;
    (device.model().clone(), server.api().info(&device.client_id()).await)
}

fn digits(imei: &str) -> String {
    imei.replace(' ', "")
}

/// From iOS 26 on, IMEIs and roaming stand in `ServiceSubscriptions` alone.
#[tokio::test]
async fn an_imei_is_known_and_found_before_and_from_ios_26_on() {
    let server = TestServer::start().await;
    for version in ["18.1", "26.0"] {
        let model = DeviceModel { os_version: version.into(), ..DeviceModel::iphone(server.seed()) };
        let (model, info) = shown(&server, model).await;
        assert_eq!(info["imei"], digits(&model.modems[0].imei), "iOS {version}");
        assert_eq!(info["roaming"], false, "iOS {version}");
        assert_eq!(info["osname"], format!("iOS {version}"));
        for modem in &model.modems {
            for name in [modem.imei.clone(), digits(&modem.imei), modem.imei.replace(' ', "-")] {
                let found = server.api().device("info", json!({ "imei": name })).await;
                assert_eq!(found.body["deviceinfo"]["clientid"], info["clientid"], "iOS {version}: {name}");
            }
        }
    }
}

on_both!(a_personal_device_shows_its_enrollment_id_and_hides_what_it_is);

async fn a_personal_device_shows_its_enrollment_id_and_hides_what_it_is(server: TestServer) {
    let (model, info) = shown(&server, DeviceModel::user_enrolled_iphone(server.seed())).await;
    let enrollment_id = model.identifiers().enrollment_id.expect("an enrollment id");
    assert_eq!((&info["mdmid"], &info["enrollmenttype"]), (&json!(enrollment_id), &json!(2)));
    assert_eq!((&info["imei"], &info["serialnumber"]), (&Value::Null, &Value::Null));
    assert!(!info.to_string().contains(&model.udid), "{info}");
}

#[tokio::test]
async fn a_supervised_ipad_shows_its_udid_and_what_it_is_called_in_shops() {
    let server = TestServer::start().await;
    let (model, info) = shown(&server, DeviceModel::supervised_ipad(server.seed())).await;
    assert_eq!((&info["mdmid"], &info["supervised"]), (&json!(model.udid), &json!(true)));
    let name = info["modelname"].as_str().unwrap();
    assert!(name.starts_with("Apple iPad Pro") && name.ends_with(')'), "{name}");
    assert_eq!((&info["osname"], &info["type"]), (&json!("iPadOS 18.1"), &json!(2)));
    assert_eq!((&info["enrollmenttype"], &info["androidforworktype"]), (&Value::Null, &json!(0)));
}

/// Macs up to macOS 11 count storage in GiB, later ones in GB; what they say is taken as the GB that is shown.
#[tokio::test]
async fn storage_is_shown_as_the_number_that_the_device_says() {
    let server = TestServer::start().await;
    for version in ["11.6", "15.1"] {
        let mac = DeviceModel::mac(server.seed());
        let mac = DeviceModel { os_version: version.into(), capacity: 500.0, ..mac };
        let (_, info) = shown(&server, mac).await;
        assert_eq!(info["storagemb"], 512_000, "macOS {version}");
        let free = info["freestoragemb"].as_f64().unwrap() / 1024.0;
        let expected = format!("{free:.1} GB / 500.0 GB - {:.2} %", free / 5.0);
        assert_eq!(info["freestorageinfo"], expected, "macOS {version}");
        assert_eq!((&info["type"], &info["imei"]), (&json!(7), &Value::Null), "macOS {version}");
    }
}
