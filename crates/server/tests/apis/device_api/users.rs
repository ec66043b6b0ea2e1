//! Users and groups.

use domain::UserChange;
use insta::assert_snapshot;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::apple_device::DeviceModel;
use testkit::{
    on_both,
    server::{Answer, Options, TestServer, record},
};

use super::{
    accepted,
    people::{Person, anonymous, by_token, profile_link},
    refused, texts,
};
use crate::shown::shown;

/// A user with all fields, made by the API and the command line.
async fn ada(server: &TestServer) -> (String, Person) {
    let body = json!({
        "email": "Ada@Example.com",
        "firstname": "Ada",
        "lastname": "Lovelace",
        "password": "analytical engine",
        "sendemail": false,
    });
    let created = server.api().call("user/create", body).await;
    assert_snapshot!("user_create", shown(&created));
    let change = UserChange {
        phone: Some("+44 20 7946 0958".into()),
        managed_apple_id: Some("ada@school.example".into()),
        ..UserChange::default()
    };
    server.mdm().change_user(&server.owner(), "ada@example.com", change).await.unwrap();
    let person =
        Person { kind: "user", email: "ADA@example.com".into(), password: "analytical engine".into() };
    (created.body["data"]["sid"].as_str().unwrap().to_owned(), person)
}

on_both!(users_are_made_shown_listed_and_removed_as_published);

async fn users_are_made_shown_listed_and_removed_as_published(server: TestServer) {
    let api = server.api();
    let (sid, person) = ada(&server).await;
    let login = anonymous(&api, "user/login", &person.login()).await;
    assert_snapshot!("user_login", shown(&login));
    let token = login.body["token"].as_str().unwrap();
    assert_snapshot!("user_info", shown(&api.call("user/info", json!({ "sid": sid })).await));
    assert_snapshot!("user_list", shown(&api.call("user/list", json!({})).await));
    let paged = api.call("user/list", json!({ "pagesize": 5, "pageindex": 1 })).await;
    assert_eq!(paged.text, api.call("user/list", json!({})).await.text);
    let own = by_token(&api, token, "user/info", json!({})).await;
    assert_eq!(own.body["userinfo"]["sid"], sid.as_str());
    assert_snapshot!("user_info_of_an_administrator", shown(&api.call("user/info", json!({})).await));
    assert_snapshot!("user_renewtoken", shown(&by_token(&api, token, "user/renewtoken", json!({})).await));

    assert_snapshot!("user_delete", shown(&api.call("user/delete", json!({ "sid": sid })).await));
    assert_snapshot!("user_delete_again", shown(&api.call("user/delete", json!({ "sid": sid })).await));
    refused(&by_token(&api, token, "user/info", json!({})).await, 401, "TOKEN_INVALID");
    refused(&anonymous(&api, "user/login", &person.login()).await, 401, "UNAUTHENTICATED");
    assert_eq!(api.call("user/list", json!({})).await.body["totalcount"], 0);
}

#[tokio::test]
async fn what_of_a_new_user_is_not_done_is_said_in_the_callers_language() {
    let server = TestServer::start().await;
    let api = server.api();
    let body = json!({ "email": "b@example.com", "sendemail": "true", "emailculture": "de", "grouptemplateid": "7" });
    let request = api.request(Method::POST, "/api/mdm/v2/user/create").json(&body);
    let key = format!("Api-Key {}", server.key_of(domain::Role::Owner).await);
    let answer = api.send(request.header("authorization", key).header("accept-language", "de")).await;
    assert_snapshot!("user_create_with_warnings_in_german", shown(&answer));
    for (body, code) in [
        (json!({ "email": "B@example.com" }), "EMAIL_TAKEN"),
        (json!({ "email": "nobody" }), "INVALID_FIELD"),
        (json!({ "email": "c@example.com", "password": "short" }), "INVALID_FIELD"),
        (json!({ "email": "c@example.com", "lastname": "x".repeat(201) }), "INVALID_FIELD"),
        (json!({}), "INVALID_FIELD"),
    ] {
        let answer = api.call("user/create", body.clone()).await;
        assert_eq!(answer.body["errorcode"], code, "{body}: {}", answer.text);
    }
    refused(&api.call("user/delete", json!({})).await, 400, "INVALID_FIELD");
    refused(&api.call("user/info", json!({ "sid": "nobody" })).await, 404, "USER_NOT_FOUND");
}

#[tokio::test]
async fn a_list_of_users_has_pages() {
    let server = TestServer::start().await;
    for n in 0..5 {
        server.mdm().add_user(&server.owner(), &format!("{n}@example.com")).await.unwrap();
    }
    let api = server.api();
    let all = api.call("user/list", json!({})).await.body;
    let ids = texts(&all, "sid");
    assert!(ids.is_sorted() && ids.len() == 5, "{ids:?}");
    for (index, expected) in [(1, &ids[..2]), (3, &ids[4..]), (4, &[])] {
        let page = api.call("user/list", json!({ "pagesize": 2, "pageindex": index })).await.body;
        assert_eq!(texts(&page, "sid"), expected);
        let counts = (&page["totalcount"], &page["pagecount"], &page["pageindex"]);
        assert_eq!(counts, (&json!(5), &json!(3), &json!(index)));
    }
    refused(&api.call("user/list", json!({ "pagesize": 0 })).await, 400, "INVALID_FIELD");
}

