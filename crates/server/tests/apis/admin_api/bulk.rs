//! One command for many devices in one call.

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    on_both,
    server::{TestServer, record},
};

use super::{lock, refused, send};

const MANY: u64 = 2_203;

/// Managed records that have never enrolled, and so no way to be woken.
async fn records(server: &TestServer, numbers: std::ops::Range<u64>) -> Vec<String> {
    server.add_records(numbers.clone().map(record)).await;
    numbers.map(|number| record(number).id.client_id()).collect()
}

on_both!(many_devices_are_asked_at_once_and_each_that_was_not_is_told);

async fn many_devices_are_asked_at_once_and_each_that_was_not_is_told(server: TestServer) {
    let mut phone = server.enrolled_iphone().await;
    server.pushed().await;
    let mut names = records(&server, 0..MANY).await;
    names.insert(1700, phone.client_id());
    names.insert(10, "udid:nobody's".into());
    names.push(names[0].clone());
    let before = server.apns().pushes().len();

    let answer = send(&server, json!({ "devices": names, "command": lock("all of you") })).await;

    assert_eq!(answer.status, 202, "{}", answer.text);
    let told = |key: &str| answer.body[key].as_array().unwrap().clone();
    let names_of = |list: &[Value]| -> Vec<String> {
        list.iter().map(|it| it["device"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names_of(&told("failed")), ["udid:nobody's".to_owned(), names[0].clone()]);
    names.remove(names.len() - 1);
    names.remove(10);
    assert_eq!(names_of(&told("commands")), names, "in the order of the call");
    let mut ids: Vec<String> =
        told("commands").iter().map(|it| it["uuid"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), names.len());

    server.until(async |server| server.apns().pushes().len() > before).await;
    let done = phone.connect().await.unwrap();
    assert_eq!(done.len(), 1);
    assert_eq!(server.count_events("commands.sent").await, 1, "one event for all of them");
    let page = server.api().admin(Method::GET, "commands?state=queued&limit=1000", None).await;
    assert_eq!(page.body["commands"].as_array().unwrap().len(), 1000);
    assert!(page.body["next"].is_string());
}

/// Twenty thousand in every run; `REMUDA_BULK=100000` for what is promised.
fn very_many() -> u64 {
    std::env::var_os("REMUDA_BULK").map_or(20_000, |text| text.to_str().unwrap().parse().unwrap())
}

/// The same records as `records` makes, quickly; `TestServer` has no other way into SQLite than the store's, which is
/// quick enough there.
async fn many_records(server: &TestServer, many: u64) -> Vec<String> {
    if !server.is_on_postgres() {
        return records(server, 0..many).await;
    }
    records(server, 0..1).await;
    server.postgres().execute(&format!(
        "INSERT INTO devices SELECT (jsonb_populate_record(d, jsonb_build_object('id', made.id, 'enrollment', made.id,
             'key', 'key ' || n, 'serial_number', 'SERIAL' || n))).*
         FROM devices d, generate_series(1, {}) n,
             LATERAL (SELECT lpad(to_hex(x'd00000000000'::bigint + n), 32, '0')::uuid AS id) made;
         ANALYZE devices",
        many - 1
    ));
    (0..many).map(|number| record(number).id.client_id()).collect()
}

on_both!(very_many_devices_in_one_body_are_queued_in_moments);

async fn very_many_devices_in_one_body_are_queued_in_moments(server: TestServer) {
    let many = very_many();
    let mut names = many_records(&server, many).await;
    let half = names.len() / 2;
    names[half] = "serial:nobody's".into();
    let plist = "<plist><dict><key>RequestType</key><string>DeviceLock</string></dict></plist>";
    let plist = base64::engine::general_purpose::STANDARD.encode(plist);
    let began = std::time::Instant::now();

    let answer = send(&server, json!({ "devices": names, "plist": plist, "priority": 7 })).await;

    println!("{many} devices in {:?}", began.elapsed());
    assert_eq!(answer.status, 202);
    let list = |key: &str| answer.body[key].as_array().unwrap().clone();
    assert_eq!(list("failed"), [json!({ "device": "serial:nobody's", "error": "there is no such device" })]);
    let queued: Vec<String> =
        list("commands").iter().map(|it| it["device"].as_str().unwrap().to_owned()).collect();
    names.remove(half);
    assert!(queued == names, "each once, in the order of the call");
    let last = list("commands").last().unwrap()["uuid"].as_str().unwrap().to_owned();
    let shown = super::shown(&server, &last).await;
    assert_eq!((&shown["request_type"], &shown["state"]), (&json!("DeviceLock"), &json!("queued")));
    assert_eq!(server.count_events("commands.sent").await, 1);
}

/// A lock for everyone, as the domain has it.
fn everyone_locks() -> domain::NewCommand {
    let request = apple::command::RawCommand::from_json(&lock("all of you")).unwrap();
    domain::NewCommand {
        request,
        schedule: domain::Schedule::default(),
        dedupe: Some("lock".into()),
        user: None,
    }
}

