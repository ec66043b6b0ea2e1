//! `POST /v1/login`.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::Value;
use testkit::{on_both, server::TestServer};

use super::{refused, timeless};

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

on_both!(a_token_says_exactly_what_is_published);

async fn a_token_says_exactly_what_is_published(server: TestServer) {
    let (application, secret) = server.application().await;
    let before = server.mdm().now().seconds();
    let answer = server.api().login(&application.to_string(), &secret).await;
    let after = server.mdm().now().seconds();

    assert_eq!(answer.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["token"]);
    let token = answer.body["token"].as_str().unwrap();
    let claims = part(token, 1);
    let names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["aud", "client_id", "customer_id", "exp", "iat"]);
    assert_eq!(claims["aud"], "DEVICE_LIFECYCLE_API");
    assert_eq!(claims["client_id"], application.to_string());
    assert_eq!(claims["customer_id"], server.tenant().to_string());
    let issued = claims["iat"].as_i64().unwrap();
    assert!((before..=after).contains(&issued));
    assert_eq!(claims["exp"], issued + 900);

    let header = part(token, 0);
    assert_eq!((&header["alg"], &header["typ"]), (&Value::from("HS256"), &Value::from("JWT")));
}

on_both!(an_application_that_may_not_log_in_is_not_told_why);

async fn an_application_that_may_not_log_in_is_not_told_why(server: TestServer) {
    let (application, secret) = server.application().await;
    let (revoked, revoked_secret) = server.application().await;
    server.mdm().revoke_application(revoked).await.unwrap();
    let wrong = server.api().login(&application.to_string(), "wrong").await;
    refused(&wrong, 403, "Forbidden");
    assert_eq!(wrong.body["message"], "Access Denied");
    for (id, secret) in [
        (revoked.to_string(), revoked_secret.as_str()),
        ("df3e7a9a-585e-475a-87d5-aa1e83c0cbf1".into(), &secret),
        ("owner@example.com".into(), &secret),
        (application.to_string(), &revoked_secret),
        (application.to_string(), ""),
        (String::new(), ""),
    ] {
        let answer = server.api().login(&id, secret).await;
        assert_eq!(timeless(&answer), timeless(&wrong), "{id}");
    }
    assert_eq!(server.api().login(&application.to_string(), &secret).await.status, 200);
}

#[tokio::test]
async fn other_credentials_are_refused() {
    let server = TestServer::start().await;
    let (application, secret) = server.application().await;
    let key = server.key_of(domain::Role::Owner).await;
    let token = server.token_of(&(application, secret.clone())).await;
    for authorization in [
        None,
        Some(format!("Bearer {token}")),
        Some(format!("Api-Key {key}")),
        Some(format!("Basic {application}:{secret}")),
        Some("Basic".into()),
        Some("Basic ====".into()),
    ] {
        let mut request = server.api().request(Method::POST, "/v1/login");
        if let Some(authorization) = &authorization {
            request = request.header("authorization", authorization);
        }
        refused(&server.api().send(request).await, 403, "Forbidden");
    }
}

#[tokio::test]
async fn a_login_needs_no_body_and_takes_any() {
    let server = TestServer::start().await;
    let (application, secret) = server.application().await;
    for body in ["", "{}", "whatever"] {
        server.clock().advance(Duration::from_secs(1));
        let request = server.api().request(Method::POST, "/v1/login").basic_auth(application, Some(&secret));
        assert_eq!(server.api().send(request.body(body)).await.status, 200);
    }
}
