//! Wrong secrets, held back by the address that they come from.

use std::time::Duration;

use server::config::Settings;
use testkit::server::{Answer, Options, TestServer};

use super::{Program, wait};

async fn log_in(server: &TestServer, program: &Program, secret: &str, behind: &str) -> Answer {
    let api = server.api();
    let request = api.request(reqwest::Method::POST, "/v1/login").basic_auth(program.id, Some(secret));
    api.send(request.header("x-forwarded-for", behind)).await
}

async fn behind_a_proxy() -> TestServer {
    let settings = Settings { trusted_proxy: vec!["127.0.0.0/8".into()], ..Settings::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    server.clock().stop();
    server
}

#[tokio::test]
async fn after_twenty_wrong_secrets_an_address_has_to_wait_and_no_other() {
    let server = behind_a_proxy().await;
    let program = Program::new(&server).await;
    for n in 0..20 {
        assert_eq!(log_in(&server, &program, "wrong", "192.0.2.1").await.status, 403, "{n}");
    }
    for secret in ["wrong", &program.secret] {
        let refused = log_in(&server, &program, secret, "192.0.2.1").await;
        assert_eq!(wait(&refused, 200), Some(6000), "a right one is not told from a wrong one");
    }
    assert_eq!(log_in(&server, &program, &program.secret, "192.0.2.2").await.status, 200);

    server.clock().advance(Duration::from_millis(5950));
    assert_eq!(wait(&log_in(&server, &program, &program.secret, "192.0.2.1").await, 200), Some(50));
    server.clock().advance(Duration::from_millis(50));
    assert_eq!(log_in(&server, &program, &program.secret, "192.0.2.1").await.status, 200);
}

#[tokio::test]
async fn a_client_cannot_make_up_addresses() {
    let server = TestServer::start().await;
    server.clock().stop();
    let program = Program::new(&server).await;
    for n in 0..20 {
        assert_eq!(log_in(&server, &program, "wrong", &format!("192.0.2.{n}")).await.status, 403);
    }
    assert_eq!(log_in(&server, &program, "wrong", "192.0.2.99").await.status, 429);
}

#[tokio::test]
async fn right_secrets_and_missing_ones_cost_nothing() {
    let server = behind_a_proxy().await;
    let program = Program::new(&server).await;
    for _ in 0..30 {
        server.clock().advance(Duration::from_secs(1));
        assert_eq!(log_in(&server, &program, &program.secret, "192.0.2.1").await.status, 200);
        let request = server.api().request(reqwest::Method::POST, "/v1/login");
        assert_eq!(server.api().send(request).await.status, 403);
    }
}
