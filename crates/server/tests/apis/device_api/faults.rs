//! Every way in which a call fails: always an envelope, in the caller's language.

use domain::{EnrollmentKind, Platform, Role};
use insta::assert_snapshot;
use reqwest::Method;
use serde_json::json;
use testkit::{
    postgres::{Cluster, Durability},
    server::{Answer, Options, TestServer, record},
};

use super::{call, refused};

const LONGEST_BODY: usize = 1 << 20;

/// What one call is and how it must be answered.
struct Fault {
    status: u16,
    code: &'static str,
    call: &'static str,
    body: String,
    key: String,
    content_type: &'static str,
}

/// A server with a device of every kind that cannot be locked, and a key of several tenants.
async fn troubled() -> (TestServer, Vec<Fault>) {
    let server = TestServer::start().await;
    let [mut tv, mut old, mut personal, mut gone, mut doubtful] = [1, 2, 3, 4, 5].map(record);
    tv.facts.platform = Some(Platform::Tvos);
    for mac in [&mut old, &mut personal] {
        mac.facts.platform = Some(Platform::Macos);
        mac.facts.apple_silicon = Some(true);
    }
    old.facts.os_version = Some("11.4".into());
    personal.facts.enrollment = EnrollmentKind::User;
    gone.managed = false;
    doubtful.quarantined = true;
    server.add_records([tv, old, personal, gone, doubtful]).await;

    let owner = server.key_of(Role::Owner).await;
    let viewer = server.key_of(Role::Viewer).await;
    let (other, _) = server.another_tenant("other").await;
    let several = server.key_of_roles(&[(server.tenant(), Role::Owner), (other, Role::Owner)]).await;
    let fault = |status, code, call, body: &str| Fault {
        status,
        code,
        call,
        body: body.to_owned(),
        key: owner.clone(),
        content_type: "application/json",
    };
    let lock = |status, code, number| {
        let body = json!({ "clientid": record(number).id.client_id() });
        fault(status, code, "lockscreen", &body.to_string())
    };
    let long = format!(r#"{{"clientid":"{}"}}"#, "0".repeat(LONGEST_BODY));
    let faults = vec![
        fault(400, "INVALID_BODY", "list", "{"),
        fault(400, "INVALID_FIELD", "list", r#"{"filter":{"managed":"perhaps"}}"#),
        fault(400, "INVALID_FIELD", "list", r#"{"filter":{"lastcontact":{"to":"2025-02-30"}}}"#),
        fault(400, "INVALID_FIELD", "list", r#"{"pagesize":1001}"#),
        fault(400, "INVALID_FIELD", "lockscreen", r#"{"serialnumber":"SERIAL000001","macpin":"12345"}"#),
        fault(400, "DEVICE_NOT_NAMED", "info", "{}"),
        Fault { key: several, ..fault(400, "TENANT_NOT_NAMED", "list", "{}") },
        Fault { key: "nobody's".into(), ..fault(401, "UNAUTHENTICATED", "list", "{}") },
        fault(401, "TOKEN_INVALID", "list", r#"{"token":"nobody's"}"#),
        Fault { key: viewer, ..lock(403, "FORBIDDEN", 1) },
        fault(404, "DEVICE_NOT_FOUND", "info", r#"{"serialnumber":"nobody's"}"#),
        fault(404, "UNKNOWN_PATH", "selfdestruct", "{}"),
        lock(409, "PLATFORM_UNSUPPORTED", 1),
        lock(409, "MACOS_TOO_OLD", 2),
        lock(409, "USER_ENROLLMENT_UNSUPPORTED", 3),
        lock(409, "DEVICE_NOT_MANAGED", 4),
        lock(409, "DEVICE_QUARANTINED", 5),
        fault(413, "BODY_TOO_LARGE", "info", &long),
        Fault { content_type: "text/plain", ..fault(415, "UNSUPPORTED_MEDIA_TYPE", "list", "{}") },
    ];
    (server, faults)
}

impl Fault {
    async fn answer(&self, server: &TestServer, language: &str) -> Answer {
        let key = format!("Api-Key {}", self.key);
        let headers =
            [("authorization", &*key), ("content-type", self.content_type), ("accept-language", language)];
        call(&server.api(), self.call, &headers, &self.body).await
    }
}

fn sentence(answer: &Answer) -> String {
    answer.body["errormessage"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_fault_is_told_in_english_and_in_german() {
    let (server, faults) = troubled().await;
    let mut table = Vec::new();
    for fault in &faults {
        let english = fault.answer(&server, "en").await;
        let german = fault.answer(&server, "de").await;
        for answer in [&english, &german] {
            refused(answer, fault.status, fault.code);
        }
        assert_ne!(sentence(&english), sentence(&german));
        table.push(format!(
            "{} {}\n  {}\n  {}",
            fault.status,
            fault.code,
            sentence(&english),
            sentence(&german)
        ));
    }
    assert_snapshot!("faults_in_english_and_german", table.join("\n"));
}

#[tokio::test]
async fn the_language_is_the_one_that_the_caller_likes_best() {
    let server = TestServer::start().await;
    let spoken = async |accepted: Option<&str>| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(accepted.map(|value| ("accept-language", value)));
        sentence(&call(&server.api(), "list", &headers, "{}").await)
    };
    let (english, german) = (spoken(None).await, spoken(Some("de")).await);
    assert_ne!(english, german);
    for accepted in ["de-AT", "DE", "fr, de;q=0.5", "en;q=0.3, de-CH;q=0.8", "fr-FR, fr;q=0.9, de;q=0.1"] {
        assert_eq!(spoken(Some(accepted)).await, german, "{accepted}");
    }
    for accepted in ["en", "en-GB, de;q=0.9", "fr", "*", "de;q=0", "", ";;;q=,", "de;q=x"] {
        assert_eq!(spoken(Some(accepted)).await, english, "{accepted}");
    }
}

#[tokio::test]
async fn another_method_is_405_and_says_which_one_is_right() {
    let server = TestServer::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        for call in ["list", "info", "lockscreen"] {
            let request = server.api().request(method.clone(), &format!("/api/mdm/v2/device/{call}"));
            let answer = server.api().send(request).await;
            refused(&answer, 405, "METHOD_NOT_ALLOWED");
            assert_eq!(answer.headers["allow"], "POST", "{method} {call}");
        }
    }
}

#[tokio::test]
async fn every_unknown_path_below_the_api_is_an_envelope() {
    let server = TestServer::start().await;
    for path in
        ["/api/mdm/v2", "/api/mdm/v2/", "/api/mdm/v2/device", "/api/mdm/v2/device/list/", "/api/mdm/v2/%ff"]
    {
        for method in [Method::GET, Method::POST] {
            refused(&server.api().send(server.api().request(method, path)).await, 404, "UNKNOWN_PATH");
        }
    }
}

#[tokio::test]
async fn other_content_types_and_compressed_bodies_are_415() {
    let server = TestServer::start().await;
    for headers in [
        vec![],
        vec![("content-type", "application/x-www-form-urlencoded")],
        vec![("content-type", "application/json"), ("content-encoding", "gzip")],
    ] {
        refused(&call(&server.api(), "list", &headers, "{}").await, 415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_object_are_400_and_never_more() {
    let server = TestServer::start().await;
    let headers = [("content-type", "application/json")];
    let nested = format!(r#"{{"filter":{}"#, "[".repeat(500_000));
    for body in
        ["", "null", "[]", "\"text\"", "{\"a\":1", "{}{}", "{\"mtcid\":1,\"mtcid\":2}", nested.as_str()]
    {
        refused(&call(&server.api(), "list", &headers, body).await, 400, "INVALID_BODY");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_503_and_a_broken_one_500_without_a_word_about_it() {
    let server = TestServer::on_postgres().await;
    server.postgres().execute("ALTER TABLE devices RENAME TO hidden");
    let broken = server.api().device("list", json!({})).await;
    refused(&broken, 500, "INTERNAL_ERROR");
    assert!(!broken.text.contains("devices"), "{}", broken.text);
    server.postgres().execute("ALTER TABLE hidden RENAME TO devices");
    assert_eq!(server.api().device("list", json!({})).await.status, 200);

    let cluster = Cluster::start(Durability::Off);
    let settings = server::config::Settings { database: Some(cluster.url().into()), ..Default::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    drop(cluster);
    let away = server.api().device("list", json!({})).await;
    refused(&away, 503, "UNAVAILABLE");
    assert_eq!(away.headers["retry-after"], "1");
}
