//! `remuda command send`, `list`, `show` and `cancel`, and `remuda device diagnose`, beside a server that has devices.

use apple::{CheckIn, ErrorChainItem, Report, TokenUpdate};
use serde_json::{Value, json};
use testkit::server::{Device, TestServer};

use super::{Program, keys, text};

const LOCK: &str = r#"{ "RequestType": "DeviceLock", "Message": "hello" }"#;

async fn beside(server: &TestServer) -> (Program, String) {
    let program = Program::beside(server);
    program.write("lock.json", LOCK);
    (program, server.tenant().to_string())
}

/// Sends what a file holds to one device, with more arguments; the command's id.
async fn sent(program: &Program, tenant: &str, device: &Device, more: &[&str]) -> String {
    let device = device.client_id();
    let send = ["command", "send", "lock.json", "--tenant", tenant, "--device", &device];
    let sent = program.json(&[&send[..], more].concat()).await;
    assert_eq!((keys(&sent), &sent["failed"]), (vec!["commands", "failed"], &json!([])));
    assert_eq!(sent["commands"][0]["device"], device);
    text(&sent["commands"][0], "uuid").to_owned()
}

async fn shown(program: &Program, tenant: &str, uuid: &str) -> Value {
    program.json(&["command", "show", uuid, "--tenant", tenant]).await
}

#[tokio::test]
async fn a_command_is_sent_done_and_shown_with_its_answer() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    let (program, tenant) = beside(&server).await;
    let later = ["--not-before", "2126-01-01T00:00:00Z"];
    let waits = sent(&program, &tenant, &phone, &later).await;
    let uuid = sent(&program, &tenant, &phone, &["--priority", "-5", "--dedupe", "lock"]).await;
    let queued = shown(&program, &tenant, &uuid).await;
    assert_eq!((&queued["state"], &queued["priority"]), (&json!("queued"), &json!(-5)));
    assert_eq!((&queued["dedupe"], &queued["channel"]), (&json!("lock"), &json!("")));
    assert_eq!(text(&shown(&program, &tenant, &waits).await, "not_before"), "2126-01-01T00:00:00.000Z");

    assert_eq!(phone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(phone.acknowledge().await, Ok(None));
    let done = shown(&program, &tenant, &uuid).await;
    assert_eq!((&done["state"], &done["result"]["MessageResult"]), (&json!("done"), &json!("Success")));
    let people = program.run(&["command", "show", &uuid, "--tenant", &tenant]).await;
    let first = people.stdout.lines().next().unwrap();
    assert_eq!(first, format!("DeviceLock for {}: done", phone.client_id()));
    assert!(people.stdout.contains("handed over at  20") && people.stdout.contains("MessageResult"));
}

#[tokio::test]
async fn a_failure_is_shown_with_its_error_chain() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    let (program, tenant) = beside(&server).await;
    let uuid = sent(&program, &tenant, &phone, &[]).await;
    phone.idle().await.unwrap();
    let cause = ErrorChainItem {
        code: 12021,
        domain: "MCMDMErrorDomain".into(),
        us_english_description: Some("No passcode".into()),
        ..ErrorChainItem::default()
    };
    phone.error(vec![cause]).await.unwrap();
    let failed = shown(&program, &tenant, &uuid).await;
    assert_eq!((&failed["state"], &failed["error_chain"][0]["code"]), (&json!("failed"), &json!(12021)));
    let people = program.run(&["command", "show", &uuid, "--tenant", &tenant]).await;
    assert!(people.stdout.contains("error MCMDMErrorDomain 12021: No passcode"), "{}", people.stdout);
}

