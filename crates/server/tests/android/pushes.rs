//! Notifications that Google posts to the server.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{AndroidMethod, AndroidState, ports::Clock};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use simulator::google::{AndroidDevice, Faults, PretendGoogle, PretendGoogleSettings};
use testkit::patience::within;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Office, Phone};

/// A message that nobody published.
fn message(id: &str, kind: &str, data: Option<&str>) -> Value {
    json!({"messageId": id, "attributes": {"notificationType": kind}, "data": data})
}

impl Office {
    fn address(&self) -> String {
        format!("{}/android/notifications/{}", self.server.device_url(), self.server.tenant())
    }

    async fn state(&self) -> AndroidState {
        self.server.mdm().android_state(&self.server.owner()).await.unwrap().unwrap()
    }

    /// A message as the tenant's subscription posts it.
    pub async fn body(&self, message: &Value) -> String {
        PretendGoogle::push_body(&self.state().await.subscription.unwrap(), message).to_string()
    }

    /// Posts a body with a header as given.
    async fn post_as(&self, authorization: Option<&str>, body: impl Into<reqwest::Body>) -> StatusCode {
        let mut request = Client::new().post(self.address()).body(body);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = within("a push is answered", request.send()).await.unwrap();
        let status = response.status();
        assert_eq!(response.text().await.unwrap(), "");
        status
    }

    /// Posts a body as Google does.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> StatusCode {
        let token = self.google.push_token(&self.address(), |_| ());
        self.post_as(Some(&format!("Bearer {token}")), body).await
    }

    /// Waits until everything that Google told is applied.
    pub async fn applied(&self) {
        let waits = async |_: &testkit::server::TestServer| {
            let state = self.state().await;
            self.google.waiting(&state.subscription.unwrap()) == 0 && state.waiting_notifications == 0
        };
        self.server.until(waits).await;
    }
}

/// Each kind of notification: ENROLLMENT and STATUS_REPORT, COMMAND, USAGE_LOGS.
async fn a_device_lives_by_pushes(office: Office) {
    let phone = office.phone().await;
    let state = office.state().await;
    assert_eq!(state.pushed_to, Some(office.address()));
    assert!(state.pulled_at.is_some());
    lose(&office, &phone).await;
    office.ask(&phone, "requestlocation", json!({})).await;
    office.done(&phone, "requestlocation").await;
    assert_eq!(office.info(&phone).await["location"]["latitude"], 52.520_008);
    office.applied().await;
    assert_eq!(office.arrivals(":pull", 200) + office.arrivals(":pull", 400), 0, "nothing is pulled");
}

async fn lose(office: &Office, phone: &Phone) {
    office.ask(phone, "enablelostmode", json!({"message": "Lost"})).await;
    office.issued(phone, 1).await;
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["lostmodeenabled"] == true).await;
}

#[tokio::test]
async fn a_device_lives_by_pushes_on_sqlite() {
    a_device_lives_by_pushes(Office::pushed_to(false).await).await;
}

#[tokio::test]
async fn a_device_lives_by_pushes_on_postgres() {
    a_device_lives_by_pushes(Office::pushed_to(true).await).await;
}

#[tokio::test]
async fn pushes_that_come_twice_in_reverse_and_late_change_nothing() {
    let office = Office::pushed_to(true).await;
    office.google.set_faults(Faults { duplicate_every: Some(1), reorder: true, ..Faults::default() });
    let phone = office.phone().await;
    office.google.set_faults(Faults { delay: true, ..Faults::default() });
    office.google.change(&phone.name, |device| device.battery_level = 20);
    office.google.sync(&phone.name);
    office.google.set_faults(Faults { duplicate_every: Some(1), reorder: true, ..Faults::default() });
    office.server.clock().advance(Duration::from_secs(5));
    office.google.change(&phone.name, |device| device.battery_level = 50);
    office.google.sync(&phone.name);
    office.until(&phone.client_id, |info| info["batterylevel"] == 50).await;
    office.google.release_delayed();
    office.applied().await;
    assert_eq!(office.info(&phone).await["batterylevel"], 50);
    assert_eq!(office.list().await.len(), 1);
    assert_eq!(office.server.count_events("device.enrolled").await, 1);
}