fn told(sent: &[Result<domain::CommandId, domain::NotSent>]) -> (usize, usize) {
    let queued = sent.iter().take_while(|it| it.is_ok()).count();
    let late = sent[queued..].iter().filter(|it| **it == Err(domain::NotSent::Unavailable)).count();
    (queued, late)
}

on_both!(a_call_that_runs_out_of_time_tells_what_it_did_and_can_be_repeated);

async fn a_call_that_runs_out_of_time_tells_what_it_did_and_can_be_repeated(server: TestServer) {
    let names = records(&server, 0..MANY).await;
    let (mdm, owner, command) = (server.mdm(), server.owner(), everyone_locks());
    let asked = AtomicUsize::new(0);
    let twice = || asked.fetch_add(1, Ordering::Relaxed) < 2;

    let sent = mdm.send_command_while(&owner, &command, &names, &twice).await.unwrap();

    assert_eq!(told(&sent), (2000, 203));
    assert_eq!(queued_locks(&server).await, 2000, "what is told is there");
    let never = mdm.send_command_while(&owner, &command, &names, &|| false).await;
    assert!(matches!(never, Err(domain::Error::Unavailable(_))), "{never:?}");
    let again = mdm.send_command(&owner, &command, &names).await.unwrap();
    assert_eq!(told(&again), (2203, 0));
    assert_eq!(queued_locks(&server).await, 2203, "the key keeps a repetition from doubling");
}

/// How many commands wait.
async fn queued_locks(server: &TestServer) -> usize {
    let mut records = server.records().await;
    let filter = domain::CommandFilter { device: None, state: Some(domain::CommandState::Queued) };
    records.commands(&filter, None, 10_000).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_fails_half_way_leaves_what_was_queued_and_says_so() {
    let server = TestServer::on_postgres().await;
    let names = records(&server, 0..5406).await;
    let broken: domain::DeviceId = names[1777].parse().unwrap();
    server.postgres().execute(&format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON commands FOR EACH ROW WHEN (NEW.device = '{}') EXECUTE FUNCTION refuse()",
        broken.0
    ));

    let answer = send(&server, json!({ "devices": names, "command": lock("x") })).await;

    assert_eq!(answer.status, 202, "{}", answer.text);
    let count = |key: &str| answer.body[key].as_array().unwrap().len();
    assert_eq!(
        (count("commands"), count("failed")),
        (4000, 1406),
        "the first thousand, and the third to the fifth beside the second"
    );
    let said = answer.body["failed"][0]["error"].as_str().unwrap();
    assert!(said.contains("send it again") && !answer.text.contains("disk"), "{said}");
    assert_eq!(queued_locks(&server).await, 4000, "what is told is there");
}

#[tokio::test]
async fn a_call_has_a_hundred_thousand_devices_at_most_and_eight_mebibytes() {
    let server = TestServer::start().await;
    let name = "e60cf0e25e63430694441870c27a8b42";
    let many = |count: usize| json!({ "devices": vec![name; count], "command": lock("x") });
    refused(&send(&server, many(100_001)).await, 400, "invalid");
    refused(&send(&server, many(0)).await, 400, "invalid");
    let long = json!({ "devices": [name], "command": lock(&"x".repeat(8 << 20)) });
    refused(&send(&server, long).await, 413, "too-large");
    let profile = json!({ "RequestType": "InstallProfile", "Payload": "A".repeat(1 << 20) });
    let huge = send(&server, json!({ "devices": vec![name; 10_000], "command": profile })).await;
    refused(&huge, 400, "invalid");
    assert_eq!(huge.body["field"], "devices");
}

#[tokio::test]
async fn what_is_not_apples_or_not_managed_gets_no_command_of_apples() {
    let server = TestServer::start().await;
    let names = records(&server, 0..2).await;
    server
        .change_record(names[0].parse().unwrap(), |device| {
            device.facts.platform = Some(domain::Platform::Android);
        })
        .await;
    server.change_record(names[1].parse().unwrap(), |device| device.managed = false).await;
    let answer = send(&server, json!({ "devices": names, "command": lock("x") })).await;
    assert_eq!((answer.status, &answer.body["commands"]), (202, &json!([])));
    let error = |n: usize| answer.body["failed"][n]["error"].as_str().unwrap().to_owned();
    assert!(error(0).contains("platform") && error(1).contains("not managed"), "{}", answer.text);
}

#[tokio::test]
async fn nobody_reaches_another_tenants_devices() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let (other, key) = server.another_tenant("other").await;
    let api = server.api().with_key(&key);
    let names = [
        phone.client_id(),
        format!("udid:{}", phone.model().udid),
        format!("serial:{}", phone.model().serial_number),
    ];
    let body = json!({ "devices": names, "command": lock("x") });
    let answer = api.admin(Method::POST, &format!("commands?tenant={other}"), Some(body)).await;
    assert_eq!((answer.status, &answer.body["commands"]), (202, &json!([])));
    assert_eq!(answer.body["failed"].as_array().unwrap().len(), 3);
}
