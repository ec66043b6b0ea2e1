//! Logging in, and what becomes of access tokens.

use std::time::Duration;

use domain::{Role, UserChange};
use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{Api, TestServer, record},
};

use super::{
    people::{Person, anonymous, by_token},
    refused, texts,
};
use crate::shown::shown;

/// Just before the last quarter of a token's life.
const FRESH: Duration = Duration::from_millis(45 * 60_000 - 1);

on_both!(a_user_sees_and_locks_their_own_devices_only);

async fn a_user_sees_and_locks_their_own_devices_only(server: TestServer) {
    let (ada, adas_login) = Person::user(&server, server.tenant()).await;
    let (bob, _) = Person::user(&server, server.tenant()).await;
    let [mut adas, mut bobs, nobodys] = [1, 2, 3].map(record);
    adas.user = Some(ada);
    bobs.user = Some(bob);
    adas.managed = false;
    for device in [&mut adas, &mut bobs] {
        device.facts.serial_number = Some("SHARED".into());
    }
    let (own, foreign) = (adas.id.client_id(), bobs.id.client_id());
    server.add_records([adas, bobs, nobodys]).await;
    let api = server.api();
    let token = adas_login.token(&api).await;

    let all = by_token(&api, &token, "device/list", json!({})).await.body;
    assert_eq!((texts(&all, "clientid"), &all["totalcount"]), (vec![own.clone()], &json!(1)));
    let page = by_token(&api, &token, "device/list", json!({ "pagesize": 1, "pageindex": 2 })).await.body;
    assert_eq!((&page["data"], &page["totalcount"], &page["pagecount"]), (&json!([]), &json!(1), &json!(1)));
    let shared = by_token(&api, &token, "device/info", json!({ "serialnumber": "SHARED" })).await;
    assert_eq!(shared.body["deviceinfo"]["clientid"], own, "not the managed one of another user");
    for call in ["device/info", "device/lockscreen"] {
        let answer = by_token(&api, &token, call, json!({ "clientid": foreign })).await;
        refused(&answer, 404, "DEVICE_NOT_FOUND");
    }
    let lock = by_token(&api, &token, "device/lockscreen", json!({ "clientid": own })).await;
    refused(&lock, 409, "DEVICE_NOT_MANAGED");
}

on_both!(a_token_says_when_it_will_be_over_and_that_it_is);

async fn a_token_says_when_it_will_be_over_and_that_it_is(server: TestServer) {
    server.clock().stop();
    let (ada, login) = Person::user(&server, server.tenant()).await;
    let mut device = record(1);
    device.user = Some(ada);
    server.add_records([device]).await;
    let api = server.api();
    let token = login.token(&api).await;
    let calls = [
        ("device/list", json!({}), 200),
        ("device/list", json!({ "pagesize": 1 }), 200),
        ("device/info", json!({ "serialnumber": "SERIAL000001" }), 200),
        ("device/info", json!({ "serialnumber": "NONE" }), 404),
        ("device/info", json!({}), 400),
        ("user/list", json!({}), 403),
    ];
    let statuses = async |expected: Value| {
        for (call, body, status) in &calls {
            let answer = by_token(&api, &token, call, body.clone()).await;
            assert_eq!((answer.status, &answer.body["tokenstatus"]), (*status, &expected), "{call} {body}");
        }
    };
    statuses(Value::Null).await;
    server.clock().advance(FRESH);
    statuses(Value::Null).await;
    server.clock().advance(Duration::from_millis(1));
    statuses("ExpiresSoon".into()).await;
    let renewed = by_token(&api, &token, "user/renewtoken", json!({})).await;
    assert_snapshot!("renewtoken_late", shown(&renewed));
    server.clock().advance(Duration::from_millis(15 * 60_000 - 1));
    statuses("ExpiresSoon".into()).await;
    server.clock().advance(Duration::from_millis(1));

    for (call, body, _) in &calls {
        let answer = by_token(&api, &token, call, body.clone()).await;
        refused(&answer, 401, "TOKEN_INVALID");
        assert_eq!(answer.body["tokenstatus"], "Expired");
    }
    refused(&by_token(&api, &token, "user/renewtoken", json!({})).await, 401, "TOKEN_INVALID");
    let renewed = renewed.body["token"].as_str().unwrap();
    let answer = by_token(&api, renewed, "device/list", json!({})).await;
    assert_eq!((answer.status, &answer.body["tokenstatus"]), (200, &Value::Null));
}

