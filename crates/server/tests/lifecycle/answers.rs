//! What every answer has, and the one without a body.

use insta::assert_snapshot;
use reqwest::Method;
use serde_json::json;
use testkit::server::{Answer, TestServer};

use super::{Program, Request};

#[tokio::test]
async fn blocked_requests_are_answered_as_published() {
    let server = TestServer::start().await;
    server.clock().stop();
    let api = server.api();
    let program = Program::new(&server).await;
    for request in [Request::Login, Request::Purge] {
        for _ in 0..5 {
            assert_eq!(program.ask(&api, request).await, None);
        }
    }
    assert_snapshot!("blocked_login", shown(&program.login(&api).await));
    assert_snapshot!("blocked_purge", shown(&program.purge(&api).await));
}

/// The whole answer but its date, for snapshots.
fn shown(answer: &Answer) -> String {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let mut lines: Vec<_> =
        headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    format!("HTTP {}\n{}\n\n{}", answer.status, lines.join("\n"), answer.text)
}

#[tokio::test]
async fn every_answer_has_the_published_headers() {
    let server = TestServer::start().await;
    let (api, program) = (server.api(), Program::new(&server).await);
    let purge = || program.purge_request(&api);
    let mut answers = vec![
        (program.request(&api, Request::Login), 200),
        (purge().json(&json!({ "guids": ["nobody's"] })), 202),
        (purge().json(&json!({})), 400),
        (api.request(Method::POST, "/v1/login"), 403),
        (api.request(Method::GET, "/device-lifecycle/v2"), 404),
        (api.request(Method::GET, "/v1/login"), 405),
        (purge().json(&json!({ "guids": ["x".repeat(1 << 20)] })), 413),
        (purge().body("{}"), 415),
    ];
    server.clock().stop();
    answers.extend((0..6).map(|_| (program.request(&api, Request::Login), 429)));
    for (request, status) in answers {
        let answer = api.send(request).await;
        // The first four logins of the last six pass.
        assert!(
            answer.status == status || (status, answer.status) == (429, 200),
            "{status}: {}",
            answer.text
        );
        assert_eq!(answer.headers["referrer-policy"], "no-referrer", "{status}");
        assert_eq!(answer.headers["vary"], "Accept-Encoding", "{status}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{status}");
        assert!(answer.headers.contains_key("date"), "{status}");
        // By plain HTTP nobody may be told to come by HTTPS only (RFC 6797, section 7.2).
        assert!(!answer.headers.contains_key("strict-transport-security"), "{status}");
    }
    assert_eq!(program.login(&api).await.status, 429);
}
