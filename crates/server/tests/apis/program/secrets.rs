//! What is secret is neither in a log nor, in plain text, in a file: looked for in a real server that logs everything.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use pki::PrivateKey;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{
    apns::{PretendApns, PretendApnsSettings, push_certificate},
    apple_device::{AppleDevice, Clock, DeviceModel, EnrollOptions, Secrets},
};
use testkit::{clock::HandClock, patience::within, server::Api};

use super::{Program, Serving, text};

const TOPIC: &str = "com.apple.mgmt.External.secrets";

/// A server that logs all that there is to log, with one Mac.
struct World {
    program: Program,
    serving: Serving,
    api: Api,
    tenant: String,
    mac: AppleDevice,
    _apns: PretendApns,
    /// Keys and passwords that were told once.
    told: Vec<String>,
}

async fn world() -> World {
    let program = Program::new();
    let clock = HandClock::default().as_closure();
    let apns = PretendApns::start(PretendApnsSettings::new(TOPIC, clock.clone())).await.unwrap();
    program.write("apns.pem", pki::Certificate::from_der(&apns.root_certificate_der()).unwrap().to_pem());
    let pretend = push_certificate(TOPIC).unwrap();
    program.write("push.pem", pki::Certificate::from_der(&pretend.certificate).unwrap().to_pem());
    let key = PrivateKey::from_pkcs8(pretend.key.secret_der()).unwrap();
    program.write("push.key", key.to_pem().unwrap().as_bytes());
    let made = program.json(&["init"]).await;
    let tenant = text(&made, "tenant").to_owned();
    program.json(&["push-certificate", "import", "push.pem", "--key", "push.key", "--tenant", &tenant]).await;
    let application = program.json(&["application", "add", "--tenant", &tenant, "--name", "a"]).await;
    let url = apns.url();
    let (serving, ready) =
        program.serve(&["--log", "trace", "--apns-url", &url, "--apns-root", "apns.pem"]).await;
    let link =
        ["enrollment", "add", "--tenant", &tenant, "--allow-http-loopback", "--device-url", &ready.device];
    let link = text(&program.json(&link).await, "url").to_owned();
    let mac = enrolled(&link, clock).await;
    let api = Api::new(&ready.api, text(&made, "api_key"));
    let login = api.login(text(&application, "id"), text(&application, "secret")).await;
    let told = [&made["api_key"], &made["password"], &application["secret"], &login.body["token"]];
    let mut told: Vec<_> = told.map(|secret| secret.as_str().unwrap().to_owned()).to_vec();
    told.push(link.rsplit_once('/').unwrap().1.to_owned());
    World { program, serving, api, tenant, mac, _apns: apns, told }
}

async fn enrolled(link: &str, clock: Clock) -> AppleDevice {
    let model = DeviceModel { supervised: true, secrets: secrets(), ..DeviceModel::mac(1) };
    let mut mac = AppleDevice::enroll(EnrollOptions::new(link, model, clock)).await.unwrap();
    mac.connect().await.unwrap();
    mac
}

/// What the Mac tells when it is asked.
fn secrets() -> Secrets {
    Secrets {
        recovery_key: Some(b"the recovery key of this Mac".to_vec()),
        bypass_code: Some("NP1FC-H1G9-A0VL".into()),
        ..Secrets::default()
    }
}

impl World {
    async fn client_id(&self) -> String {
        let named = json!({ "serialnumber": self.mac.model().serial_number });
        let info = self.api.device("info", named).await;
        info.body["deviceinfo"]["clientid"].as_str().unwrap().to_owned()
    }

    /// Locks the Mac with this PIN, or lets the server make one; the one that it was.
    async fn lock(&mut self, pin: Option<&str>) -> String {
        let id = self.client_id().await;
        let lock =
            self.api.device("lockscreen", json!({ "clientid": id, "macpin": pin, "message": "hello" })).await;
        assert_eq!(lock.status, 200, "{}", lock.text);
        let done = self.mac.connect().await.unwrap();
        assert_eq!(done[0].request_type, "DeviceLock");
        let revealed = self.program.json(&["device", "reveal-pin", &id, "--tenant", &self.tenant]).await;
        text(&revealed, "pin").to_owned()
    }
}

