//! Guessing is slowed down, by account and by address.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use server::config::Settings;
use testkit::server::{Answer, Api, Options, TestServer};

use super::{
    people::{Person, by_token},
    refused,
};

/// A server that believes what is told of addresses, and whose clock stands still.
async fn behind_a_proxy(postgres: bool) -> TestServer {
    let settings = Settings { trusted_proxy: vec!["127.0.0.0/8".into()], ..Settings::default() };
    let server = TestServer::with(Options { settings, postgres, ..Options::default() }).await;
    server.clock().stop();
    server
}

async fn from(api: &Api, address: usize, call: &str, key: &str, body: &Value) -> Answer {
    let request = api.request(Method::POST, &format!("/api/mdm/v2/{call}")).json(body);
    let request = request.header("x-forwarded-for", format!("192.0.2.{address}"));
    api.send(request.header("authorization", format!("Api-Key {key}"))).await
}

#[track_caller]
fn waits(answer: &Answer, seconds: &str) {
    refused(answer, 429, "TOO_MANY_ATTEMPTS");
    assert_eq!(answer.headers["retry-after"], seconds);
}

#[tokio::test]
async fn an_account_takes_ten_wrong_passwords_at_once_from_wherever_they_come_and_on_whatever_node() {
    let server = behind_a_proxy(true).await;
    let node = server.another_node().await;
    let nodes = [server.api(), Api::new(node.api_url(), "")];
    let (_, ada) = Person::user(&server, server.tenant()).await;
    let (_, bob) = Person::user(&server, server.tenant()).await;
    let nobody = Person { email: "nobody@example.com".into(), ..ada.clone() };
    for guessed in [&ada, &nobody] {
        let wrong = guessed.with_password("a guess").login();
        for n in 0..10 {
            refused(&from(&nodes[n % 2], n, "user/login", "", &wrong).await, 401, "UNAUTHENTICATED");
        }
        for body in [wrong, guessed.login()] {
            waits(&from(&nodes[0], 100, "user/login", "", &body).await, "30");
        }
    }
    assert_eq!(from(&nodes[0], 100, "user/login", "", &bob.login()).await.status, 200, "another account");
    server.clock().advance(Duration::from_millis(29_500));
    waits(&from(&nodes[1], 100, "user/login", "", &ada.login()).await, "1");
    server.clock().advance(Duration::from_millis(500));
    assert_eq!(from(&nodes[1], 100, "user/login", "", &ada.login()).await.status, 200);
    assert_eq!(from(&nodes[0], 100, "user/login", "", &ada.login()).await.status, 200, "right ones are free");
    node.stop().await.unwrap();
}

#[tokio::test]
async fn an_address_takes_twenty_wrong_keys_tokens_and_passwords_at_once() {
    let server = behind_a_proxy(false).await;
    let api = server.api();
    let good = server.key_of(domain::Role::Viewer).await;
    let (_, ada) = Person::user(&server, server.tenant()).await;
    let token = ada.token(&api).await;
    for n in 0..10 {
        refused(&from(&api, 1, "device/list", "a guess", &json!({})).await, 401, "UNAUTHENTICATED");
        let guess = json!({ "token": format!("guess {n}") });
        refused(&from(&api, 1, "user/renewtoken", &good, &guess).await, 401, "TOKEN_INVALID");
    }
    waits(&from(&api, 1, "device/list", "a guess", &json!({})).await, "6");
    waits(&from(&api, 1, "user/list", "", &json!({ "token": "a guess" })).await, "6");
    waits(&from(&api, 1, "user/login", "", &ada.login()).await, "6");
    assert_eq!(from(&api, 2, "user/login", "", &ada.login()).await.status, 200, "another address");
    assert_eq!(from(&api, 1, "device/list", &good, &json!({})).await.status, 200, "a good key is heard");
    assert_eq!(from(&api, 1, "device/list", "", &json!({ "token": token })).await.status, 200);
    server.clock().advance(Duration::from_secs(6));
    refused(&from(&api, 1, "device/list", "a guess", &json!({})).await, 401, "UNAUTHENTICATED");
    waits(&from(&api, 1, "device/list", "a guess", &json!({})).await, "6");
}

#[tokio::test]
async fn missing_credentials_and_tokens_that_are_over_count_for_nothing() {
    let server = behind_a_proxy(false).await;
    let api = server.api();
    let (_, ada) = Person::user(&server, server.tenant()).await;
    let token = ada.token(&api).await;
    server.clock().advance(Duration::from_hours(1));
    for _ in 0..30 {
        refused(&from(&api, 1, "device/list", "", &json!({})).await, 401, "UNAUTHENTICATED");
        refused(&from(&api, 1, "device/list", "", &json!({ "token": token })).await, 401, "TOKEN_INVALID");
    }
}

#[tokio::test]
async fn a_stolen_token_does_not_guess_the_password_of_its_account_on() {
    let server = behind_a_proxy(false).await;
    let api = server.api();
    let (_, ada) = Person::user(&server, server.tenant()).await;
    let token = ada.token(&api).await;
    let change =
        json!({ "oldpassword": "a guess", "newpassword": "12345678", "confirmnewpassword": "12345678" });
    for _ in 0..10 {
        let answer = by_token(&api, &token, "user/changepassword", change.clone()).await;
        refused(&answer, 400, "INVALID_FIELD");
    }
    waits(&by_token(&api, &token, "user/changepassword", change).await, "30");
    waits(&from(&api, 1, "user/login", "", &ada.login()).await, "30");
}
