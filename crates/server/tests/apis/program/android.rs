//! `remuda android` and `remuda enrollment add --platform android`, against a pretend Google.

use std::process::Stdio;

use serde_json::{Value, json};
use simulator::google::{AndroidDevice, PretendGoogle, PretendGoogleSettings};
use testkit::{clock::HandClock, patience::within, server::Api};
use tokio::process::Command;

use super::{Program, Serving, keys, qr, text};

/// An installation that finds the pretend Google, its tenant, and the API key of its administrator.
struct Office {
    program: Program,
    google: PretendGoogle,
    tenant: String,
    api_key: String,
}

impl Office {
    async fn new() -> Self {
        let settings = PretendGoogleSettings::new(HandClock::default().as_closure());
        let google = PretendGoogle::start(settings).await.unwrap();
        let program = Program::new()
            .with("REMUDA_GOOGLE_URL", &google.url())
            .with("REMUDA_GOOGLE_PUBSUB_URL", &google.url())
            .with("REMUDA_GOOGLE_CERTIFICATES_URL", &google.certificates_url());
        program.write("account.json", google.service_account());
        let made = program.json(&["init"]).await;
        let [tenant, api_key] = ["tenant", "api_key"].map(|key| text(&made, key).to_owned());
        Self { program, google, tenant, api_key }
    }

    /// With an enterprise; what it is called.
    async fn signed_up() -> (Self, String) {
        let office = Self::new().await;
        let callback = "https://mdm.example.com/signed-up";
        let signed = office.android(&["signup", "--account", "account.json", "--callback", callback]).await;
        let token = office.google.sign_up(text(&signed, "url")).expect("the address leads to the sign-up");
        let made = office.android(&["enterprise", "--token", &token]).await;
        (office, text(&made, "enterprise").to_owned())
    }

    async fn android(&self, arguments: &[&str]) -> Value {
        self.program.json(&[&["android"], arguments, &["--tenant", &self.tenant]].concat()).await
    }

