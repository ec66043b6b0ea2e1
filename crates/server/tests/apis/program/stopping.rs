//! How the server stops: it takes nothing new, lets what is open end, and leaves with 0.

use std::time::Duration;

use testkit::patience::within;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Program, text};

/// A call of the Device API whose body is still to come; the server has begun to work on it.
async fn half_a_call(api: &str, key: &str, length: usize) -> TcpStream {
    let address = api.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /api/mdm/v2/device/list HTTP/1.1\r\nhost: {address}\r\nauthorization: Api-Key {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("the head is sent");
    let mut answer = [0; 256];
    let read = within("the server asks for the body", stream.read(&mut answer)).await.expect("an answer");
    assert!(answer[..read].starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&answer[..read]));
    stream
}

/// Waits until the server takes no connection any more.
async fn closed(api: &str) {
    let address = api.strip_prefix("http://").expect("plain HTTP");
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within("the server takes no connection any more", refused).await;
}

#[tokio::test]
async fn a_call_that_is_under_way_is_answered_and_new_ones_are_not_taken() {
    let program = Program::new();
    let made = program.json(&["init"]).await;
    for signal in ["TERM", "INT"] {
        let (mut serving, ready) = program.serve(&[]).await;
        let mut call = half_a_call(&ready.api, text(&made, "api_key"), 2).await;
        serving.signal(signal).await;
        closed(&ready.api).await;
        closed(&ready.device).await;
        call.write_all(b"{}").await.unwrap();
        let mut answer = String::new();
        within("the call is answered", call.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""totalcount":0"#), "{answer}");
        assert_eq!(serving.ended().await.code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up_and_one_that_never_ends_is_cut() {
    let program = Program::new();
    let made = program.json(&["init"]).await;
    let (mut serving, ready) = program.serve(&[]).await;
    let idle = reqwest::Client::new();
    assert!(idle.get(format!("{}/healthz", ready.api)).send().await.unwrap().status().is_success());
    let mut never = half_a_call(&ready.api, text(&made, "api_key"), 1000).await;
    serving.signal("TERM").await;
    let mut rest = Vec::new();
    let _ = within("the connection is cut", never.read_to_end(&mut rest)).await;
    assert_eq!(serving.ended().await.code(), Some(0));
    assert!(serving.log().contains("connections that did not end in time are cut"), "{}", serving.log());
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_stop_and_a_start() {
    let program = Program::new();
    let made = program.json(&["init"]).await;
    for _ in 0..2 {
        let (mut serving, ready) = program.serve(&[]).await;
        let api = testkit::server::Api::new(&ready.api, text(&made, "api_key"));
        assert_eq!(api.device("list", serde_json::json!({})).await.status, 200);
        serving.signal("TERM").await;
        assert!(serving.ended().await.success());
    }
}

#[tokio::test]
async fn administrative_commands_work_beside_the_server() {
    let program = Program::new();
    program.json(&["init"]).await;
    let (mut serving, _ready) = program.serve(&[]).await;
    for name in ["One", "Two", "Three"] {
        program.json(&["tenant", "add", name]).await;
    }
    serving.signal("TERM").await;
    assert!(serving.ended().await.success());
    assert_eq!(program.json(&["tenant", "list"]).await["tenants"].as_array().unwrap().len(), 4);
}
