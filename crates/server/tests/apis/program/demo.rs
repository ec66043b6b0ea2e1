//! `remuda demo`: what the README promises, as it promises it.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{patience::within, server::Api};
use tokio::process::Command;

use super::{Program, Serving, keys, text};

/// Waits for the file that says that all devices are enrolled.
async fn exported(file: &Path) -> Value {
    let appears = async {
        while !file.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("the demo writes its export", appears).await;
    // It appears as a whole, so that what is there can be read.
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A demo that is ready, what it exported and what it printed until then.
async fn demo(program: &Program, arguments: &[&str]) -> (Serving, Value, Vec<String>) {
    let mut demo = program.start(&[&["demo", "--export", "demo.json"], arguments].concat());
    let ready = demo.lines_until(|line| line.contains("/devices/purge/async/external")).await;
    let export = exported(&program.folder().join("demo.json")).await;
    (demo, export, ready)
}

fn device<'v>(export: &'v Value, platform: &str) -> &'v Value {
    let devices = export["devices"].as_array().unwrap();
    devices
        .iter()
        .find(|device| device["platform"] == platform)
        .unwrap_or_else(|| panic!("no {platform}: {export}"))
}

/// The sequence by which the demo is shown.
#[tokio::test]
async fn a_device_is_seen_locked_and_deleted() {
    let program = Program::new();
    let (mut demo, export, _) = demo(&program, &[]).await;
    assert_eq!(
        keys(&export),
        ["api_key", "api_url", "application", "customer_id", "device_url", "devices", "tenant"]
    );
    assert_eq!(keys(&export["application"]), ["id", "secret"]);
    assert_eq!(export["tenant"], export["customer_id"]);
    let api = Api::new(text(&export, "api_url"), text(&export, "api_key"));
    let list = api.device("list", json!({})).await.body;
    assert_eq!(list["totalcount"], 5);
    for listed in list["data"].as_array().unwrap() {
        assert!(
            listed["batterylevel"].is_u64() && listed["osname"].is_string(),
            "the inventory is there: {listed}"
        );
    }
    assert!(!text(device(&export, "ipados"), "serialnumber").is_empty());
    let iphone = device(&export, "ios");
    assert_eq!(keys(iphone), ["clientid", "platform", "serialnumber"]);
    let (id, serial) = (text(iphone, "clientid"), text(iphone, "serialnumber"));

    let lock = api.device("lockscreen", json!({ "clientid": id, "message": "hello" })).await;
    assert_eq!(lock.status, 200, "{}", lock.text);
    let did = format!(r#"device {serial} did DeviceLock {{"Message":"hello"}}"#);
    demo.lines_until(|line| line == did).await;
    let done = async {
        while api.info(id).await["actions"]["lockscreen"]["status"] != 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    within("the lock is no longer pending", done).await;

    let login = api.login(text(&export["application"], "id"), text(&export["application"], "secret")).await;
    let body = json!({ "externalIds": [format_guid(id)] });
    let purge = api.purge(text(&login.body, "token"), text(&export, "customer_id"), body).await;
    assert_eq!((purge.status, purge.text.as_str()), (202, ""));
    let unenrolled =
        format!("device {serial} unenrolled: the server answered 403 com.apple.unrecognized.device");
    demo.lines_until(|line| line == unenrolled).await;
    assert_eq!(api.device("info", json!({ "clientid": id })).await.status, 404);
    assert_eq!(api.device("list", json!({})).await.body["totalcount"], 4);

    demo.signal("INT").await;
    assert_eq!(demo.ended().await.code(), Some(0));
    assert!(!demo.log().contains("ERROR"), "{}", demo.log());
}

/// Two Android devices join the three of Apple's.
#[tokio::test]
async fn android_devices_are_listed_lost_found_and_deleted() {
    let program = Program::new();
    let (mut demo, export, _) = demo(&program, &["--devices", "1"]).await;
    let api = Api::new(text(&export, "api_url"), text(&export, "api_key"));
    let kinds = async || {
        let list = api.device("list", json!({})).await.body;
        let android = list["data"].as_array().unwrap().iter().filter(|device| device["type"] == 4);
        let mut kinds: Vec<_> = android.map(|it| it["androidforworktype"].as_u64().unwrap()).collect();
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(kinds().await, [3, 4], "a fully managed one, and one with a work profile");
    let android = device(&export, "android");
    assert_eq!(keys(android), ["clientid", "platform", "serialnumber"]);
    let (id, serial) = (text(android, "clientid"), text(android, "serialnumber"));
    let ask = async |call: &str, mut more: Value| {
        more["clientid"] = json!(id);
        let answer = api.device(call, more).await;
        assert_eq!(answer.status, 200, "{call}: {}", answer.text);
    };
    let did = |line: String| move |told: &str| told == line;

    ask("lockscreen", json!({ "message": "hello" })).await;
    demo.lines_until(did(format!("device {serial} did LOCK {{}}"))).await;
    ask("enablelostmode", json!({ "message": "Please call" })).await;
    demo.lines_until(did(format!(r#"device {serial} did START_LOST_MODE {{"lostMessage":"Please call"}}"#)))
        .await;
    let lost = async { while api.info(id).await["lostmodeenabled"] != true {} };
    within("the device is shown as lost", lost).await;
    ask("requestlocation", json!({})).await;
    let located = async { while !api.info(id).await["location"]["latitude"].is_number() {} };
    within("it tells where it is", located).await;
    ask("disablelostmode", json!({})).await;
    demo.lines_until(did(format!("device {serial} did STOP_LOST_MODE {{}}"))).await;

    let login = api.login(text(&export["application"], "id"), text(&export["application"], "secret")).await;
    let body = json!({ "externalIds": [format_guid(id)] });
    let purge = api.purge(text(&login.body, "token"), text(&export, "customer_id"), body).await;
    assert_eq!(purge.status, 202);
    demo.lines_until(|line| line.starts_with(&format!("device {serial} unenrolled: "))).await;
    assert_eq!(kinds().await.len(), 1);
    demo.signal("INT").await;
    assert_eq!(demo.ended().await.code(), Some(0));
    assert!(!demo.log().contains("ERROR"), "{}", demo.log());
}

#[tokio::test]
async fn there_need_be_no_android_devices_and_none_of_apples() {
    for (arguments, platforms) in
        [(["--devices", "1", "--android", "0"], ["ios"]), (["--devices", "0", "--android", "1"], ["android"])]
    {
        let program = Program::new();
        let (mut demo, export, _) = demo(&program, &arguments).await;
        let devices = export["devices"].as_array().unwrap().iter().map(|device| text(device, "platform"));
        assert_eq!(devices.collect::<Vec<_>>(), platforms);
        demo.signal("TERM").await;
        assert!(demo.ended().await.success());
    }
}

fn format_guid(client_id: &str) -> String {
    client_id.parse::<domain::DeviceId>().unwrap().to_string()
}

/// The printed lines of `curl`, each with its line of continuation, and what stands before them.
fn commands(printed: &[String]) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = printed.iter().map(String::as_str);
    while let Some(line) = lines.next() {
        if line.starts_with("curl ") || line.starts_with("TOKEN=") {
            let mut command = line.to_owned();
            while command.ends_with('\\') {
                command = format!("{command}\n{}", lines.next().expect("a line of continuation"));
            }
            commands.push(command);
        }
    }
    commands
}

/// Runs lines as someone does who pastes them into a terminal.
async fn pasted(lines: &str) -> String {
    let mut bash = Command::new("bash");
    bash.args(["-e", "-o", "pipefail", "-c", lines]);
    let output = within("bash ends", bash.output()).await.expect("bash");
    assert!(output.status.success(), "{lines}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn the_printed_lines_work_as_printed() {
    let program = Program::new();
    let (mut demo, export, printed) = demo(&program, &[]).await;
    let [list, info, lock, token, purge] = &commands(&printed)[..] else { panic!("{printed:#?}") };
    let json = async |line: &str| -> Value { serde_json::from_str(&pasted(line).await).expect("JSON") };
    assert_eq!(json(list).await["totalcount"], 5);
    let info_answer = json(info).await;
    let iphone = device(&export, "ios");
    assert_eq!(
        info_answer["deviceinfo"]["clientid"], iphone["clientid"],
        "an iPhone, which shows the message"
    );
    assert_eq!(json(lock).await["success"], true);
    let serial = text(iphone, "serialnumber");
    let did = format!(r#"device {serial} did DeviceLock {{"Message":"hello"}}"#);
    demo.lines_until(|line| line == did).await;

    let answer = pasted(&format!("{token}\n{purge}")).await;
    assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    demo.lines_until(|line| line.starts_with(&format!("device {serial} unenrolled: "))).await;
    let gone = json(info).await;
    assert_eq!((&gone["success"], &gone["errorcode"]), (&json!(false), &json!("DEVICE_NOT_FOUND")));
}

#[tokio::test]
async fn it_prints_keys_and_then_what_each_device_does() {
    let program = Program::new();
    let arguments = ["--devices", "4", "--android", "3", "--ready-file", "ready.json"];
    let (mut demo, export, printed) = demo(&program, &arguments).await;
    assert_eq!(export["devices"].as_array().unwrap().len(), 7);
    let ready = format!("ready device={} api={}", text(&export, "device_url"), text(&export, "api_url"));
    assert_eq!(printed[0], ready);
    for secret in [
        &export["api_key"],
        &export["application"]["id"],
        &export["application"]["secret"],
        &export["tenant"],
    ] {
        assert!(
            printed.iter().any(|line| line.ends_with(secret.as_str().unwrap())),
            "{secret} in {printed:#?}"
        );
    }
    for device in export["devices"].as_array().unwrap() {
        let serial = text(device, "serialnumber");
        let does: &[_] = match text(device, "platform") {
            "android" => &["enrolled", "did STATUS_REPORT "],
            _ => &["enrolled", "did DeviceInformation ", "did SecurityInfo "],
        };
        for what in does {
            let line = format!("device {serial} {what}");
            assert!(printed.iter().any(|printed| printed.starts_with(&line)), "{line} in {printed:#?}");
        }
    }
    assert!(program.folder().join("ready.json").exists());
    demo.signal("TERM").await;
    assert_eq!(demo.ended().await.code(), Some(0));
}

#[tokio::test]
async fn nothing_is_left_of_it() {
    let program = Program::new();
    let folder = program.folder().join("tmp");
    std::fs::create_dir(&folder).unwrap();
    let program = program.with("TMPDIR", folder.to_str().unwrap());
    let (mut demo, _, _) = demo(&program, &["--devices", "1", "--android", "1"]).await;
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "it works on a temporary folder");
    demo.signal("TERM").await;
    assert!(demo.ended().await.success());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    assert!(!program.folder().join("remuda-data").exists());
}

#[tokio::test]
async fn settings_that_are_not_the_demos_own_count() {
    let program = Program::new();
    program.fails(&["demo", "--api-listen", "0.0.0.0:0"], 1, "--api-listen 0.0.0.0:0 is not loopback").await;
    let (mut demo, export, _) =
        demo(&program, &["--devices", "1", "--data", "never", "--tls", "self-signed"]).await;
    assert!(text(&export, "api_url").starts_with("http://127.0.0.1:"), "plain HTTP whatever is set");
    assert!(!program.folder().join("never").exists());
    demo.signal("TERM").await;
    assert!(demo.ended().await.success());
}

/// `remuda demo | head -1`
#[tokio::test]
async fn it_goes_on_where_nobody_reads_what_it_prints() {
    let program = Program::new();
    let mut demo = program.start(&["demo", "--export", "demo.json"]);
    demo.close_output();
    let export = exported(&program.folder().join("demo.json")).await;
    let api = Api::new(text(&export, "api_url"), text(&export, "api_key"));
    assert_eq!(api.device("list", json!({})).await.body["totalcount"], 5);
    demo.signal("TERM").await;
    assert!(demo.ended().await.success());
    assert!(!demo.log().contains("panicked"), "{}", demo.log());
}
