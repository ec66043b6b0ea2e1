//! Whole answers, as the published document has them.

use insta::assert_snapshot;
use reqwest::Method;
use serde_json::json;
use testkit::{
    on_both,
    postgres::{Cluster, Durability},
    server::{Options, TestServer},
};

use super::refused;
use crate::shown::shown;

const PURGE: &str = "/device-lifecycle/v1/4744defa-1042-4a85-9fff-763ae00c7584/devices/purge/async/external";

on_both!(a_login_and_a_purge_are_answered_as_published);

async fn a_login_and_a_purge_are_answered_as_published(server: TestServer) {
    let (application, secret) = server.application().await;
    let login = server.api().login(&application.to_string(), &secret).await;
    assert_snapshot!("login", shown(&login));
    let (token, customer) = (login.body["token"].as_str().unwrap(), server.tenant().to_string());
    let body = json!({ "externalIds": ["010fc047-df30-4851-bff8-a26390cf01a6"] });
    assert_snapshot!("purge", shown(&server.api().purge(token, &customer, body).await));
}

#[tokio::test]
async fn refusals_are_answered_as_published() {
    let server = TestServer::start().await;
    let api = server.api();
    let stranger = api.login("df3e7a9a-585e-475a-87d5-aa1e83c0cbf1", "guessed").await;
    assert_snapshot!("login_by_a_stranger", shown(&stranger));
    let unknown = api.send(api.request(Method::POST, "/v1/tokens")).await;
    assert_snapshot!("an_unknown_path", shown(&unknown));
    assert_snapshot!("another_method", shown(&api.send(api.request(Method::GET, "/v1/login")).await));

    let token = server.token_of(&server.application().await).await;
    let customer = server.tenant().to_string();
    assert_snapshot!("purge_of_nothing", shown(&api.purge(&token, &customer, json!({})).await));
    assert_snapshot!("purge_without_a_token", shown(&api.send(api.request(Method::POST, PURGE)).await));
    let text = api.request(Method::POST, &PURGE.replace("4744defa-1042-4a85-9fff-763ae00c7584", &customer));
    let text = text.header("authorization", format!("Bearer {token}")).header("content-type", "text/plain");
    assert_snapshot!("purge_in_plain_text", shown(&api.send(text.body("{}")).await));
    let long = json!({ "guids": ["x".repeat(1 << 20)] });
    assert_snapshot!("purge_over_the_limit", shown(&api.purge(&token, &customer, long).await));
}

#[tokio::test]
async fn every_path_below_the_api_is_known_or_an_error_of_its_own() {
    let server = TestServer::start().await;
    let api = server.api();
    for path in [
        "/v1",
        "/v1/",
        "/v1/logins",
        "/v1/login/",
        "/device-lifecycle",
        "/device-lifecycle/",
        "/device-lifecycle/v2/a/devices/purge/async/external",
        "/device-lifecycle/v1/a/devices/purge/async",
        "/device-lifecycle/v1/%ff/devices/purge/async/external",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let answer = api.send(api.request(method, path)).await;
            let word = answer.body["error"].as_str().unwrap_or_default().to_owned();
            let status = if word == "METHOD_NOT_ALLOWED" { 405 } else { 404 };
            refused(&answer, status, if status == 405 { "METHOD_NOT_ALLOWED" } else { "UNKNOWN_URI_PATH" });
            assert_eq!(answer.body["path"], path);
            assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        }
    }
}

#[tokio::test]
async fn another_method_says_which_one_is_right() {
    let server = TestServer::start().await;
    let api = server.api();
    for path in ["/v1/login", PURGE] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = api.send(api.request(method, path)).await;
            refused(&answer, 405, "METHOD_NOT_ALLOWED");
            assert_eq!(answer.headers["allow"], "POST");
        }
    }
}

#[tokio::test]
async fn what_goes_wrong_inside_is_told_to_the_log_alone() {
    let server = TestServer::on_postgres().await;
    let token = server.token_of(&server.application().await).await;
    server.postgres().execute("ALTER TABLE purges RENAME TO hidden");
    let body = json!({ "guids": ["nobody's"] });
    let broken = server.api().purge(&token, &server.tenant().to_string(), body).await;
    refused(&broken, 500, "INTERNAL_SERVER_ERROR");
    assert_eq!(broken.body["message"], "Something went wrong on the server.");
}

#[tokio::test]
async fn without_the_database_a_client_may_try_again_soon() {
    let cluster = Cluster::start(Durability::Off);
    let settings = server::config::Settings { database: Some(cluster.url().into()), ..Default::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    let (application, secret) = server.application().await;
    cluster.stop();
    let away = server.api().login(&application.to_string(), &secret).await;
    refused(&away, 503, "SERVICE_UNAVAILABLE");
    assert_eq!(away.headers["retry-after"], "1");
}
