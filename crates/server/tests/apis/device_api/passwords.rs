//! Changing one's password.

use domain::Role;
use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{on_both, server::TestServer};

use super::{
    accepted,
    people::{Person, anonymous, by_token},
    refused,
};
use crate::shown::shown;

const NEW: &str = "correct horse";

fn change(old: &str, new: &str, again: &str) -> Value {
    json!({ "oldpassword": old, "newpassword": new, "confirmnewpassword": again })
}

on_both!(a_new_password_ends_all_tokens_but_the_one_that_changed_it);

async fn a_new_password_ends_all_tokens_but_the_one_that_changed_it(server: TestServer) {
    let api = server.api();
    let (_, user) = Person::user(&server, server.tenant()).await;
    let admin = Person::admin(&server, &[(server.tenant(), Role::Viewer)]).await;
    for person in [user, admin] {
        let (token, other) = (person.token(&api).await, person.token(&api).await);
        let body = change(&person.password, NEW, NEW);
        accepted(&by_token(&api, &token, "user/changepassword", body).await);
        assert_eq!(by_token(&api, &token, "device/list", json!({})).await.status, 200, "{person:?}");
        refused(&by_token(&api, &other, "device/list", json!({})).await, 401, "TOKEN_INVALID");
        refused(&anonymous(&api, "user/login", &person.login()).await, 401, "UNAUTHENTICATED");
        let renewed = by_token(&api, &token, "user/renewtoken", json!({})).await;
        let renewed = renewed.body["token"].as_str().unwrap();
        assert_eq!(by_token(&api, renewed, "device/list", json!({})).await.status, 200);
        person.with_password(NEW).token(&api).await;
    }
}

#[tokio::test]
async fn a_password_that_will_not_do_is_refused_and_the_old_one_stays() {
    let server = TestServer::start().await;
    let api = server.api();
    let (_, user) = Person::user(&server, server.tenant()).await;
    let token = user.token(&api).await;
    let old = user.password.as_str();
    for (body, field) in [
        (change("wrong", NEW, NEW), "oldpassword"),
        (change(old, "1234567", "1234567"), "newpassword"),
        (change(old, &"x".repeat(1025), &"x".repeat(1025)), "newpassword"),
        (change(old, NEW, "correct hose"), "confirmnewpassword"),
        (json!({ "oldpassword": old, "newpassword": NEW }), "confirmnewpassword"),
    ] {
        let answer = by_token(&api, &token, "user/changepassword", body).await;
        refused(&answer, 400, "INVALID_FIELD");
        let sentence = answer.body["errormessage"].as_str().unwrap();
        assert!(sentence.contains(&format!(" {field} ")), "{sentence}");
    }
    let wrong = by_token(&api, &token, "user/changepassword", change("wrong", NEW, NEW)).await;
    assert_snapshot!("changepassword_with_a_wrong_one", shown(&wrong));
    let key = api.call("user/changepassword", change(old, NEW, NEW)).await;
    assert_snapshot!("changepassword_with_a_key", shown(&key));
    user.token(&api).await;
}
