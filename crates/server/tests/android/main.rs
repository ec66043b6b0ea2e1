//! Android devices from end to end: a server, a pretend Google as strict as the real one, and pretend devices behind it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to end")]

use std::time::Duration;

use domain::{AndroidMethod, NewAndroidEnrollment};
use serde_json::{Value, json};
use server::config::Settings;
use simulator::google::{AndroidDevice, PretendGoogle, PretendGoogleSettings};
use testkit::{
    clock::HandClock,
    server::{Answer, Options, TestServer},
};

mod actions;
mod adoption;
mod calls;
mod enrollment;
mod faults;
mod lost_mode;
mod notifications;
mod purge;
mod pushes;
mod quota;
mod wipe;

/// A server whose tenant has an enterprise at a pretend Google.
pub struct Office {
    /// The server.
    pub server: TestServer,
    /// Google.
    pub google: PretendGoogle,
}

/// A device that has enrolled: what it is called here, and at Google.
pub struct Phone {
    /// `clientid`.
    pub client_id: String,
    /// `enterprises/…/devices/…`.
    pub name: String,
}

impl Office {
    /// On SQLite.
    pub async fn open() -> Self {
        Self::with(Options::default()).await
    }

    /// On PostgreSQL.
    pub async fn on_postgres() -> Self {
        Self::with(Options { postgres: true, ..Options::default() }).await
    }

    /// A server to which Google posts notifications.
    pub async fn pushed_to(postgres: bool) -> Self {
        let settings = Settings { google_notifications: Some("push".into()), ..Settings::default() };
        Self::with(Options { postgres, settings, ..Options::default() }).await
    }

    async fn with(options: Options) -> Self {
        let clock = HandClock::default();
        let google = PretendGoogle::start(PretendGoogleSettings::new(clock.as_closure())).await.unwrap();
        let settings = Settings {
            google_url: Some(google.url()),
            google_pubsub_url: Some(google.url()),
            google_oauth_url: Some(format!("{}/token", google.url())),
            google_certificates_url: Some(google.certificates_url()),
            ..options.settings
        };
        let server = TestServer::with(Options { settings, clock, ..options }).await;
        let (mdm, owner) = (server.mdm(), server.owner());
        let account = google.service_account().as_bytes().to_vec();
        let url = mdm.sign_up_for_android(&owner, &account, "https://mdm.example/back", None).await.unwrap();
        let token = google.sign_up(&url).unwrap();
        mdm.create_android_enterprise(&owner, &token).await.unwrap();
        Self { server, google }
    }

    /// Another server, with a tenant of its own, that knows the same Google and the same time.
    pub async fn beside(&self) -> TestServer {
        let settings = Settings {
            google_url: Some(self.google.url()),
            google_pubsub_url: Some(self.google.url()),
            google_oauth_url: Some(format!("{}/token", self.google.url())),
            google_certificates_url: Some(self.google.certificates_url()),
            ..Settings::default()
        };
        let clock = self.server.clock().clone();
        TestServer::with(Options { settings, clock, ..Options::default() }).await
    }

    /// A user; their password.
    pub async fn user(&self, email: &str) -> String {
        let (_, password) = self.server.mdm().add_user(&self.server.owner(), email).await.unwrap();
        password
    }

    /// A user's access token.
    pub async fn login(&self, email: &str, password: &str) -> Value {
        let api = self.server.api();
        let login = json!({"type": "basic", "usertype": "user", "username": email, "password": password});
        let request = api.request(reqwest::Method::POST, "/api/mdm/v2/user/login").json(&login);
        api.send(request).await.body["token"].clone()
    }

    /// Waits until no comparison with Google's list is under way.
    pub async fn compared(&self) {
        let over = async |server: &TestServer| {
            let mut records = server.records().await;
            let due = records.android_enterprise().await.unwrap().unwrap().compare_at;
            records.comparison().await.unwrap().is_none()
                && due.0 > domain::ports::Clock::now(server.clock()).0 + 3_600_000
        };
        self.server.until(over).await;
    }

    /// Lets a comparison be due now.
    pub async fn compare_now(&self) {
        let store = &self.server.database().await.store;
        let mut tx = store.begin(self.server.tenant()).await.unwrap();
        tx.set_comparison(None, domain::ports::Clock::now(self.server.clock())).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A token's secret value.
    pub async fn token(&self, method: AndroidMethod, user: Option<&str>) -> String {
        let new = NewAndroidEnrollment {
            method,
            channel: None,
            user: user.map(str::to_owned),
            many: false,
            lifetime: Duration::from_hours(1),
        };
        self.server.mdm().add_android_enrollment(&self.server.owner(), &new).await.unwrap().token
    }

    /// A device that has enrolled and is listed with what it reported.
    pub async fn enrolled(&self, method: AndroidMethod, device: AndroidDevice) -> Phone {
        let name = self.google.enroll(&self.token(method, None).await, device).unwrap();
        self.google.sync(&name).unwrap();
        let client_id = self.client_id(&name).await;
        self.until(&client_id, |info| info["osname"] != "Android").await;
        Phone { client_id, name }
    }

    /// A fully managed phone.
    pub async fn phone(&self) -> Phone {
        self.enrolled(AndroidMethod::FullyManaged, AndroidDevice::phone(1)).await
    }

    /// What the device of that resource is called here, once it is known.
    pub async fn client_id(&self, name: &str) -> String {
        self.server.until(async |_| self.find(name).await.is_some()).await;
        self.find(name).await.unwrap()
    }

    /// The same, if it is known.
    pub async fn find(&self, name: &str) -> Option<String> {
        let list = self.list().await;
        let found = list.iter().find(|device| device["mdmid"] == name)?;
        Some(found["clientid"].as_str().unwrap().to_owned())
    }

    /// Every device, as the Device API lists it.
    pub async fn list(&self) -> Vec<Value> {
        let answer = self.server.api().device("list", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["data"].as_array().unwrap().clone()
    }

    /// An action with more parameters than the device's name.
    pub async fn act(&self, phone: &Phone, call: &str, mut more: Value) -> Answer {
        more["clientid"] = json!(phone.client_id);
        self.server.api().device(call, more).await
    }

    /// The same, accepted.
    pub async fn ask(&self, phone: &Phone, call: &str, more: Value) {
        let answer = self.act(phone, call, more).await;
        assert_eq!((answer.status, &answer.body["success"]), (200, &json!(true)), "{}", answer.text);
    }

    /// As the Device API shows it.
    pub async fn info(&self, phone: &Phone) -> Value {
        self.server.api().info(&phone.client_id).await
    }

    /// Waits until the device is shown so.
    pub async fn until(&self, client_id: &str, is_so: impl Fn(&Value) -> bool) {
        self.server.until(async |server| is_so(&server.api().info(client_id).await)).await;
    }

    /// Waits until Google has taken so many commands for the device.
    pub async fn issued(&self, phone: &Phone, count: usize) {
        let path = format!("{}:issueCommand", phone.name);
        self.server.until(async |_| self.arrivals(&path, 200) >= count).await;
    }

    /// How often a path with that ending was called, and answered so.
    pub fn arrivals(&self, ending: &str, status: u16) -> usize {
        self.google.arrivals().iter().filter(|it| it.path.ends_with(ending) && it.status == status).count()
    }

    /// The device does what it was told, and that is known here.
    pub async fn done(&self, phone: &Phone, action: &str) {
        self.google.sync(&phone.name);
        self.until(&phone.client_id, |info| info["actions"][action]["status"] == 0).await;
    }
}