impl World {
    /// Has a command carried out; what the program then reveals, once the answer is applied.
    async fn revealed(&mut self, command: Value, secret: &str) -> String {
        let id = self.client_id().await;
        let body = json!({ "devices": [id], "command": command });
        let sent = self.api.admin(Method::POST, "commands", Some(body)).await;
        assert_eq!((sent.status, &sent.body["failed"]), (202, &json!([])), "{}", sent.text);
        self.mac.connect().await.unwrap();
        let reveal = ["device", "reveal", &id, "--secret", secret, "--tenant", &self.tenant, "--json"];
        let shown = async {
            loop {
                let ran = self.program.run(&reveal).await;
                if ran.code == Some(0) {
                    break serde_json::from_str::<Value>(&ran.stdout).unwrap();
                }
            }
        };
        let shown = within("the answer is applied", shown).await;
        text(&shown, "value").to_owned()
    }
}

/// Everything in a folder and below, in one piece.
fn content(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { content(&path) } else { std::fs::read(&path).unwrap() });
    }
    all
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Six digits may stand anywhere by chance, such as in the time of a line of the log; four times six may not.
#[tokio::test]
async fn pins_given_and_made_are_in_no_file_and_no_log() {
    let mut world = world().await;
    let mut given = Vec::new();
    for pin in ["314159", "271828", "161803", "662607"] {
        given.push(world.lock(Some(pin)).await);
    }
    assert_eq!(given, ["314159", "271828", "161803", "662607"]);
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(world.lock(None).await);
    }
    world.serving.signal("TERM").await;
    world.serving.ended().await;
    let (log, data) = (world.serving.log(), content(&world.program.folder().join("remuda-data")));
    assert!(
        log.contains("TRACE") && holds(&data, &world.mac.model().serial_number),
        "there is something to look at"
    );
    for pins in [given, made] {
        assert!(!pins.iter().all(|pin| holds(log.as_bytes(), pin)), "{pins:?} are in the log");
        assert!(!pins.iter().all(|pin| holds(&data, pin)), "{pins:?} are in the data folder");
    }
}

#[tokio::test]
async fn keys_passwords_tokens_and_private_keys_are_in_no_file_and_no_log() {
    let mut world = world().await;
    world.lock(None).await;
    world.serving.signal("TERM").await;
    world.serving.ended().await;
    let (log, data) = (world.serving.log(), content(&world.program.folder().join("remuda-data")));
    for secret in &world.told {
        assert!(!holds(log.as_bytes(), secret), "{secret} is in the log");
        assert!(!holds(&data, secret), "{secret} is in the data folder");
    }
    let key = std::fs::read_to_string(world.program.folder().join("push.key")).unwrap();
    let key = PrivateKey::from_pem(&key).unwrap().to_pkcs8().unwrap();
    let push = world.mac.push_address();
    let unlock = push.unlock_token.clone().unwrap_or_default();
    for secret in [key.as_slice(), &unlock] {
        assert!(secret.is_empty() || !data.windows(secret.len()).any(|window| window == secret));
    }
    assert!(!holds(&data, "PRIVATE KEY"));
}

/// Not even for the moment between an answer and its being applied: SQLite's journal still holds what was replaced.
#[tokio::test]
async fn what_a_device_tells_and_what_it_was_told_are_in_no_file_and_no_log() {
    let mut world = world().await;
    let known = secrets();
    let asked = |request_type: &str| json!({ "RequestType": request_type });
    let code = world.revealed(asked("ActivationLockBypassCode"), "activation-lock-bypass-code").await;
    assert_eq!(Some(&code), known.bypass_code.as_ref());
    let key = world.revealed(asked("SecurityInfo"), "filevault-recovery-key").await;
    assert_eq!(STANDARD.decode(key).ok(), known.recovery_key);
    let set = json!({ "RequestType": "SetRecoveryLock", "NewPassword": "correct horse battery" });
    assert_eq!(world.revealed(set, "recovery-lock-password").await, "correct horse battery");
    let token = world.mac.bootstrap_token().await.unwrap().unwrap();
    world.serving.signal("TERM").await;
    world.serving.ended().await;
    let (log, data) = (world.serving.log(), content(&world.program.folder().join("remuda-data")));
    let key = known.recovery_key.unwrap();
    for secret in [&b"NP1FC-H1G9-A0VL"[..], b"correct horse battery", &key, &token] {
        for needle in [secret.to_vec(), STANDARD.encode(secret).into_bytes()] {
            let name = String::from_utf8_lossy(&needle);
            assert!(
                !data.windows(needle.len()).any(|window| window == needle),
                "{name} is in the data folder"
            );
            assert!(!log.contains(&*name), "{name} is in the log");
        }
    }
}
