//! What is secret is neither in a log nor, in plain text, in a file: looked for in a real server that logs everything.

use std::path::Path;

use pki::PrivateKey;
use serde_json::json;
use simulator::{
    apns::{PretendApns, PretendApnsSettings, push_certificate},
    apple_device::{AppleDevice, Clock, DeviceModel, EnrollOptions},
};
use testkit::{clock::HandClock, server::Api};

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
    let mut mac = AppleDevice::enroll(EnrollOptions::new(link, DeviceModel::mac(1), clock)).await.unwrap();
    mac.connect().await.unwrap();
    mac
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
