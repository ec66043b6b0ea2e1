//! `remuda serve`: when it is ready, and what keeps it from starting.

use serde_json::Value;
use tokio::net::TcpListener;

use super::{Program, keys, text};

async fn get(url: &str) -> (u16, String) {
    let response = reqwest::get(url).await.expect("an answer");
    (response.status().as_u16(), response.text().await.expect("text"))
}

#[tokio::test]
async fn once_both_listeners_are_open_one_line_and_a_file_say_so() {
    let program = Program::new();
    let (mut serving, ready) = program.serve(&["--ready-file", "ready.json"]).await;
    assert!(ready.device.starts_with("http://127.0.0.1:") && ready.api.starts_with("http://127.0.0.1:"));
    assert_ne!(ready.device, ready.api);
    for url in [&ready.device, &ready.api] {
        assert_eq!(get(&format!("{url}/healthz")).await.0, 200);
    }
    let told = std::fs::read_to_string(program.folder().join("ready.json")).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(keys(&told), ["api_url", "device_url", "pid"]);
    assert_eq!((text(&told, "device_url"), text(&told, "api_url")), (&*ready.device, &*ready.api));
    assert_eq!(told["pid"], serving.pid());

    serving.signal("TERM").await;
    assert_eq!(serving.line().await, None, "one line is all that standard output gets");
    assert!(serving.ended().await.success());
}

#[tokio::test]
async fn the_addresses_that_are_told_are_those_that_were_set() {
    let program = Program::new();
    let arguments = ["--device-url", "https://mdm.example.com/", "--api-url", "https://api.example.com:444"];
    let (_serving, ready) = program.serve(&arguments).await;
    assert_eq!((&*ready.device, &*ready.api), ("https://mdm.example.com", "https://api.example.com:444"));
}

#[tokio::test]
async fn the_listeners_share_no_route() {
    let program = Program::new();
    let (_serving, ready) = program.serve(&["--metrics-open"]).await;
    for path in ["/readyz", "/metrics", "/openapi/device-api.json", "/api/mdm/v2/device/list", "/v1/login"] {
        assert_eq!(get(&format!("{}{path}", ready.device)).await.0, 404, "{path}");
    }
    for path in ["/scep?operation=GetCACaps", "/enroll/x", "/mdm", "/checkin"] {
        assert_eq!(get(&format!("{}{path}", ready.api)).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let program = Program::new();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let device = ["serve", "--tls", "off", "--device-listen", &address, "--api-listen", "127.0.0.1:0"];
    program.fails(&device, 1, &format!("--device-listen {address}: ")).await;
    let api = ["serve", "--tls", "off", "--device-listen", "127.0.0.1:0", "--api-listen", &address];
    program.fails(&api, 1, &format!("--api-listen {address}: ")).await;
}

#[tokio::test]
async fn a_database_that_is_away_is_told_without_its_password() {
    let program = Program::new();
    let url = "postgres://remuda:hunter2@127.0.0.1:1/remuda";
    let arguments = [
        "serve",
        "--tls",
        "off",
        "--device-listen",
        "127.0.0.1:0",
        "--api-listen",
        "127.0.0.1:0",
        "--database",
        url,
    ];
    let ran = program.run(&arguments).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("unavailable") && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[tokio::test]
async fn the_log_is_lines_of_json_where_that_is_asked() {
    let program = Program::new();
    let (mut serving, _) = program.serve(&["--log-format", "json", "--log", "debug"]).await;
    serving.signal("TERM").await;
    serving.ended().await;
    let log = serving.log();
    assert!(log.lines().count() > 0);
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["level"].is_string() && event["timestamp"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn a_log_that_no_terminal_shows_has_no_colours() {
    let program = Program::new();
    let (mut serving, _) = program.serve(&[]).await;
    serving.signal("TERM").await;
    serving.ended().await;
    let log = serving.log();
    assert!(log.contains("no push certificate") || log.contains("there is no tenant"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log:?}");
}
