//! What operators and their machines look at: health, readiness, metrics, documents.

use reqwest::Method;
use serde_json::json;
use server::config::Settings;
use testkit::{
    on_both,
    postgres::{Cluster, Durability},
    server::{Answer, Options, TestServer},
};

async fn get(server: &TestServer, path: &str) -> Answer {
    server.api().send(server.api().request(Method::GET, path)).await
}

async fn metrics(server: &TestServer, key: &str) -> String {
    let request = server.api().request(Method::GET, "/metrics").bearer_auth(key);
    let answer = server.api().send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

/// The value of a metric with these labels.
fn value<'m>(metrics: &'m str, name: &str) -> Option<&'m str> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
}

on_both!(a_server_that_runs_is_alive_and_ready);

async fn a_server_that_runs_is_alive_and_ready(server: TestServer) {
    assert_eq!(get(&server, "/healthz").await.status, 200);
    assert_eq!(
        (get(&server, "/readyz").await.status, &*get(&server, "/readyz").await.text),
        (200, "ready\n")
    );
}

#[tokio::test]
async fn without_its_database_a_server_is_alive_and_not_ready_until_it_comes_back() {
    let cluster = Cluster::start(Durability::Off);
    let settings = Settings { database: Some(cluster.url().into()), ..Settings::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    assert_eq!(get(&server, "/readyz").await.status, 200);
    cluster.stop();
    assert_eq!((get(&server, "/readyz").await.status, get(&server, "/healthz").await.status), (503, 200));
    assert_eq!(get(&server, "/readyz").await.text, "not ready\n", "why is for the log alone");
    let metrics = server.api().request(Method::GET, "/metrics").bearer_auth("any");
    assert_eq!(server.api().send(metrics).await.status, 503);
    cluster.start_again();
    assert_eq!(get(&server, "/readyz").await.status, 200);
    assert_eq!(server.api().device("list", json!({})).await.status, 200);
}

#[tokio::test]
async fn metrics_need_a_key_unless_they_are_open() {
    let server = TestServer::start().await;
    let refused = get(&server, "/metrics").await;
    assert_eq!((refused.status, &*refused.text), (401, ""));
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
    let settings = Settings { metrics_open: Some(true.into()), ..Settings::default() };
    let open = TestServer::with(Options { settings, ..Options::default() }).await;
    let answer = get(&open, "/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.text.ends_with("# EOF\n"));
}

on_both!(metrics_tell_how_push_certificates_stand);

async fn metrics_tell_how_push_certificates_stand(server: TestServer) {
    let bare = server.mdm().add_tenant("Bare").await.unwrap().id;
    let key =
        server.key_of_roles(&[(server.tenant(), domain::Role::Viewer), (bare, domain::Role::Viewer)]).await;
    let metrics = metrics(&server, &key).await;
    let missing = |tenant| {
        let name = format!(r#"remuda_push_certificate_missing{{tenant="{tenant}"}}"#);
        value(&metrics, &name).map(str::to_owned)
    };
    assert_eq!((missing(server.tenant()).as_deref(), missing(bare).as_deref()), (Some("0"), Some("1")));
    let expiry = |tenant| format!(r#"remuda_push_certificate_expiry_timestamp_seconds{{tenant="{tenant}"}}"#);
    let certificate = server.mdm().push_certificate(&server.owner()).await.unwrap();
    let seconds = certificate.expires_at.seconds().to_string();
    assert_eq!(value(&metrics, &expiry(server.tenant())), Some(&*seconds));
    assert_eq!(value(&metrics, &expiry(bare)), None);
}

#[tokio::test]
async fn metrics_show_a_tenant_to_those_who_have_access_to_it_only() {
    let server = TestServer::start().await;
    let (other, other_key) = server.another_tenant("secret-customer").await;
    let theirs = metrics(&server, &other_key).await;
    assert!(theirs.contains(&other.to_string()) && !theirs.contains(&server.tenant().to_string()));
    assert!(!theirs.contains("secret-customer"), "nor anybody's name");
}

#[tokio::test]
async fn metrics_count_requests_of_every_face_by_pattern_and_never_name_a_device() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    let named = json!({ "clientid": phone.client_id() });
    server.api().device("info", named.clone()).await;
    server.api().device("lockscreen", named).await;
    phone.connect().await.unwrap();
    let token = server.token_of(&server.application().await).await;
    let customer = server.tenant().to_string();
    server.api().purge(&token, &customer, json!({ "guids": [phone.id().to_string()] })).await;
    server.settled().await;
    server.api().send(server.api().request(Method::GET, "/api/mdm/v2/device/tea")).await;

    let metrics = metrics(&server, &server.key_of(domain::Role::Viewer).await).await;
    let count = |face, method, route, status| {
        let labels = format!(r#"face="{face}",method="{method}",route="{route}",status="{status}""#);
        value(&metrics, &format!("remuda_http_requests_total{{{labels}}}"))
            .and_then(|it| it.parse::<u64>().ok())
    };
    assert_eq!(count("device-api", "POST", "/api/mdm/v2/device/info", 200), Some(1), "{metrics}");
    assert_eq!(count("device-api", "POST", "/api/mdm/v2/device/lockscreen", 200), Some(1));
    let purge = "/device-lifecycle/v1/{customerId}/devices/purge/async/external";
    assert_eq!(count("lifecycle-api", "POST", purge, 202), Some(1), "{metrics}");
    assert_eq!(count("lifecycle-api", "POST", "/v1/login", 200), Some(1));
    assert_eq!(count("devices", "PUT", "/mdm", 200), Some(6), "{metrics}");
    assert_eq!(count("devices", "GET", "/enroll/{token}", 200), Some(1), "{metrics}");

    let model = phone.model();
    for name in [
        &phone.client_id(),
        &phone.id().to_string(),
        &model.serial_number,
        &model.udid,
        &model.modems[0].imei,
    ] {
        assert!(!metrics.contains(name.as_str()), "{name}");
    }
    assert!(!metrics.contains("tea"));
}

#[tokio::test]
async fn the_documents_that_are_served_are_those_that_are_checked_in() {
    let server = TestServer::start().await;
    for face in ["device-api", "lifecycle-api"] {
        let answer = get(&server, &format!("/openapi/{face}.json")).await;
        assert_eq!(
            (answer.status, &answer.headers["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        let file = format!("{}/../../docs/openapi/{face}.json", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(answer.text, std::fs::read_to_string(file).unwrap());
    }
    assert_eq!(get(&server, "/openapi/other.json").await.status, 404);
}

#[tokio::test]
async fn every_answer_forbids_to_guess_its_type() {
    let server = TestServer::start().await;
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi/device-api.json",
        "/nowhere",
        "/v1/login",
        "/api/mdm/v2",
    ] {
        assert_eq!(get(&server, path).await.headers["x-content-type-options"], "nosniff", "{path}");
    }
}
