//! Who may call: every route with every role, tenants, and wrong keys.

use domain::Role;
use reqwest::Method;
use serde_json::json;
use testkit::server::TestServer;

use super::{lock, refused, sent};

#[tokio::test]
async fn a_key_of_several_tenants_says_which_it_means() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let uuid = sent(&server, &phone, lock("x"), json!({})).await;
    let (other, _) = server.another_tenant("other").await;
    let (third, _) = server.another_tenant("third").await;
    let key = server.key_of_roles(&[(server.tenant(), Role::Viewer), (other, Role::Owner)]).await;
    let api = server.api().with_key(&key);
    let get = async |query: &str| api.admin(Method::GET, &format!("commands/{uuid}{query}"), None).await;

    let unsaid = get("").await;
    refused(&unsaid, 400, "invalid");
    assert_eq!(unsaid.body["field"], "tenant");
    assert_eq!(get(&format!("?tenant={}", server.tenant())).await.status, 200);
    refused(&get(&format!("?tenant={other}")).await, 404, "not-found");
    refused(&get(&format!("?tenant={third}")).await, 401, "unauthenticated");
    refused(&get("?tenant=acme").await, 400, "invalid");
    let cancel = format!("commands/{uuid}/cancel?tenant={}", server.tenant());
    refused(&api.admin(Method::POST, &cancel, None).await, 403, "forbidden");
}

#[tokio::test]
async fn wrong_keys_are_held_back_by_their_address() {
    let server = TestServer::start().await;
    server.clock().stop();
    let wrong = server.api().with_key("wrong");
    for _ in 0..20 {
        refused(&wrong.admin(Method::GET, "commands", None).await, 401, "unauthenticated");
    }
    let blocked = wrong.admin(Method::GET, "commands", None).await;
    refused(&blocked, 429, "too-many-requests");
    assert_eq!(blocked.headers["retry-after"], "6");
    assert_eq!(server.api().admin(Method::GET, "commands", None).await.status, 200, "right ones are heard");
    server.clock().advance(std::time::Duration::from_secs(6));
    refused(&wrong.admin(Method::GET, "commands", None).await, 401, "unauthenticated");
}

#[tokio::test]
async fn who_is_refused_is_told_how_to_come_in() {
    let server = TestServer::start().await;
    let request = server.api().request(Method::GET, "/api/admin/v1/commands");
    let answer = server.api().send(request).await;
    refused(&answer, 401, "unauthenticated");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    refused(&server.api().admin(Method::GET, "nothing", None).await, 404, "not-found");
    refused(&server.api().admin(Method::DELETE, "commands", None).await, 405, "method-not-allowed");
    let plain = server.api().request(Method::POST, "/api/admin/v1/commands").body("{}");
    refused(&server.api().send(plain).await, 401, "unauthenticated");
}
