//! What may be purged, and how it is counted.

use std::time::Duration;

use domain::{Purge, PurgeCounts};
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{Answer, TestServer, record},
};

use super::refused;

/// Purges with a new application, and waits until it is done.
async fn purged(server: &TestServer, ids: Value) -> Purge {
    let answer = ask(server, ids).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    assert_eq!(answer.headers["content-length"], "0");
    server.settled().await;
    let purges = server.mdm().purges(&server.owner(), 1).await.unwrap();
    purges.into_iter().next().expect("a purge")
}

async fn ask(server: &TestServer, ids: Value) -> Answer {
    let token = server.token_of(&server.application().await).await;
    server.api().purge(&token, &server.tenant().to_string(), ids).await
}

async fn left(server: &TestServer) -> Vec<String> {
    super::super::device_api::texts(&server.api().device("list", json!({})).await.body, "serialnumber")
}

fn counts(purged: u32, skipped: u32) -> PurgeCounts {
    PurgeCounts { purged, skipped, failed: 0 }
}

on_both!(devices_are_found_by_guid_and_unknown_ids_are_skipped_and_counted);

async fn devices_are_found_by_guid_and_unknown_ids_are_skipped_and_counted(server: TestServer) {
    server.add_records((1..=4).map(record)).await;
    let guid = |number| record(number).guid();
    let job = purged(
        &server,
        json!({
            "guids": [guid(1), guid(2).to_uppercase(), "nobody's", "010fc047-df30-4851-bff8-a26390cf01a6"],
            "externalIds": [guid(3), "nobody's"],
        }),
    )
    .await;
    assert_eq!((job.asked, job.counts), (6, counts(3, 3)));
    assert!(job.finished_at.is_some() && job.asked_by.starts_with("application:"), "{job:?}");
    assert_eq!(left(&server).await, ["SERIAL000004"]);
}

on_both!(a_device_is_found_by_the_external_id_that_it_was_given);

async fn a_device_is_found_by_the_external_id_that_it_was_given(server: TestServer) {
    server.add_records([record(1), record(2)]).await;
    let owner = server.owner();
    server.mdm().set_external_id(&owner, record(1).id, Some("Asset 7/Ü")).await.unwrap();
    let job = purged(&server, json!({ "externalIds": [record(1).guid(), "asset 7/ü"] })).await;
    assert_eq!(job.counts, counts(0, 2), "its GUID is no longer its external id, and case counts");
    let job = purged(&server, json!({ "externalIds": ["Asset 7/Ü"] })).await;
    assert_eq!(job.counts, counts(1, 0));

    server.mdm().set_external_id(&owner, record(2).id, Some("Asset 8")).await.unwrap();
    let job = purged(&server, json!({ "guids": [record(2).guid()] })).await;
    assert_eq!(job.counts, counts(1, 0), "the GUID finds it all the same");
}

#[tokio::test]
async fn an_external_id_that_looks_like_anothers_guid_names_its_own_device_only() {
    let server = TestServer::start().await;
    server.add_records([record(1), record(2)]).await;
    server.mdm().set_external_id(&server.owner(), record(1).id, Some(&record(2).guid())).await.unwrap();
    let job = purged(&server, json!({ "externalIds": [record(2).guid()] })).await;
    assert_eq!(job.counts, counts(1, 0));
    assert_eq!(left(&server).await, ["SERIAL000002"]);
}

on_both!(a_device_named_twice_is_purged_once);

async fn a_device_named_twice_is_purged_once(server: TestServer) {
    server.add_records([record(1)]).await;
    let guid = record(1).guid();
    let job = purged(&server, json!({ "guids": [guid, guid], "externalIds": [guid, guid] })).await;
    assert_eq!((job.asked, job.counts), (2, counts(1, 1)));
    let job = purged(&server, json!({ "guids": [guid] })).await;
    assert_eq!(job.counts, counts(0, 1), "deletion is idempotent");
}

on_both!(another_customers_devices_are_skipped);

async fn another_customers_devices_are_skipped(server: TestServer) {
    server.add_records([record(1)]).await;
    let (other, _) = server.another_tenant("other").await;
    let token = server.token_of(&server.application_of(other).await).await;
    let body = json!({ "guids": [record(1).guid()], "externalIds": [record(1).guid()] });
    assert_eq!(server.api().purge(&token, &other.to_string(), body).await.status, 202);
    server.settled().await;
    let job = server.mdm().purges(&domain::Actor::local(other), 10).await.unwrap().remove(0);
    assert_eq!(job.counts, counts(0, 2));
    assert_eq!(left(&server).await, ["SERIAL000001"]);
    assert!(server.mdm().purges(&server.owner(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn five_hundred_of_each_kind_are_taken_and_one_more_is_not() {
    let server = TestServer::start().await;
    server.add_records((1..=1000).map(record)).await;
    let ids = |numbers: std::ops::RangeInclusive<u64>| -> Vec<_> {
        numbers.map(|number| record(number).guid()).collect()
    };
    for body in [json!({ "guids": ids(1..=501) }), json!({ "externalIds": ids(1..=501), "guids": [] })] {
        refused(&ask(&server, body).await, 400, "BAD_REQUEST");
    }
    assert!(server.mdm().purges(&server.owner(), 10).await.unwrap().is_empty());
    let job = purged(&server, json!({ "guids": ids(1..=500), "externalIds": ids(501..=1000) })).await;
    assert_eq!((job.asked, job.counts), (1000, counts(1000, 0)));
    assert!(left(&server).await.is_empty());
}

#[tokio::test]
async fn a_body_that_makes_no_sense_is_refused_and_nothing_is_queued() {
    let server = TestServer::start().await;
    for body in [
        json!({}),
        json!([]),
        json!(null),
        json!("text"),
        json!({ "guids": [], "externalIds": null }),
        json!({ "guids": "010fc047-df30-4851-bff8-a26390cf01a6" }),
        json!({ "guids": [7] }),
        json!({ "guids": [null] }),
        json!({ "guids": [["a"]] }),
        json!({ "guids": [""] }),
        json!({ "externalIds": ["x".repeat(256)] }),
    ] {
        refused(&ask(&server, body.clone()).await, 400, "BAD_REQUEST");
    }
    assert!(server.mdm().purges(&server.owner(), 10).await.unwrap().is_empty());
    assert_eq!(
        ask(&server, json!({ "guids": null, "externalIds": ["x".repeat(255)], "more": 1 })).await.status,
        202
    );
}

on_both!(a_purge_goes_on_after_a_restart);

async fn a_purge_goes_on_after_a_restart(mut server: TestServer) {
    server.add_records((1..=200).map(record)).await;
    let guids: Vec<_> = (1..=200).map(|number| record(number).guid()).collect();
    assert_eq!(ask(&server, json!({ "guids": guids })).await.status, 202);
    server.restart().await;
    // Whoever worked on it when the server stopped had it for itself for a while.
    server.clock().advance(Duration::from_secs(15));
    server.settled().await;
    let job = server.mdm().purges(&server.owner(), 1).await.unwrap().remove(0);
    assert_eq!(job.counts, counts(200, 0));
    assert!(left(&server).await.is_empty());
}