#[tokio::test]
async fn what_no_push_told_is_found_by_comparing() {
    let office = Office::pushed_to(false).await;
    office.google.set_faults(Faults { lose_every: Some(1), ..Faults::default() });
    let token = office.token(AndroidMethod::FullyManaged, None).await;
    let name = office.google.enroll(&token, AndroidDevice::phone(1)).unwrap();
    office.server.clock().advance(Duration::from_hours(7));
    office
        .server
        .until(async |server| {
            server.clock().advance(Duration::from_mins(1));
            office.find(&name).await.is_some()
        })
        .await;
}

#[tokio::test]
async fn what_came_while_the_server_was_down_is_pushed_again() {
    let mut office = Office::pushed_to(false).await;
    let phone = office.phone().await;
    office.applied().await;
    let Office { server, google } = &mut office;
    server
        .restart_as(|_| {
            google.change(&phone.name, |device| device.battery_level = 33);
            google.sync(&phone.name);
        })
        .await;
    office.until(&phone.client_id, |info| info["batterylevel"] == 33).await;
    office.applied().await;
}

/// Google does not send again what was answered 204.
#[tokio::test]
async fn what_was_taken_survives_a_stop() {
    let mut office = Office::pushed_to(true).await;
    let phone = office.phone().await;
    office.applied().await;
    let report = |level: u8, at: String| {
        let event = json!({"eventType": "BATTERY_LEVEL_COLLECTED", "createTime": at, "batteryLevel": level});
        json!({"name": phone.name, "lastStatusReportTime": at, "powerManagementEvents": [event]}).to_string()
    };
    let at = office.server.clock().now().plus(Duration::from_mins(1)).rfc3339();
    let data = STANDARD.encode(report(17, at));
    assert_eq!(office.post(office.body(&message("own", "STATUS_REPORT", Some(&data))).await).await, 204);
    office.server.restart().await;
    office.until(&phone.client_id, |info| info["batterylevel"] == 17).await;
}

#[tokio::test]
async fn only_google_for_this_tenant_is_heard() {
    let office = Office::pushed_to(false).await;
    let clock = office.server.clock().as_closure();
    let forger = PretendGoogle::start(PretendGoogleSettings::new(clock)).await.unwrap();
    let body = office.body(&message("1", "TEST", None)).await;
    let address = office.address();
    office.server.clock().stop();
    let now = office.server.clock().now().0 / 1000;
    let genuine = office.google.push_token(&address, |_| ());
    let (signed, _) = genuine.rsplit_once('.').unwrap();
    let another =
        address.replace(&office.server.tenant().to_string(), "00000000-0000-0000-0000-000000000000");
    let bad = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some(format!("Basic {genuine}")),
        Some(format!("Bearer {signed}.")),
        Some(format!("Bearer {}", "a".repeat(9000))),
        Some(format!("Bearer {}", forger.push_token(&address, |_| ()))),
        Some(format!("Bearer {}", office.google.push_token("https://other.example", |_| ()))),
        Some(format!("Bearer {}", office.google.push_token(&another, |_| ()))),
        Some(format!("Bearer {}", office.google.push_token(&address, |it| it["exp"] = (now - 61).into()))),
        Some(format!("Bearer {}", office.google.push_token(&address, |it| it["iat"] = (now + 120).into()))),
        Some(format!(
            "Bearer {}",
            office.google.push_token(&address, |it| it["email"] = "other@example.org".into())
        )),
        Some(format!(
            "Bearer {}",
            office.google.push_token(&address, |it| it["email_verified"] = false.into())
        )),
    ];
    for authorization in bad {
        let status = office.post_as(authorization.as_deref(), body.clone()).await;
        assert_eq!(status, 403, "{authorization:?}");
    }
    assert_eq!(office.state().await.waiting_notifications, 0);
    assert_eq!(office.state().await.pulled_at, None, "nothing was taken");
    let skewed = office.google.push_token(&address, |it| it["exp"] = (now - 59).into());
    assert_eq!(office.post_as(Some(&format!("Bearer {skewed}")), body).await, 204, "clocks may differ");
}

