//! `remuda simulate`: pretend devices against any server.

use serde_json::Value;
use testkit::server::{Options, TestServer};

use super::{Program, keys, text};

#[tokio::test]
async fn devices_enroll_connect_and_tell_how_it_went() {
    let server = TestServer::start().await;
    let link = server.link_for(None, None, 5).await;
    let ran = Program::new().run(&["simulate", "--enroll", &link, "--devices", "5", "--connects", "2"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("enrollments: 5 done, 0 failed, "), "{lines:?}");
    for line in &lines[1..] {
        assert!(line.starts_with("conversations: 5 done, 0 failed, "), "{lines:?}");
    }
    assert!(
        lines.iter().all(|line| ["/s, p50 ", " ms, p99 ", "longest "].iter().all(|it| line.contains(it)))
    );
    server.settled().await;
    let list = server.api().device("list", serde_json::json!({ "filter": { "managed": true } })).await;
    assert_eq!(list.body["totalcount"], 5);
    let known = list.body["data"].as_array().unwrap().iter().filter(|device| device["batterylevel"].is_u64());
    assert_eq!(known.count(), 5, "each has answered what it was asked");
}

#[tokio::test]
async fn programs_read_it_as_json() {
    let server = TestServer::start().await;
    let link = server.link_for(None, None, 2).await;
    let told = Program::new().json(&["simulate", "--enroll", &link, "--devices", "2"]).await;
    let steps = told["steps"].as_array().unwrap();
    assert_eq!(
        steps.iter().map(|step| text(step, "step")).collect::<Vec<_>>(),
        ["enrollments", "conversations"]
    );
    for step in steps {
        assert_eq!(keys(step), ["done", "failures", "max_ms", "p50_ms", "p99_ms", "per_s", "step"]);
        assert_eq!((&step["done"], &step["failures"]), (&Value::from(2), &Value::from(Vec::<Value>::new())));
        assert!(step["p50_ms"].as_f64() > Some(0.0) && step["per_s"].as_f64() > Some(0.0), "{step}");
    }
}

#[tokio::test]
async fn a_link_for_too_few_fails_and_says_for_whom() {
    let server = TestServer::start().await;
    let link = server.link_for(None, None, 1).await;
    let ran =
        Program::new().run(&["simulate", "--enroll", &link, "--devices", "2", "--concurrency", "1"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.starts_with("enrollments: 1 done, 1 failed"), "{ran:?}");
    let failure = ran.stdout.lines().nth(1).unwrap();
    assert!(failure.starts_with("  F") && failure.contains(": "), "serial number and reason: {failure}");
}

#[tokio::test]
async fn over_tls_the_devices_trust_what_the_profile_carries() {
    let server = TestServer::with(Options { tls: true, ..Options::default() }).await;
    let link = server.link_for(None, None, 1).await;
    let ran = Program::new().run(&["simulate", "--enroll", &link, "--devices", "1"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure_of_every_device() {
    let ran =
        Program::new().run(&["simulate", "--enroll", "http://127.0.0.1:1/enroll/x", "--devices", "2"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.starts_with("enrollments: 0 done, 2 failed"), "{ran:?}");
}