on_both!(the_devices_of_a_removed_user_stay_and_are_nobodys);

async fn the_devices_of_a_removed_user_stay_and_are_nobodys(server: TestServer) {
    let (id, _) = Person::user(&server, server.tenant()).await;
    let mut device = record(1);
    device.user = Some(id);
    server.add_records([device]).await;
    let client = record(1).id.client_id();
    assert_eq!(server.api().info(&client).await["usersid"], id.to_string());
    accepted(&server.api().call("user/delete", json!({ "sid": id.to_string() })).await);
    let info = server.api().info(&client).await;
    assert_eq!((&info["usersid"], &info["managed"]), (&Value::Null, &json!(true)));
    let events = server.events(Some(record(1).id)).await;
    assert_eq!((events[0].kind.as_str(), &events[0].details["user"]), ("device.user_removed", &json!(id)));
}

#[tokio::test]
async fn groups_are_listed_by_name() {
    let server = TestServer::start().await;
    let api = server.api();
    assert_snapshot!("group_list_empty", shown(&api.call("group/list", json!({})).await));
    server.mdm().add_group(&server.owner(), "Teachers", Some("All who teach")).await.unwrap();
    server.mdm().add_group(&server.owner(), "Pupils", None).await.unwrap();
    assert_snapshot!("group_list", shown(&api.call("group/list", json!({})).await));
}

async fn by_link(server: &TestServer, body: &Value) -> Answer {
    let api = server.api();
    api.send(api.request(Method::GET, &profile_link(body))).await
}

on_both!(a_user_enrolls_a_device_of_their_own);

async fn a_user_enrolls_a_device_of_their_own(server: TestServer) {
    let api = server.api();
    let (id, person) = Person::user(&server, server.tenant()).await;
    let token = person.token(&api).await;
    let page = by_link(&server, &json!({ "token": token, "mdmtype": "apple", "html": true })).await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(
        (&page.headers["cache-control"], &page.headers["referrer-policy"]),
        (&"no-store".parse().unwrap(), &"no-referrer".parse().unwrap())
    );
    assert!(!page.text.contains(&token), "the page does not hand the token on");
    let link = page.text.split_once("href=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let phone = server.enroll(server.options(link.clone(), DeviceModel::iphone(server.seed()))).await;
    assert_eq!(api.info(&phone.client_id()).await["usersid"], id.to_string());
    let mine = by_token(&api, &token, "device/list", json!({})).await.body;
    assert_eq!(texts(&mine, "clientid"), [phone.client_id()]);
    let again = reqwest::get(&link).await.unwrap();
    assert_eq!(again.status(), 410, "good for one device");
}

#[tokio::test]
async fn a_profile_is_answered_as_a_file_by_both_methods() {
    let server = TestServer::start().await;
    let api = server.api();
    let token = Person::user(&server, server.tenant()).await.1.token(&api).await;
    let body = json!({ "token": token, "mdmtype": "apple", "mac": "true" });
    for answer in [by_link(&server, &body).await, anonymous(&api, "user/mdmprofile", &body).await] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/x-apple-aspen-config");
        assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"enroll.mobileconfig\"");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.text.contains("com.apple.mdm"), "a signed profile that can be looked into");
    }
}

#[tokio::test]
async fn a_profile_that_cannot_be_had_is_refused_with_the_reason() {
    let server = TestServer::start().await;
    let api = server.api();
    let token = Person::user(&server, server.tenant()).await.1.token(&api).await;
    let ask = async |body: Value| by_token(&api, &token, "user/mdmprofile", body).await;
    let byod = ask(json!({ "mdmtype": "apple", "byod": true })).await;
    assert_snapshot!("mdmprofile_byod", shown(&byod));
    let android = ask(json!({ "mdmtype": "android" })).await;
    assert_snapshot!("mdmprofile_android", shown(&android));
    refused(&ask(json!({})).await, 400, "INVALID_FIELD");
    let key = api.call("user/mdmprofile", json!({ "mdmtype": "apple" })).await;
    assert_snapshot!("mdmprofile_with_a_key", shown(&key));
    let nobody = by_link(&server, &json!({ "mdmtype": "apple" })).await;
    refused(&nobody, 401, "UNAUTHENTICATED");
    let api_path = api.request(Method::GET, "/api/mdm/v2/user/mdmprofile?json=%7B");
    refused(&api.send(api_path).await, 400, "INVALID_BODY");
    let empty = api.send(api.request(Method::GET, "/api/mdm/v2/user/mdmprofile")).await;
    refused(&empty, 400, "INVALID_FIELD");
}

#[tokio::test]
async fn no_profile_is_made_before_the_server_can_enroll_devices() {
    let server = TestServer::with(Options::default()).await;
    let bare = server.mdm().add_tenant("Bare").await.unwrap().id;
    let api = server.api();
    let token = Person::user(&server, bare).await.1.token(&api).await;
    for html in [true, false] {
        let body = json!({ "mdmtype": "apple", "html": html });
        let answer = by_token(&api, &token, "user/mdmprofile", body).await;
        refused(&answer, 409, "ENROLLMENT_NOT_SET_UP");
    }
}