/// A stranger's body is not even waited for.
#[tokio::test]
async fn a_stranger_is_refused_before_the_body() {
    let office = Office::pushed_to(false).await;
    let host = office.server.device_url().strip_prefix("http://").unwrap().to_owned();
    let mut socket = TcpStream::connect(&host).await.unwrap();
    let path = office.address().replace(office.server.device_url(), "");
    let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 9000000\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    within("the stranger is refused", socket.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403");
}

#[tokio::test]
async fn bodies_that_google_would_not_send_are_refused_and_harm_nothing() {
    let office = Office::pushed_to(false).await;
    for body in ["", "{}", "null", "[]", "{\"message\":{}}", "{\"message\":{\"messageId\":\"\"}}", "\u{0}"] {
        assert_eq!(office.post(body).await, 400, "{body:?}");
    }
    assert_eq!(office.post("[".repeat(1_000_000)).await, 400);
    let long_id = office.body(&message(&"1".repeat(201), "TEST", None)).await;
    assert_eq!(office.post(long_id).await, 400);
    let elsewhere = PretendGoogle::push_body("projects/p/subscriptions/other", &message("2", "TEST", None));
    assert_eq!(office.post(elsewhere.to_string()).await, 403);
    assert_eq!(office.post(vec![b' '; (16 << 20) + 1]).await, 413);
    assert_eq!(office.state().await.waiting_notifications, 0);
    // What is in a message is judged when it is applied: Google need not send it again.
    for (id, kind, data) in [
        ("3", "STATUS_REPORT", Some("***")),
        ("4", "COMMAND", Some("e30=")),
        ("5", "USAGE_LOGS", None),
        ("6", "BRAND_NEW", Some("e30=")),
        ("7", "STATUS_REPORT", Some("eyJuYW1lIjoiZW50ZXJwcmlzZXMvT1RIRVIvZGV2aWNlcy8xIn0=")),
    ] {
        assert_eq!(office.post(office.body(&message(id, kind, data)).await).await, 204, "{kind}");
    }
    let no_attributes = json!({"messageId": "8", "data": "e30="});
    assert_eq!(office.post(office.body(&no_attributes).await).await, 204);
    office.applied().await;
    assert!(office.list().await.is_empty());
    let phone = office.phone().await;
    assert_eq!(office.info(&phone).await["batterylevel"], 81, "and it goes on");
}

/// The most that Pub/Sub carries: 10 MB, in base64.
#[tokio::test]
async fn the_longest_message_is_taken() {
    let office = Office::pushed_to(false).await;
    let data = "A".repeat(10_000_000_usize.div_ceil(3) * 4);
    let body = office.body(&message("long", "STATUS_REPORT", Some(&data))).await;
    assert_eq!(office.post(body).await, 204);
    office.applied().await;
}

#[tokio::test]
async fn without_googles_keys_pushes_wait() {
    let office = Office::pushed_to(false).await;
    let body = office.body(&message("1", "TEST", None)).await;
    office.google.set_away(true);
    assert_eq!(office.post(body.clone()).await, 503);
    office.google.set_away(false);
    office.server.clock().advance(Duration::from_mins(1));
    assert_eq!(office.post(body).await, 204);
}

#[tokio::test]
async fn a_server_that_pulls_has_no_such_path() {
    let office = Office::open().await;
    assert_eq!(office.post(office.body(&message("1", "TEST", None)).await).await, 404);
    assert_eq!(office.state().await.pushed_to, None);
}

#[tokio::test]
async fn a_server_may_be_set_from_one_way_to_the_other() {
    let mut office = Office::open().await;
    let phone = office.phone().await;
    let battery = async |office: &Office, level: u8| {
        office.server.clock().advance(Duration::from_mins(1));
        office.google.change(&phone.name, |device| device.battery_level = level);
        office.google.sync(&phone.name);
        office.until(&phone.client_id, |info| info["batterylevel"] == level).await;
    };
    office.server.restart_as(|config| config.google_push = true).await;
    battery(&office, 40).await;
    office.applied().await;
    assert_eq!(office.arrivals(":modifyPushConfig", 200), 2, "when it was set up, and now");
    office.server.restart_as(|config| config.google_push = false).await;
    battery(&office, 30).await;
    office.applied().await;
}
