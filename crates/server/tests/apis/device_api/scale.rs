//! A list of a whole fleet, read slowly: it is read from the database as it is sent, and keeps nobody waiting.

use std::time::Duration;

use domain::{Device, Role};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use testkit::{
    on_both,
    patience::within,
    server::{TestServer, record},
};

use super::texts;

/// With names of [`NAME`] bytes, about 25 MB: more than the buffers of a connection take in.
const FLEET: u64 = 8000;
const NAME: usize = 2500;

fn with_a_long_name(number: u64) -> Device {
    let mut device = record(number);
    device.facts.device_name = Some("n".repeat(NAME));
    device
}

/// An answer with everything in it, of which nothing was read yet but its head.
async fn list_of_all(server: &TestServer) -> Response {
    let key = format!("Api-Key {}", server.key_of(Role::Viewer).await);
    let request = server.api().request(Method::POST, "/api/mdm/v2/device/list").header("authorization", key);
    let response = request.json(&json!({})).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    response
}

/// The rest of an answer, of which `read` was read.
async fn rest(mut response: Response, mut read: Vec<u8>) -> Value {
    while let Some(chunk) = response.chunk().await.expect("more of the answer") {
        read.extend(chunk);
    }
    serde_json::from_slice(&read).expect("JSON")
}

on_both!(a_list_that_is_read_slowly_keeps_nobody_waiting_and_is_not_read_ahead);

async fn a_list_that_is_read_slowly_keeps_nobody_waiting_and_is_not_read_ahead(server: TestServer) {
    server.add_records((1..=FLEET).map(with_a_long_name)).await;
    let mut list = list_of_all(&server).await;
    let begun = list.chunk().await.expect("a beginning").expect("a beginning").to_vec();
    // The server sends what the connection takes, and then waits.
    tokio::time::sleep(Duration::from_secs(1)).await;
    if let Some(open) = long_transactions(&server) {
        assert_eq!(open, "0", "no transaction lasts as long as the reader sleeps");
    }

    within("others write", server.add_records([record(FLEET + 1)])).await;
    let last = record(FLEET).id;
    within("others write", server.change_record(last, |device| device.managed = false)).await;
    within("others read", server.api().info(&last.client_id())).await;

    let list = within("the list ends", rest(list, begun)).await;
    let ids = texts(&list, "clientid");
    assert_eq!(ids.len() as u64, FLEET + 1, "with the device that came while the list was sent");
    assert!(ids.is_sorted_by(|a, b| a < b), "in order, none twice");
    assert_eq!(list["totalcount"], FLEET + 1);
    let devices = list["data"].as_array().unwrap();
    assert_eq!(devices[ids.len() - 2]["managed"], false, "as it became while the list was sent");
}

/// How many transactions have been open for long, where the database tells.
fn long_transactions(server: &TestServer) -> Option<String> {
    let asked = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND xact_start < now() - interval '900 ms'";
    server.is_on_postgres().then(|| server.postgres().execute(asked).trim().to_owned())
}

/// A client that goes away in the middle takes its list with it.
#[tokio::test]
async fn a_reader_who_leaves_leaves_nothing_behind() {
    let server = TestServer::start().await;
    server.add_records((1..=2500).map(with_a_long_name)).await;
    for _ in 0..20 {
        let mut list = list_of_all(&server).await;
        assert!(list.chunk().await.expect("a beginning").is_some());
    }
    let list = within("the server has time", rest(list_of_all(&server).await, Vec::new())).await;
    assert_eq!(list["totalcount"], 2500);
}
