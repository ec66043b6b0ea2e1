//! A SCEP client that does one step at a time, and any step wrongly where a test wants it.

use std::time::SystemTime;

use apple::EnrollmentProfile;
use pki::scep::{
    Kind,
    client::{self, ClientOptions, Exchange, Failure},
};
use pki::{Certificate, Csr, Name, PrivateKey};
use reqwest::Method;
use testkit::server::TestServer;

use crate::{enrollment::profile, speaker::Reply};

/// The media type of messages and their answers.
pub const PKI_MESSAGE: &str = "application/x-pki-message";

/// A client that has a profile and a key, and asks for the certificate.
pub struct Client {
    pub ca: Certificate,
    pub key: PrivateKey,
    pub challenge: String,
    pub signer: Certificate,
    pub options: ClientOptions,
    url: String,
    http: reqwest::Client,
}

impl Client {
    /// One that opened a new link of `server`.
    pub async fn of(server: &TestServer) -> Self {
        Self::new(server, profile(&server.link().await).await)
    }

    pub fn new(server: &TestServer, profile: EnrollmentProfile) -> Self {
        let key = PrivateKey::generate_rsa_2048().unwrap();
        let now: SystemTime = server.clock().as_closure()();
        Self {
            ca: Certificate::from_der(server.mdm().device_ca_certificate()).unwrap(),
            signer: client::self_signed(&key, "device", now).unwrap(),
            key,
            challenge: profile.scep.challenge,
            options: ClientOptions::default(),
            url: profile.scep.url,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// The same with another key.
    pub fn with_key(self, key: PrivateKey) -> Self {
        let signer = client::self_signed(&key, "device", self.signer.not_before()).unwrap();
        Self { key, signer, ..self }
    }

    /// The whole of it, by POST.
    pub async fn certificate(&self) -> Result<Certificate, Failure> {
        let csr = self.csr();
        let reply = self.post(self.sealed(&csr)).await;
        self.open(&reply, &csr)
    }

    pub fn csr(&self) -> Csr {
        Csr::build(&Name::new("device"), Some(&self.challenge), &self.key).unwrap()
    }

    /// The request for `csr`, ready to be sent.
    pub fn sealed(&self, csr: &Csr) -> Vec<u8> {
        self.exchange().request(Kind::PkcsReq, csr, &self.key, self.options).unwrap()
    }

    pub fn exchange(&self) -> Exchange<'_> {
        Exchange { ca: &self.ca, signer: &self.signer, transaction_id: "4711", nonce: [4; 16] }
    }

    pub fn open(&self, reply: &Reply, csr: &Csr) -> Result<Certificate, Failure> {
        assert_eq!(
            (reply.status, reply.content_type.as_deref()),
            (200, Some(PKI_MESSAGE)),
            "{}",
            reply.text()
        );
        self.exchange().open_reply(&reply.body, csr, &self.key)
    }

    pub async fn post(&self, message: Vec<u8>) -> Reply {
        self.ask(Method::POST, "operation=PKIOperation", message).await
    }

    /// Any question, its query as it is.
    pub async fn ask(&self, method: Method, query: &str, body: Vec<u8>) -> Reply {
        let request = self.http.request(method, format!("{}?{query}", self.url));
        let request = if body.is_empty() { request } else { request.header("content-type", PKI_MESSAGE) };
        Reply::of(request.body(body).send().await.unwrap()).await
    }
}
