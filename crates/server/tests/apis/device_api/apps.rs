//! `device/requestapplist`, and what can be read afterwards: `app/list` and `app/info`.

use serde_json::{Value, json};
use simulator::apple_device::{Application, DeviceModel};
use testkit::{
    on_both,
    server::{Device, TestServer},
};

use super::{accepted, ask, refused};

async fn list(server: &TestServer, device: &Device, mut parameters: Value) -> Value {
    server.settled().await;
    parameters["clientid"] = json!(device.client_id());
    let answer = server.api().call("app/list", parameters).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

fn ids(list: &Value) -> Vec<String> {
    super::texts(list, "id")
}

fn application(identifier: &str, managed: bool) -> Application {
    Application {
        identifier: identifier.into(),
        name: format!("The app {identifier}"),
        managed,
        installing: false,
        ..DeviceModel::iphone(0).installed_applications().remove(0)
    }
}

on_both!(a_device_is_asked_for_its_apps_which_are_then_listed);

async fn a_device_is_asked_for_its_apps_which_are_then_listed(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    let empty = list(&server, &phone, json!({})).await;
    let nothing = json!({
        "errorcode": null, "errormessage": null, "success": true, "tokenstatus": null,
        "data": [], "pagecount": 1, "pageindex": 1, "totalcount": 0,
    });
    assert_eq!(empty, nothing);

    let apps = [application("com.example.b", false), application("com.example.a", true)];
    phone.model_mut().applications = Some(apps.to_vec());
    ask(&server, "requestapplist", &phone, json!({})).await;
    ask(&server, "requestapplist", &phone, json!({})).await;
    let done: Vec<_> = phone.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
    assert_eq!(done, ["InstalledApplicationList", "ManagedApplicationList"], "each once");
    let listed = list(&server, &phone, json!({})).await;
    assert_eq!(ids(&listed), ["com.example.a", "com.example.b"]);
    let managed = json!({
        "apptype": "AU", "displayname": "The app com.example.a", "id": "com.example.a", "managed": true,
        "platform": 2, "status": "Managed",
    });
    assert_eq!(listed["data"][0], managed);
    assert_eq!(
        (&listed["data"][1]["managed"], &listed["data"][1]["status"]),
        (&json!(false), &json!("Installed"))
    );

    phone.model_mut().applications = Some(vec![application("com.example.c", false)]);
    ask(&server, "requestapplist", &phone, json!({})).await;
    phone.connect().await.unwrap();
    assert_eq!(ids(&list(&server, &phone, json!({})).await), ["com.example.c"], "the last word counts");
}

#[tokio::test]
async fn a_list_is_read_by_pages() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    mac.model_mut().applications = Some((0..5).map(|n| application(&format!("app-{n}"), false)).collect());
    ask(&server, "requestapplist", &mac, json!({})).await;
    mac.connect().await.unwrap();
    let page = list(&server, &mac, json!({ "pagesize": 2, "pageindex": 2 })).await;
    assert_eq!(ids(&page), ["app-2", "app-3"]);
    assert_eq!([&page["pagecount"], &page["pageindex"], &page["totalcount"]], [3, 2, 5]);
    assert_eq!(page["data"][0]["platform"], 7);
    let beyond = list(&server, &mac, json!({ "pageindex": 9 })).await;
    assert_eq!((ids(&beyond).len(), &beyond["totalcount"]), (0, &json!(5)));
    let body = json!({ "clientid": mac.client_id(), "pagesize": 0 });
    refused(&server.api().call("app/list", body).await, 400, "INVALID_FIELD");
}

#[tokio::test]
async fn one_app_is_found_by_its_id() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    phone.model_mut().applications = Some(vec![application("com.example.a", false)]);
    ask(&server, "requestapplist", &phone, json!({})).await;
    phone.connect().await.unwrap();
    server.settled().await;
    let serial = &phone.model().serial_number;
    let answer =
        server.api().call("app/info", json!({ "serialnumber": serial, "id": "com.example.a" })).await;
    assert_eq!((answer.status, &answer.body["appinfo"]["id"]), (200, &json!("com.example.a")));
    let other = server.enrolled_iphone().await;
    for (device, id) in [(&phone, "com.example.b"), (&phone, "a\u{0}"), (&other, "com.example.a")] {
        let body = json!({ "clientid": device.client_id(), "id": id });
        refused(&server.api().call("app/info", body).await, 404, "APP_NOT_FOUND");
    }
    let body = json!({ "clientid": phone.client_id() });
    refused(&server.api().call("app/info", body).await, 400, "APP_NOT_NAMED");
    let stranger = json!({ "serialnumber": "NOBODY", "id": "com.example.a" });
    refused(&server.api().call("app/info", stranger).await, 404, "DEVICE_NOT_FOUND");
}

#[tokio::test]
async fn a_device_is_asked_only_for_what_it_may_tell() {
    let server = TestServer::start().await;
    let old = DeviceModel { os_version: "10.15.7".into(), ..DeviceModel::mac(server.seed()) };
    for (model, asked) in [
        (old, vec!["InstalledApplicationList"]),
        (
            DeviceModel::user_enrolled_iphone(server.seed()),
            vec!["InstalledApplicationList", "ManagedApplicationList"],
        ),
    ] {
        let mut device = server.enrolled(model).await;
        ask(&server, "requestapplist", &device, json!({})).await;
        let done: Vec<_> =
            device.connect().await.unwrap().into_iter().map(|done| done.request_type).collect();
        assert_eq!(done, asked);
    }
    let mut gone = server.enrolled_iphone().await;
    gone.check_out().await.unwrap();
    let body = json!({ "clientid": gone.client_id() });
    refused(&server.api().device("requestapplist", body).await, 409, "DEVICE_NOT_MANAGED");
}

#[tokio::test]
async fn apps_of_another_tenant_are_those_of_a_device_that_is_not_there() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let (_, key) = server.another_tenant("Other").await;
    for call in ["app/list", "app/info"] {
        let body = json!({ "clientid": phone.client_id(), "id": "com.example.a" });
        refused(&server.api().with_key(&key).call(call, body).await, 404, "DEVICE_NOT_FOUND");
    }
    let viewer = server.key_of(domain::Role::Viewer).await;
    let body = json!({ "clientid": phone.client_id() });
    assert_eq!(server.api().with_key(&viewer).call("app/list", body.clone()).await.status, 200);
    refused(&server.api().with_key(&viewer).device("requestapplist", body.clone()).await, 403, "FORBIDDEN");
    accepted(&server.api().device("requestapplist", body).await);
}
