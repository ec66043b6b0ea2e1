//! `remuda simulate`: pretend devices against any server.

use serde_json::{Value, json};
use testkit::{
    patience::within,
    server::{Api, Options, TestServer},
};

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

/// A port that is free now.
fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn android_devices_enroll_behind_a_pretend_google_and_do_what_they_are_told() {
    let (program, google) = (Program::new(), free());
    let url = format!("http://{google}");
    let made = program.json(&["init"]).await;
    let arguments = ["--google-url", &url, "--google-pubsub-url", &url];
    let (_serving, ready) = program.serve(&arguments).await;
    let tenant = text(&made, "tenant");
    let simulate = ["simulate", "--android", "5", "--google-listen", &google, "--tenant", tenant, "--stay"];
    let mut simulated = program.start(&simulate);
    let printed = simulated.lines_until(|line| line.starts_with("Android enrollments: ")).await;
    assert!(printed[0].contains(&url) && printed[1].contains(&format!("--google-url {url}")), "{printed:?}");
    assert!(printed.last().unwrap().starts_with("Android enrollments: 5 done, 0 failed, "), "{printed:?}");
    let api = Api::new(&ready.api, text(&made, "api_key"));
    let list = api.device("list", json!({})).await.body;
    assert_eq!(list["totalcount"], 5);
    assert!(list["data"].as_array().unwrap().iter().all(|device| device["type"] == 4));
    let phone = &list["data"][0];
    let lock = api.device("lockscreen", json!({ "clientid": phone["clientid"] })).await;
    assert_eq!(lock.status, 200, "{}", lock.text);
    let did = format!("device {} did LOCK {{}}", text(phone, "serialnumber"));
    simulated.lines_until(|line| line == did).await;
    let done = async {
        while api.info(text(phone, "clientid")).await["actions"]["lockscreen"]["status"] != 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("the lock is no longer pending", done).await;
    simulated.signal("TERM").await;
    assert!(simulated.ended().await.success());
}

#[tokio::test]
async fn without_stay_it_tells_how_it_went_and_ends() {
    let (program, google) = (Program::new(), free());
    let url = format!("http://{google}");
    let made = program.json(&["init"]).await;
    let tenant = text(&made, "tenant");
    let push = ["--google-url", &url, "--google-pubsub-url", &url, "--google-notifications", "push"];
    let certificates = format!("{url}/oauth2/v3/certs");
    let (_serving, _) =
        program.serve(&[&push[..], &["--google-certificates-url", &certificates]].concat()).await;
    let simulate = ["simulate", "--android", "2", "--google-listen", &google, "--tenant", tenant];
    let told = program.json(&simulate).await;
    assert_eq!(told["google_url"], url);
    assert_eq!((&told["steps"][0]["done"], &told["steps"][0]["failures"]), (&json!(2), &json!([])));
    program.fails(&simulate, 1, "a tenant that was never at Google").await;
    let open = ["simulate", "--android", "2", "--google-listen", "0.0.0.0:0", "--tenant", tenant];
    program.fails(&open, 2, "loopback").await;
    program.fails(&["simulate", "--android", "2"], 2, "--tenant").await;
}