    fn adding<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        let add = ["enrollment", "add", "--platform", "android", "--tenant", &self.tenant];
        [&add, arguments].concat()
    }

    /// What a device says of itself once it has enrolled with a token and is known.
    async fn enroll(&self, api: &Api, token: &str, device: AndroidDevice) -> Value {
        let name = self.google.enroll(token, device).unwrap();
        self.google.sync(&name).unwrap();
        let known = async {
            loop {
                let list = api.device("list", json!({})).await.body;
                let device = list["data"].as_array().unwrap().iter().find(|device| device["mdmid"] == name);
                if let Some(device) = device.filter(|device| device["osname"] != "Android") {
                    return device.clone();
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        within("the device is known", known).await
    }

    async fn serve(&self, arguments: &[&str]) -> (Serving, Api) {
        let (serving, ready) = self.program.serve(arguments).await;
        (serving, Api::new(&ready.api, &self.api_key))
    }
}

/// The secret value that a device finds in the text of a code.
fn token_in(qr_text: &str) -> String {
    let extras: Value = serde_json::from_str(qr_text).expect("JSON");
    let bundle = &extras["android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE"];
    text(bundle, "com.google.android.apps.work.clouddpc.EXTRA_ENROLLMENT_TOKEN").to_owned()
}

#[tokio::test]
async fn from_the_sign_up_to_a_device_by_its_code() {
    let (office, enterprise) = Office::signed_up().await;
    let status = office.android(&["status"]).await;
    assert_eq!(
        keys(&status),
        [
            "enterprise",
            "project",
            "pulled",
            "pushed_to",
            "subscription",
            "trouble",
            "waiting_calls",
            "waiting_notifications"
        ]
    );
    assert_eq!((&status["enterprise"], &status["project"]), (&json!(enterprise), &json!("pretend-project")));
    assert_eq!([&status["pulled"], &status["pushed_to"], &status["trouble"]], [&Value::Null; 3]);
    let svg = office.program.folder().join("code.svg");
    let wish = ["--mode", "fully-managed", "--svg", svg.to_str().unwrap()];
    let made = office.program.json(&office.adding(&wish)).await;
    assert_eq!(keys(&made), ["expires", "link", "qr", "token"]);
    let drawn = qr::in_svg(&std::fs::read_to_string(&svg).unwrap());
    assert_eq!((drawn.as_str(), &made["link"]), (text(&made, "qr"), &Value::Null));
    assert_eq!(token_in(&drawn), text(&made, "token"));
    assert!(text(&made, "expires").parse::<jiff::Timestamp>().is_ok());

    let (mut serving, api) = office.serve(&[]).await;
    let phone = office.enroll(&api, &token_in(&drawn), AndroidDevice::phone(1)).await;
    assert_eq!((&phone["type"], &phone["enrollmenttype"]), (&json!(4), &Value::Null));
    assert!(office.google.enroll(&token_in(&drawn), AndroidDevice::phone(2)).is_err(), "for one device");
    let status = office.android(&["status"]).await;
    assert!(text(&status, "pulled").parse::<jiff::Timestamp>().is_ok(), "{status}");
    serving.signal("TERM").await;
    assert!(serving.ended().await.success());
    let told = office.program.run(&["android", "status", "--tenant", &office.tenant]).await;
    for line in ["project        pretend-project", "pushed to      nobody: they are pulled"] {
        assert!(told.stdout.lines().any(|told| told == line), "{line} in {told:?}");
    }
}

/// As `remuda enrollment add` is typed: the code is on the terminal.
#[tokio::test]
async fn a_terminal_shows_the_code() {
    let (office, _) = Office::signed_up().await;
    for (mode, is_link) in [("work-profile", true), ("company-owned", false), ("dedicated", false)] {
        let shown = on_a_terminal(&office, &["--mode", mode]).await;
        let first = shown.lines().next().unwrap().trim_end().to_owned();
        assert_eq!(qr::on_a_terminal(&shown), first, "{mode}");
        assert_eq!(first.starts_with("https://enterprise.google.com/android/enroll?et="), is_link, "{mode}");
    }
}

/// What a terminal gets to see: `script` (of bsdutils) gives the program one.
async fn on_a_terminal(office: &Office, arguments: &[&str]) -> String {
    let line = format!("{} {}", env!("CARGO_BIN_EXE_remuda"), office.adding(arguments).join(" "));
    let mut script = Command::new("/usr/bin/script");
    script.args(["-qec", &line, "/dev/null"]).current_dir(office.program.folder()).env_clear();
    script.envs(office.program.environment.iter().map(|(name, value)| (name, value)));
    script.stdin(Stdio::null()).kill_on_drop(true);
    let output = within("the program ends", script.output()).await.expect("script");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn zero_touch_and_knox_are_known_by_the_token() {
    let (office, _) = Office::signed_up().await;
    let (_serving, api) = office.serve(&[]).await;
    for (number, via, enrollment_type) in [(1, "zero-touch", 0), (2, "knox", 3)] {
        let wish = ["--mode", "fully-managed", "--via", via, "--ttl", "90d"];
        let made = office.program.json(&office.adding(&wish)).await;
        // The same extras for every device that is handed them.
        for phone in [number, number + 10] {
            let device = office.enroll(&api, &token_in(text(&made, "qr")), AndroidDevice::phone(phone)).await;
            assert_eq!(device["enrollmenttype"], enrollment_type, "{via}");
        }
    }
}

#[tokio::test]
async fn a_personal_device_by_its_link_belongs_to_its_user() {
    let (office, _) = Office::signed_up().await;
    office.program.json(&["user", "add", "ann@example.com", "--tenant", &office.tenant]).await;
    let made = office.program.json(&office.adding(&["--user", "ann@example.com"])).await;
    let (_, value) = text(&made, "link").split_once("?et=").unwrap();
    assert_eq!(value, text(&made, "token"));
    let (_serving, api) = office.serve(&[]).await;
    let device = office.enroll(&api, value, AndroidDevice::personal_phone(1)).await;
    assert_eq!((&device["androidforworktype"], device["usersid"].is_string()), (&json!(2), true), "{device}");
}

#[tokio::test]
async fn a_server_that_google_pushes_to_says_so() {
    let (office, _) = Office::signed_up().await;
    let (_serving, api) = office.serve(&["--google-notifications", "push"]).await;
    let made = office.program.json(&office.adding(&["--mode", "fully-managed"])).await;
    office.enroll(&api, text(&made, "token"), AndroidDevice::phone(1)).await;
    let pushed = office.google.arrivals().iter().filter(|it| it.path.ends_with(":modifyPushConfig")).count();
    assert_eq!(pushed, 2, "when it was set up, and when the server began");
}

#[tokio::test]
async fn an_enterprise_that_there_is_is_taken() {
    let (office, enterprise) = Office::signed_up().await;
    let other = text(&office.program.json(&["tenant", "add", "Other"]).await, "id").to_owned();
    let adopt = ["android", "enterprise", "--name", &enterprise, "--account", "account.json", "--tenant"];
    let said = office.program.run(&[&adopt[..], &[&other]].concat()).await;
    assert_eq!(said.code, Some(1), "another tenant has it: {said:?}");
    office.program.fails(&[&adopt[..], &[&office.tenant]].concat(), 1, "has an enterprise already").await;
}

#[tokio::test]
async fn what_does_not_do_is_told_plainly() {
    let office = Office::new().await;
    let Office { program, tenant, .. } = &office;
    let status = office.android(&["status"]).await;
    assert_eq!(status, json!({"project": null}));
    program.fails(&office.adding(&[]), 1, "not set up for Android devices").await;
    let enterprise = ["android", "enterprise", "--tenant", tenant, "--token", "none"];
    program.fails(&enterprise, 1, "not set up for Android devices").await;
    program.write("none.json", "{}");
    let signup = |account: &'static str| {
        let callback = "https://mdm.example.com/signed-up";
        ["android", "signup", "--tenant", tenant, "--account", account, "--callback", callback]
    };
    program.fails(&signup("none.json"), 1, "service account").await;
    program.fails(&signup("nowhere.json"), 1, "nowhere.json").await;
    program.json(&signup("account.json")).await;
    program.fails(&enterprise, 1, "").await;
    office.google.set_away(true);
    program.fails(&signup("account.json"), 1, "unavailable: ").await;
    office.google.set_away(false);
    let again = text(&program.json(&signup("account.json")).await, "url").to_owned();
    let token = office.google.sign_up(&again).unwrap();
    office.android(&["enterprise", "--token", &token]).await;
    program.fails(&signup("account.json"), 1, "has an enterprise already").await;
    let device = ["--device", "00000000000000000000000000000001"];
    program.fails(&office.adding(&device), 1, "--device is for Apple devices").await;
    program.fails(&office.adding(&["--ttl", "4000d"]), 1, "ttl").await;
    program.fails(&office.adding(&["--user", "nobody@example.com"]), 1, "no such user").await;
}