#[tokio::test]
async fn the_old_token_stays_good_beside_the_new_one() {
    let server = TestServer::start().await;
    let api = server.api();
    let (_, login) = Person::user(&server, server.tenant()).await;
    let old = login.token(&api).await;
    let answer = by_token(&api, &old, "user/renewtoken", json!({})).await;
    let new = answer.body["token"].as_str().unwrap();
    assert_ne!(old, new);
    for token in [&old, new] {
        assert_eq!(by_token(&api, token, "device/list", json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn whoever_may_not_log_in_is_answered_like_nobody() {
    let server = TestServer::start().await;
    let api = server.api();
    let (_, ada) = Person::user(&server, server.tenant()).await;
    let (_, disabled) = Person::user(&server, server.tenant()).await;
    let token = disabled.token(&api).await;
    let change = UserChange { enabled: Some(false), ..UserChange::default() };
    server.mdm().change_user(&server.owner(), &disabled.email, change).await.unwrap();
    let owner = server.api().call("user/create", json!({ "email": "blank@example.com" })).await;
    assert_eq!(owner.status, 200, "{}", owner.text);
    let nobody = Person { email: "nobody@example.com".into(), ..ada.clone() };
    let blank = Person { email: "blank@example.com".into(), ..ada.with_password("") };
    let mut texts = Vec::new();
    for person in [nobody, ada.with_password("wrong"), Person { kind: "admin", ..ada }, disabled, blank] {
        let answer = anonymous(&api, "user/login", &person.login()).await;
        refused(&answer, 401, "UNAUTHENTICATED");
        texts.push(answer.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    refused(&by_token(&api, &token, "device/list", json!({})).await, 401, "TOKEN_INVALID");
}

#[tokio::test]
async fn an_administrator_of_several_tenants_says_in_which_they_log_in() {
    let server = TestServer::start().await;
    let api = server.api();
    let (other, _) = server.another_tenant("other").await;
    let (third, _) = server.another_tenant("third").await;
    let admin = Person::admin(&server, &[(server.tenant(), Role::Owner), (other, Role::Viewer)]).await;
    let login = async |mtcid: Value| {
        let mut body = admin.login();
        body["mtcid"] = mtcid;
        anonymous(&api, "user/login", &body).await
    };
    refused(&login(Value::Null).await, 400, "TENANT_NOT_NAMED");
    for nowhere in [third.to_string(), "garbage".into()] {
        refused(&login(nowhere.into()).await, 401, "UNAUTHENTICATED");
    }
    let token = login(other.to_string().into()).await.body["token"].as_str().unwrap().to_owned();
    let create = json!({ "email": "x@example.com" });
    refused(&by_token(&api, &token, "user/create", create).await, 403, "FORBIDDEN");
    for (tenant, status) in [(other, 200), (server.tenant(), 401)] {
        let answer = by_token(&api, &token, "device/list", json!({ "mtcid": tenant.to_string() })).await;
        assert_eq!(answer.status, status, "a token opens the tenant that it was got for");
    }
}

on_both!(a_demoted_administrator_is_demoted_at_once);

async fn a_demoted_administrator_is_demoted_at_once(server: TestServer) {
    let api = server.api();
    let admin = Person::admin(&server, &[(server.tenant(), Role::Owner)]).await;
    let token = admin.token(&api).await;
    let create = async |email: &str| by_token(&api, &token, "user/create", json!({ "email": email })).await;
    assert_eq!(create("one@example.com").await.status, 200);
    server.mdm().add_admin(&admin.email, server.tenant(), Role::Viewer).await.unwrap();
    refused(&create("two@example.com").await, 403, "FORBIDDEN");
    assert_eq!(by_token(&api, &token, "user/list", json!({})).await.status, 200);
    server.mdm().remove_admin(&admin.email, server.tenant()).await.unwrap();
    refused(&create("three@example.com").await, 401, "TOKEN_INVALID");
    refused(&anonymous(&api, "user/login", &admin.login()).await, 401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_is_good_and_revoked_on_every_node() {
    let server = TestServer::on_postgres().await;
    let node = server.another_node().await;
    let (here, there) = (server.api(), Api::new(node.api_url(), ""));
    let (id, login) = Person::user(&server, server.tenant()).await;
    let token = login.token(&here).await;
    assert_eq!(by_token(&there, &token, "device/list", json!({})).await.status, 200);
    let renewed = by_token(&there, &token, "user/renewtoken", json!({})).await;
    let renewed = renewed.body["token"].as_str().unwrap();
    assert_eq!(by_token(&here, renewed, "device/list", json!({})).await.status, 200);
    node.mdm().delete_user(&server.owner(), id).await.unwrap();
    for (api, token) in [(&here, &*token), (&there, &*token), (&here, renewed)] {
        refused(&by_token(api, token, "device/list", json!({})).await, 401, "TOKEN_INVALID");
    }
    node.stop().await.unwrap();
}

on_both!(tokens_that_are_over_are_swept_by_and_by);

async fn tokens_that_are_over_are_swept_by_and_by(server: TestServer) {
    let api = server.api();
    let (_, login) = Person::user(&server, server.tenant()).await;
    login.token(&api).await;
    server.mdm().sweep_accounts().await.unwrap();
    server.clock().advance(Duration::from_mins(90));
    assert_eq!(server.mdm().sweep_accounts().await.unwrap(), 0, "still known to be over");
    login.token(&api).await;
    server.clock().advance(Duration::from_mins(31));
    assert!(server.mdm().sweep_accounts().await.unwrap() >= 1);
}
