//! Purges at work: beside devices that check in, past devices that cannot be removed, and through a restart.

use std::time::Duration;

use domain::{DeviceFilter, Page, Purge, PurgeCounts};
use serde_json::json;
use testkit::{
    on_both,
    server::{TestServer, record},
};

use super::Program;

async fn ask(server: &TestServer, numbers: std::ops::RangeInclusive<u64>) {
    let program = Program::new(server).await;
    let body = json!({ "guids": numbers.map(|number| record(number).guid()).collect::<Vec<_>>() });
    assert_eq!(server.api().purge(&program.token, &program.customer, body).await.status, 202);
}

async fn job(server: &TestServer) -> Purge {
    server.mdm().purges(&server.owner(), 1).await.unwrap().remove(0)
}

on_both!(devices_are_answered_while_others_are_purged);

async fn devices_are_answered_while_others_are_purged(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    server.add_records((1..=400).map(record)).await;
    ask(&server, 1..=400).await;
    let mut polls = 0;
    while job(&server).await.finished_at.is_none() {
        phone.connect().await.expect("the poll is answered");
        polls += 1;
    }
    assert_eq!(job(&server).await.counts, PurgeCounts { purged: 400, skipped: 0, failed: 0 });
    assert!(polls >= 10, "the purge let {polls} polls through");
}

on_both!(a_purge_that_was_stopped_midway_goes_on_where_it_was);

async fn a_purge_that_was_stopped_midway_goes_on_where_it_was(mut server: TestServer) {
    server.add_records((1..=400).map(record)).await;
    ask(&server, 1..=400).await;
    server.until(async |server| job(server).await.counts.purged >= 10).await;
    server.restart().await;
    let midway = job(&server).await;
    assert!(midway.finished_at.is_none() && midway.counts.purged < 400, "{midway:?}");
    server.clock().advance(Duration::from_secs(16));
    server.settled().await;
    let done = job(&server).await;
    assert_eq!(done.counts, PurgeCounts { purged: 400, skipped: 0, failed: 0 });
    assert!(done.finished_at.is_some());
    assert_eq!(server.count_events("device.purged").await, 400, "each once");
}

#[tokio::test]
async fn a_device_that_cannot_be_removed_is_counted_and_holds_up_no_other() {
    let server = TestServer::on_postgres().await;
    server.add_records((1..=5).map(record)).await;
    let database = server.postgres();
    database.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$",
    );
    database.execute(&format!(
        "CREATE TRIGGER refuse BEFORE DELETE ON devices FOR EACH ROW WHEN (OLD.id = '{}') EXECUTE FUNCTION refuse()",
        record(2).guid()
    ));
    ask(&server, 1..=6).await;
    server.settled().await;
    assert_eq!(job(&server).await.counts, PurgeCounts { purged: 4, skipped: 1, failed: 1 });
    let page = Page { after: None, skip: 0, limit: 10 };
    let left = server.records().await.devices(&DeviceFilter::default(), page).await.unwrap();
    assert_eq!(left, [record(2)], "nothing of it is gone");
}
