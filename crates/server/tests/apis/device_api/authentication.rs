//! Who may call, and for which tenant.

use domain::Role;
use serde_json::json;
use testkit::{on_both, server::TestServer};

use super::{accepted, call, refused, texts};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn without_a_good_key_nobody_comes_in() {
    let server = TestServer::start().await;
    let good = server.key_of(Role::Owner).await;
    let revoked = server.revoked_key().await;
    let (_, secret) = server.application().await;
    for authorization in [
        None,
        Some("Api-Key".to_owned()),
        Some("Api-Key nobody's".to_owned()),
        Some(format!("Api-Key {revoked}")),
        Some(format!("Api-Key {secret}")),
        Some(format!("Bearer {good}")),
        Some(format!("Basic {good}")),
        Some(good.clone()),
        Some(format!("Api-Key {good}, Api-Key {good}")),
    ] {
        let mut headers = vec![JSON];
        headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
        for name in ["list", "info", "lockscreen"] {
            let answer = call(&server.api(), name, &headers, "{}").await;
            refused(&answer, 401, "UNAUTHENTICATED");
            assert_eq!(answer.headers["www-authenticate"], "Api-Key", "{authorization:?}");
        }
    }
    let twice = [JSON, ("authorization", &*format!("Api-Key {good}")), ("authorization", "Api-Key another")];
    refused(&call(&server.api(), "list", &twice, "{}").await, 401, "UNAUTHENTICATED");
    assert_eq!(server.api().with_key(&good).device("list", json!({})).await.status, 200);
}

on_both!(a_key_is_taken_back_at_once);

async fn a_key_is_taken_back_at_once(server: TestServer) {
    let (id, key) = server.mdm().add_api_key("owner@example.com").await.unwrap();
    let api = server.api().with_key(&key);
    assert_eq!(api.device("list", json!({})).await.status, 200);
    server.mdm().revoke_api_key(id).await.unwrap();
    refused(&api.device("list", json!({})).await, 401, "UNAUTHENTICATED");
    assert_eq!(server.api().device("list", json!({})).await.status, 200, "the owner's other key");
}

on_both!(mtcid_says_which_of_several_tenants_is_meant);

async fn mtcid_says_which_of_several_tenants_is_meant(server: TestServer) {
    let (other, _) = server.another_tenant("other").await;
    let (third, _) = server.another_tenant("third").await;
    let phone = server.enrolled_iphone().await;
    let key = server.key_of_roles(&[(server.tenant(), Role::Owner), (other, Role::Viewer)]).await;
    let api = server.api().with_key(&key);

    let ours = api.device("list", json!({ "mtcid": server.tenant().to_string() })).await;
    assert_eq!(texts(&ours.body, "clientid"), [phone.client_id()]);
    let theirs = api.device("list", json!({ "mtcid": other.to_string() })).await;
    assert_eq!(texts(&theirs.body, "clientid"), [""; 0]);
    refused(&api.device("list", json!({})).await, 400, "TENANT_NOT_NAMED");
    for foreign in [third.to_string(), "garbage".into(), "00000000-0000-0000-0000-000000000000".into()] {
        refused(&api.device("list", json!({ "mtcid": foreign })).await, 401, "UNAUTHENTICATED");
    }
    refused(&api.device("list", json!({ "mtcid": 7 })).await, 400, "INVALID_FIELD");
}

#[tokio::test]
async fn with_one_tenant_mtcid_may_be_left_out_and_another_one_is_still_refused() {
    let server = TestServer::start().await;
    let (other, _) = server.another_tenant("other").await;
    for mtcid in [json!(null), json!(""), json!(server.tenant().to_string())] {
        assert_eq!(server.api().device("list", json!({ "mtcid": mtcid })).await.status, 200, "{mtcid}");
    }
    let upper = server.tenant().to_string().to_uppercase();
    assert_eq!(server.api().device("list", json!({ "mtcid": upper })).await.status, 200);
    refused(
        &server.api().device("list", json!({ "mtcid": other.to_string() })).await,
        401,
        "UNAUTHENTICATED",
    );
}

#[tokio::test]
async fn the_role_counts_in_the_tenant_that_is_meant() {
    let server = TestServer::start().await;
    let (other, _) = server.another_tenant("other").await;
    let phone = server.enrolled_iphone().await;
    let key = server.key_of_roles(&[(server.tenant(), Role::Viewer), (other, Role::Owner)]).await;
    let lock = json!({ "mtcid": server.tenant().to_string(), "clientid": phone.client_id() });
    refused(&server.api().with_key(&key).device("lockscreen", lock).await, 403, "FORBIDDEN");
}

#[tokio::test]
async fn a_token_outranks_the_key() {
    let server = TestServer::start().await;
    let answer = server.api().device("list", json!({ "token": "one that nobody issued" })).await;
    refused(&answer, 401, "TOKEN_INVALID");
    assert_eq!(answer.body["tokenstatus"], "Expired");
}

#[tokio::test]
async fn a_token_of_the_lifecycle_api_is_none_of_this_one() {
    let server = TestServer::start().await;
    let token = server.token_of(&server.application().await).await;
    refused(&server.api().device("list", json!({ "token": token })).await, 401, "TOKEN_INVALID");
    let headers = [JSON, ("authorization", &*format!("Bearer {token}"))];
    refused(&call(&server.api(), "list", &headers, "{}").await, 401, "UNAUTHENTICATED");
}

on_both!(a_viewer_looks_and_an_operator_locks);

async fn a_viewer_looks_and_an_operator_locks(server: TestServer) {
    let phone = server.enrolled_iphone().await;
    let named = json!({ "clientid": phone.client_id() });
    let viewer = server.api().with_key(&server.key_of(Role::Viewer).await);
    assert_eq!(viewer.device("list", json!({})).await.status, 200);
    assert_eq!(viewer.device("info", named.clone()).await.status, 200);
    refused(&viewer.device("lockscreen", named.clone()).await, 403, "FORBIDDEN");
    let info = viewer.info(&phone.client_id()).await;
    assert_eq!(info["actions"]["lockscreen"]["status"], 0, "nothing was queued");

    let operator = server.api().with_key(&server.key_of(Role::Operator).await);
    accepted(&operator.device("lockscreen", named).await);
}
