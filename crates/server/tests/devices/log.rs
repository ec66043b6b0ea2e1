//! What is logged of all this: that something was refused and why, and no secret.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use apple::CheckIn;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use simulator::apple_device::{DeviceModel, RenewalManners};
use testkit::server::TestServer;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{
    claims::{claimant, quarantined},
    enrollment::profile,
    scep::client::Client,
    speaker::{Speaker, foreign_ca},
};

/// Far more than an operator sees, of our own crates; of others what an operator sees.
const FILTER: &str =
    "info,apple=trace,domain=trace,outbound=trace,pki=trace,server=trace,store=trace,web=trace";

#[tokio::test]
async fn no_secret_is_logged() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::new(FILTER)).with_writer(log.clone());
    subscriber.try_init().expect("this process logs for this test alone");
    let server = TestServer::start().await;
    let mut secrets = Vec::new();

    live_a_life(&server, &mut secrets).await;
    be_refused(&server, &mut secrets).await;
    use_the_device_api(&server, &mut secrets).await;

    let text = log.text();
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret} is in the log");
    }
    for said in [
        "a device authenticates",
        "a device is refused",
        "a request is refused",
        "is in quarantine",
        "no certificate is issued",
        "a SCEP message is refused",
        "a link does not enroll",
        "a login with a wrong name or password",
        // A check-in of a newer system is refused, and the log says which it was.
        "the message type FromTheFuture is not known here",
    ] {
        assert!(text.contains(said), "nothing is said of: {said}\n{text}");
    }
}

/// Everything that goes well: an enrollment, a lock with a PIN, a renewal, a purge.
async fn live_a_life(server: &TestServer, secrets: &mut Vec<String>) {
    let link = server.link().await;
    let profile = profile(&link).await;
    secrets.extend([token_of(&link), profile.scep.challenge]);
    let options = server.options(link, DeviceModel::mac(server.seed()));
    let options = simulator::apple_device::EnrollOptions { renewal: RenewalManners::CheckIn, ..options };
    let mut mac = server.enroll(options).await;
    let mut iphone = server.enrolled_iphone().await;
    for address in [mac.push_address(), iphone.push_address()] {
        secrets.push(address.magic.clone());
        secrets.extend(written(&address.token));
        secrets.extend(address.unlock_token.iter().flat_map(|token| written(token)));
    }
    server.lock(&mac).await;
    secrets.push(format!("\"{}\"", server.mdm().reveal_pin(&server.owner(), mac.id()).await.unwrap().pin));
    mac.connect().await.unwrap();
    server.clock().advance(Duration::from_hours(306 * 24));
    server.mdm().queue_renewals().await.unwrap();
    mac.connect().await.unwrap();
    iphone.rotate_push_address().await.unwrap();
    secrets.push(iphone.push_address().magic.clone());
    server.settled().await;
    server.pushed().await;
}

/// Everything that does not.
async fn be_refused(server: &TestServer, secrets: &mut Vec<String>) {
    let iphone = server.enrolled_iphone().await;
    let mut claimant = claimant(server, &iphone, server.link().await).await;
    claimant.token_update().await.unwrap();
    let waiting = quarantined(server).await.unwrap();
    server.mdm().reject_device(&server.owner(), waiting.id).await.unwrap();

    let mut client = Client::of(server).await;
    client.challenge = "A-forged-challenge-that-is-long-enough".into();
    secrets.push(client.challenge.clone());
    assert!(client.certificate().await.is_err());
    client.post(b"nonsense".to_vec()).await;
    let unknown = format!("{}/enroll/an-unknown-token-of-a-link", server.device_url());
    secrets.push(token_of(&unknown));
    crate::enrollment::fetch(&unknown).await;

    let stranger = Speaker::issued_by(server, &foreign_ca(server), "x", &iphone.model().udid);
    stranger.idle().await;
    let thief = Speaker::new(server, claimant.credential().clone(), iphone.model().udid.clone());
    let mut loud = iphone.token_update_message();
    loud.push_magic = "a-magic-in-a-refused-message".into();
    secrets.push(loud.push_magic.clone());
    thief.check_in(&CheckIn::TokenUpdate(loud)).await;
    let ids = iphone.model().identifiers();
    let unknown = CheckIn::Unsupported { message_type: "FromTheFuture".into(), ids };
    let iphones = Speaker::new(server, iphone.credential().clone(), iphone.model().udid.clone());
    assert_eq!(iphones.check_in(&unknown).await, crate::speaker::Reply::refused(400));
    thief.put("/mdm", None, b"<plist><string>a-secret-in-a-broken-body</string>".to_vec()).await;
    secrets.push("a-secret-in-a-broken-body".into());
    stranger.send("/mdm", &[("Mdm-Signature", "bm9uc2Vuc2U=".into())], vec![]).await;
}

/// Logins, a profile that a browser fetches, and the same with what is wrong: a token in a query is a secret, too.
async fn use_the_device_api(server: &TestServer, secrets: &mut Vec<String>) {
    let (_, password) = server.mdm().add_user(&server.owner(), "ada@example.com").await.unwrap();
    let api = server.api();
    let call = async |call: &str, body: Value| {
        let request = api.request(Method::POST, &format!("/api/mdm/v2/{call}"));
        api.send(request.json(&body)).await
    };
    let login = |password: &str| json!({ "type": "basic", "usertype": "user", "username": "ada@example.com", "password": password });
    let wrong = "a-guess-at-a-password";
    assert_eq!(call("user/login", login(wrong)).await.status, 401);
    let answer = call("user/login", login(&password)).await;
    let token = answer.body["token"].as_str().unwrap().to_owned();
    let new = "an-entirely-new-password";
    let change =
        json!({ "token": token, "oldpassword": password, "newpassword": new, "confirmnewpassword": new });
    assert_eq!(call("user/changepassword", change).await.status, 200);
    for (token, status) in [(token.as_str(), 200), ("a-token-that-nobody-issued", 401)] {
        let json = format!("{{%22token%22:%22{token}%22,%22mdmtype%22:%22apple%22,%22html%22:true}}");
        let path = format!("/api/mdm/v2/user/mdmprofile?json={json}");
        let page = api.send(api.request(Method::GET, &path)).await;
        assert_eq!(page.status, status, "{}", page.text);
        let link = page.text.split_once("/enroll/").and_then(|(_, rest)| rest.split_once('"'));
        secrets.extend(link.map(|(token, _)| token.to_owned()));
        secrets.push(token.to_owned());
    }
    secrets.extend([password, wrong.to_owned(), new.to_owned()]);
}

fn token_of(link: &str) -> String {
    link.rsplit_once('/').unwrap().1.to_owned()
}

/// As logs write bytes: in hex, in base64, and as a list of numbers.
fn written(bytes: &[u8]) -> [String; 3] {
    let beginning = &bytes[..16];
    let hex: String = beginning.iter().map(|byte| format!("{byte:02x}")).collect();
    let debug = format!("{beginning:?}");
    [hex, STANDARD.encode(&beginning[..15]), debug.trim_matches(['[', ']']).to_owned()]
}

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}