#[tokio::test]
async fn a_plist_is_sent_to_the_devices_of_a_file_and_each_that_fails_is_told() {
    let server = TestServer::start().await;
    let (phone, mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    let (program, tenant) = beside(&server).await;
    program.write(
        "pin.plist",
        "<plist><dict><key>RequestType</key><string>DeviceLock</string><key>PIN</key><string>482913</string></dict></plist>",
    );
    let names = [phone.client_id(), format!("udid:{}", mac.model().udid), "serial:nobody's".into()];
    program.write("devices.txt", format!("{}\n\n  {}\n{}\n", names[0], names[1], names[2]));
    let send = ["command", "send", "pin.plist", "--tenant", &tenant, "--devices-from", "devices.txt"];
    let ran = program.run(&[&send[..], &["--json"]].concat()).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stderr.contains("2 of 3 devices were not sent it"), "{}", ran.stderr);
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(answer["commands"][0]["device"], names[1]);
    let failed: Vec<_> = answer["failed"].as_array().unwrap().iter().map(|it| text(it, "device")).collect();
    assert_eq!(failed, [&names[0], &names[2]]);
    assert!(text(&answer["failed"][0], "error").contains("PIN: not available on iOS"));
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("482913"), "a secret is never shown");
}

#[tokio::test]
async fn a_user_of_a_device_is_sent_a_command() {
    let server = TestServer::start().await;
    let mut mac = server.enrolled_mac().await;
    let (program, tenant) = beside(&server).await;
    program.write("info.json", r#"{ "RequestType": "ProfileList" }"#);
    let mut message = TokenUpdate { token: vec![9; 32], ..mac.token_update_message() };
    (message.ids.user_id, message.ids.user_short_name) = (Some("6A8D1C70-0001".into()), Some("anna".into()));
    let ids = message.ids.clone();
    mac.check_in(&CheckIn::TokenUpdate(message)).await.unwrap();
    let device = mac.client_id();
    let send = ["command", "send", "info.json", "--tenant", &tenant, "--device", &device, "--user"];
    let sent = program.json(&[&send[..], &["anna"]].concat()).await;
    let uuid = text(&sent["commands"][0], "uuid");
    assert_eq!(shown(&program, &tenant, uuid).await["channel"], "6A8D1C70-0001");
    let people = program.run(&["command", "show", uuid, "--tenant", &tenant]).await;
    assert!(people.stdout.contains("of the user     6A8D1C70-0001"), "{}", people.stdout);
    let found = program.run(&["device", "diagnose", &device, "--tenant", &tenant]).await;
    assert!(found.stdout.contains("last push for anna"), "{}", found.stdout);
    assert!(found.stdout.contains("ProfileList of the user 6A8D1C70-0001"), "{}", found.stdout);
    assert!(mac.poll(&Report::idle(ids)).await.unwrap().is_some());
    let ran = program.run(&[&send[..], &["bert"]].concat()).await;
    assert_eq!((ran.code, ran.stdout.contains("no such user")), (Some(1), true), "{}", ran.stdout);
}

#[tokio::test]
async fn commands_are_listed_page_by_page_by_device_and_by_state() {
    let server = TestServer::start().await;
    let (phone, pad) = (server.enrolled_iphone().await, server.enrolled_ipad().await);
    let (program, tenant) = beside(&server).await;
    let mut ids = Vec::new();
    for device in [&phone, &phone, &pad] {
        ids.push(sent(&program, &tenant, device, &[]).await);
    }
    let list = async |more: &[&str]| -> Vec<String> {
        let listed = program.json(&[&["command", "list", "--tenant", &tenant][..], more].concat()).await;
        listed["commands"].as_array().unwrap().iter().map(|it| text(it, "uuid").to_owned()).collect()
    };
    ids.reverse();
    assert_eq!(list(&["--state", "queued"]).await, ids);
    let serial = format!("serial:{}", phone.model().serial_number);
    assert_eq!(list(&["--device", &serial, "--state", "queued"]).await, ids[1..]);
    assert_eq!(list(&["--limit", "1", "--before", &ids[1]]).await, ids[2..]);
    assert_eq!(list(&["--state", "failed"]).await, [""; 0]);
    let people = program.run(&["command", "list", "--tenant", &tenant, "--state", "queued"]).await;
    assert_eq!(people.stdout.lines().count(), 4, "a head and three rows: {}", people.stdout);
    let wrong = ["command", "list", "--tenant", &tenant, "--state", "waiting"];
    program.fails(&wrong, 2, "one of queued, handed_over, not_now").await;
    let nobody = ["command", "list", "--tenant", &tenant, "--device", "serial:nobody's"];
    program.fails(&nobody, 1, "no such device").await;
}

#[tokio::test]
async fn a_command_is_taken_back_until_the_device_has_it() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    let (program, tenant) = beside(&server).await;
    let [one, two] = [sent(&program, &tenant, &phone, &[]).await, sent(&program, &tenant, &phone, &[]).await];
    let cancelled = program.json(&["command", "cancel", &one, "--tenant", &tenant]).await;
    assert_eq!((text(&cancelled, "uuid"), text(&cancelled, "state")), (one.as_str(), "cancelled"));
    program
        .fails(&["command", "cancel", &one, "--tenant", &tenant], 1, "the command is over: cancelled")
        .await;
    assert_eq!(phone.idle().await, Ok(Some("DeviceLock")));
    assert_eq!(phone.current().unwrap().command_uuid.to_lowercase(), two);
    program.fails(&["command", "cancel", &two, "--tenant", &tenant], 1, "the device has the command").await;
    assert_eq!(phone.acknowledge().await, Ok(None));
    let unknown = "0192f3a1-c0de-7000-8000-000000000001";
    for verb in ["cancel", "show"] {
        program.fails(&["command", verb, unknown, "--tenant", &tenant], 1, "no such command").await;
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_and_nothing_is_queued() {
    let server = TestServer::start().await;
    let phone = server.enrolled_iphone().await;
    let (program, tenant) = beside(&server).await;
    program.write("nothing.json", "{}");
    let device = phone.client_id();
    let send = |file| vec!["command", "send", file, "--tenant", &tenant];
    let to = |file| [send(file), vec!["--device", &device]].concat();
    program.fails(&send("lock.json"), 1, "no device: name some").await;
    program.fails(&to("none.json"), 1, "cannot read none.json").await;
    program.fails(&to("nothing.json"), 1, "this is no command").await;
    program
        .fails(&[to("lock.json"), vec!["--expires", "tomorrow"]].concat(), 2, "2026-12-24T18:00:00Z")
        .await;
    program.fails(&[to("lock.json"), vec!["--priority", "101"]].concat(), 1, "priority").await;
    program.fails(&[to("lock.json"), vec!["--user", ""]].concat(), 1, "user").await;
    let expired = vec!["--expires", "2020-01-01T00:00:00Z"];
    program.fails(&[to("lock.json"), expired].concat(), 1, "expires").await;
    let listed = program.json(&["command", "list", "--tenant", &tenant, "--state", "queued"]).await;
    assert_eq!(listed["commands"], json!([]));
}

#[tokio::test]
async fn a_device_is_diagnosed_in_words_and_as_json() {
    let server = TestServer::start().await;
    let mut phone = server.enrolled_iphone().await;
    let (program, tenant) = beside(&server).await;
    server.pushed().await;
    let device = phone.client_id();
    let diagnose = ["device", "diagnose", &device, "--tenant", &tenant];
    let well = program.run(&diagnose).await;
    assert_eq!((well.code, well.stdout.lines().last()), (Some(0), Some("nothing is wrong with it")));
    let uuid = sent(&program, &tenant, &phone, &[]).await;
    phone.idle().await.unwrap();
    phone.not_now().await.unwrap();
    let found = program.json(&diagnose).await;
    let expected = [
        "advice",
        "certificate_expires",
        "device",
        "last_seen",
        "managed",
        "push",
        "push_certificate_expires",
        "users",
        "waiting",
    ];
    assert_eq!(keys(&found), expected);
    assert_eq!((text(&found, "device"), &found["waiting"][0]["uuid"]), (device.as_str(), &json!(uuid)));
    assert!(text(&found["waiting"][0], "why").contains("put off by the device, 1 time"));
    let people = program.run(&diagnose).await;
    assert!(people.stdout.contains("→ Unlock the device"), "{}", people.stdout);
    program.fails(&["device", "diagnose", "serial:nobody's", "--tenant", &tenant], 1, "no such device").await;
}
