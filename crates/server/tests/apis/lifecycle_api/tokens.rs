//! Tokens that are not good, or no longer.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::ApplicationId;
use pki::KeyRing;
use serde_json::{Value, json};
use testkit::{on_both, server::TestServer};

use super::{refused, timeless};

/// What the server signs tokens with.
struct SigningKey {
    id: String,
    secret: Vec<u8>,
}

impl SigningKey {
    /// Opened as whoever has both the database and the key ring could.
    async fn of(server: &TestServer) -> Self {
        let ring = std::fs::read_to_string(server.folder().join("data/key-ring.json")).unwrap();
        let sealed = server.database().await.directory.installation_value("token-keys").await.unwrap();
        let ring = KeyRing::from_json(&ring).unwrap();
        let keys = ring.open("installation/token-keys", &sealed.expect("there is a key")).unwrap();
        let keys: Value = serde_json::from_slice(&keys).unwrap();
        let secret = keys[0]["secret"].as_array().unwrap().iter();
        Self {
            id: keys[0]["id"].as_str().unwrap().to_owned(),
            secret: secret.map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect(),
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", part(header), part(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        let signature = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn header(&self) -> Value {
        json!({ "alg": "HS256", "typ": "JWT", "kid": self.id })
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims(server: &TestServer, application: ApplicationId) -> Value {
    let now = server.mdm().now().seconds();
    json!({
        "customer_id": server.tenant(), "client_id": application, "aud": "DEVICE_LIFECYCLE_API",
        "iat": now, "exp": now + 900,
    })
}

/// `claims` with one of them changed; null takes it away.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

async fn purge(server: &TestServer, token: &str) -> testkit::server::Answer {
    server.clock().advance(Duration::from_secs(1));
    server.api().purge(token, &server.tenant().to_string(), json!({ "guids": ["nobody's"] })).await
}

#[tokio::test]
async fn only_a_token_that_is_right_in_everything_is_taken() {
    let server = TestServer::start().await;
    let (application, _) = server.application().await;
    let (other_tenant, _) = server.another_tenant("other").await;
    let (other_application, _) = server.application_of(other_tenant).await;
    let key = SigningKey::of(&server).await;
    let good = claims(&server, application);
    assert_eq!(purge(&server, &key.sign(&key.header(), &good)).await.status, 202, "the forger can forge");

    let now = good["iat"].as_i64().unwrap();
    let mut denied = None;
    for (name, value) in [
        ("aud", json!("ANOTHER_API")),
        ("aud", json!(null)),
        ("customer_id", json!(other_tenant)),
        ("customer_id", json!(null)),
        ("client_id", json!(other_application)),
        ("client_id", json!("df3e7a9a-585e-475a-87d5-aa1e83c0cbf1")),
        ("client_id", json!(null)),
        ("exp", json!(now - 1)),
        ("exp", json!(null)),
        ("exp", json!("never")),
        ("iat", json!(now + 3600)),
    ] {
        let token = key.sign(&key.header(), &with(good.clone(), name, value.clone()));
        let answer = purge(&server, &token).await;
        refused(&answer, 403, "Forbidden");
        assert_eq!(timeless(&answer), *denied.get_or_insert_with(|| timeless(&answer)), "{name} {value}");
    }
}

#[tokio::test]
async fn another_key_and_another_algorithm_are_refused() {
    let server = TestServer::start().await;
    let (application, _) = server.application().await;
    let key = SigningKey::of(&server).await;
    let good = claims(&server, application);
    let stranger = SigningKey { id: key.id.clone(), secret: vec![7; 32] };
    let none = |header: Value| format!("{}.{}.", part(&header), part(&good));
    let signed = key.sign(&key.header(), &good);
    for token in [
        stranger.sign(&key.header(), &good),
        key.sign(&with(key.header(), "kid", json!("another")), &good),
        key.sign(&with(key.header(), "kid", json!(null)), &good),
        key.sign(&with(key.header(), "alg", json!("HS512")), &good),
        key.sign(&with(key.header(), "alg", json!("RS256")), &good),
        none(with(key.header(), "alg", json!("none"))),
        none(with(key.header(), "alg", json!("None"))),
        none(key.header()),
        format!("{}x", &signed[..signed.len() - 1]),
        signed.rsplit_once('.').unwrap().0.to_owned(),
        format!("{signed}.{signed}"),
        "a.b.c".to_owned(),
        "x".repeat(10_000),
    ] {
        refused(&purge(&server, &token).await, 403, "Forbidden");
    }
    assert_eq!(purge(&server, &signed).await.status, 202);
}

on_both!(a_token_is_good_for_fifteen_minutes);

async fn a_token_is_good_for_fifteen_minutes(server: TestServer) {
    let application = server.application().await;
    let token = server.token_of(&application).await;
    // A second is left, for the one that passes in `purge` and the time that this takes.
    server.clock().advance(Duration::from_secs(900 - 60));
    assert_eq!(purge(&server, &token).await.status, 202);
    server.clock().advance(Duration::from_secs(60));
    refused(&purge(&server, &token).await, 403, "Forbidden");
    let token = server.token_of(&application).await;
    assert_eq!(purge(&server, &token).await.status, 202);
}

on_both!(a_revoked_applications_live_tokens_stop_at_once);

async fn a_revoked_applications_live_tokens_stop_at_once(server: TestServer) {
    let application = server.application().await;
    let token = server.token_of(&application).await;
    assert_eq!(purge(&server, &token).await.status, 202);
    server.mdm().revoke_application(application.0).await.unwrap();
    refused(&purge(&server, &token).await, 403, "Forbidden");
}

on_both!(a_token_survives_a_restart);

async fn a_token_survives_a_restart(mut server: TestServer) {
    let token = server.token_of(&server.application().await).await;
    server.restart().await;
    assert_eq!(purge(&server, &token).await.status, 202);
}

#[tokio::test]
async fn the_customer_in_the_path_must_be_the_tokens_whatever_its_case() {
    let server = TestServer::start().await;
    let (other, _) = server.another_tenant("other").await;
    let token = server.token_of(&server.application().await).await;
    let ours = server.tenant().to_string();
    let ids = json!({ "guids": ["nobody's"] });
    for customer in [ours.to_uppercase(), ours.replace('-', "")] {
        let answer = server.api().purge(&token, &customer, ids.clone()).await;
        assert_eq!(answer.status, 202, "{customer}");
    }
    for customer in [other.to_string(), "nobody".into(), "*".into(), format!("{ours}x")] {
        refused(&server.api().purge(&token, &customer, ids.clone()).await, 403, "Forbidden");
    }
}

#[tokio::test]
async fn other_credentials_are_refused() {
    let server = TestServer::start().await;
    let (application, secret) = server.application().await;
    let path = format!("/device-lifecycle/v1/{}/devices/purge/async/external", server.tenant());
    let key = server.key_of(domain::Role::Owner).await;
    let api = server.api();
    let request = || api.request(reqwest::Method::POST, &path).json(&json!({ "guids": ["nobody's"] }));
    for request in [
        request(),
        request().basic_auth(application, Some(&secret)),
        request().bearer_auth(&secret),
        request().bearer_auth(&key),
        request().header("authorization", format!("Api-Key {key}")),
    ] {
        refused(&api.send(request).await, 403, "Forbidden");
    }
}
