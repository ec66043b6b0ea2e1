//! Somebody with a certificate and its key who says whatever a test wants, and has no manners of its own.

use std::sync::Arc;

use apple::{Authenticate, CheckIn, CheckOut, Identifiers, Report, TokenUpdate, content_type};
use pki::{Authority, Hash, PrivateKey};
use reqwest::{Client, Method};
use simulator::apple_device::{Credential, SIGNATURE_HEADER};
use testkit::server::{TOPIC, TestServer};

/// A certificate, its key, and a way to the server.
pub struct Speaker {
    pub credential: Credential,
    pub udid: String,
    base: String,
    client: Client,
    hash: Hash,
    now: Arc<dyn Fn() -> std::time::SystemTime + Send + Sync>,
}

/// What the server answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

impl Reply {
    /// Turned away without a word, and without being unenrolled: exactly this status, no body, no type.
    pub fn refused(status: u16) -> Reply {
        Reply { status, content_type: None, body: Vec::new() }
    }

    /// Taken, with nothing more to say.
    pub fn fine() -> Reply {
        Reply::refused(200)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub async fn of(response: reqwest::Response) -> Reply {
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
        Reply { status, content_type, body: response.bytes().await.unwrap().to_vec() }
    }
}

impl Speaker {
    pub fn new(server: &TestServer, credential: Credential, udid: impl Into<String>) -> Speaker {
        Speaker {
            credential,
            udid: udid.into(),
            base: server.device_url().to_owned(),
            client: Client::builder().no_proxy().build().unwrap(),
            hash: Hash::Sha256,
            now: server.clock().as_closure(),
        }
    }

    /// One with a P-256 identity that `ca` issued; this server need not know that CA.
    pub fn issued_by(server: &TestServer, ca: &Authority, common_name: &str, udid: &str) -> Speaker {
        Speaker::new(server, issue(server, ca, common_name), udid)
    }

    /// Signs with this digest.
    pub fn signing_with(self, hash: Hash) -> Speaker {
        Speaker { hash, ..self }
    }

    pub fn ids(&self) -> Identifiers {
        Identifiers { udid: Some(self.udid.clone()), ..Identifiers::default() }
    }

    pub async fn authenticate(&self) -> Reply {
        let message = Authenticate {
            topic: TOPIC.into(),
            ids: self.ids(),
            product_name: Some("iPhone17,2".into()),
            os_version: Some("18.1".into()),
            ..Authenticate::default()
        };
        self.check_in(&CheckIn::Authenticate(message)).await
    }

    pub async fn token_update(&self) -> Reply {
        let message = TokenUpdate {
            topic: TOPIC.into(),
            ids: self.ids(),
            token: vec![7; 32],
            push_magic: "magic".into(),
            ..TokenUpdate::default()
        };
        self.check_in(&CheckIn::TokenUpdate(message)).await
    }

    pub async fn check_out(&self) -> Reply {
        self.check_in(&CheckIn::CheckOut(CheckOut { topic: TOPIC.into(), ids: self.ids() })).await
    }

    pub async fn idle(&self) -> Reply {
        self.report(&Report::idle(self.ids())).await
    }

    pub async fn check_in(&self, message: &CheckIn) -> Reply {
        self.put("/checkin", Some(content_type::CHECK_IN), message.encode()).await
    }

    pub async fn report(&self, report: &Report) -> Reply {
        self.put("/mdm", Some(content_type::REPORT), report.encode()).await
    }

    /// Any body, signed as it is.
    pub async fn put(&self, path: &str, content_type: Option<&str>, body: Vec<u8>) -> Reply {
        let signature = self.credential.signature(&body, self.hash, (self.now)()).unwrap();
        let mut headers = vec![(SIGNATURE_HEADER, signature)];
        headers.extend(content_type.map(|kind| ("content-type", kind.to_owned())));
        self.send(path, &headers, body).await
    }

    /// Any body with any headers, and nothing added.
    pub async fn send(&self, path: &str, headers: &[(&str, String)], body: Vec<u8>) -> Reply {
        let mut request = self.client.request(Method::PUT, format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        Reply::of(request.send().await.unwrap()).await
    }
}

/// A P-256 identity of `ca`, good for a year.
pub fn issue(server: &TestServer, ca: &Authority, common_name: &str) -> Credential {
    const DAY: std::time::Duration = std::time::Duration::from_hours(24);
    let now = server.clock().as_closure()();
    let key = PrivateKey::generate_p256().unwrap();
    let certificate = ca.issue(&pki::Identity {
        spki: pki::Signer::public_spki(&key),
        common_name,
        organization: "Acme",
        serial: pki::random::bytes().unwrap(),
        not_before: now - DAY,
        not_after: now + 365 * DAY,
    });
    Credential { certificate: certificate.unwrap(), key: Arc::new(key) }
}

/// A CA that this server knows nothing of.
pub fn foreign_ca(server: &TestServer) -> Authority {
    let key = PrivateKey::generate_rsa_2048().unwrap();
    Authority::with_key("Acme device CA", key, server.clock().as_closure()()).unwrap()
}
