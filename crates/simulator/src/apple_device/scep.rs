//! SCEP as a device speaks it (RFC 8894): how it gets its identity certificate.

mod message;

use std::sync::Arc;
use std::time::Duration;

use apple::enrollment::ScepPayload;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::cms::envelope::Cipher;
use pki::scep::client::ClientOptions;
use pki::{Certificate, Csr, Hash, Name, PrivateKey};
use tokio::time::{Instant, sleep};

use message::Message;

use super::failure::{Breach, EnrollError, Failure, Step};
use super::identity::Credential;
use super::options::ScepOptions;
use super::transport::Clock;
use super::wire::{Answer, Request, Wire, escaped};

const CA_CERTIFICATE: &str = "application/x-x509-ca-cert";
const PKI_MESSAGE: &str = "application/x-pki-message";
/// Between two tries of a device that has [patience](ScepOptions::patience).
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// One SCEP server, as the profile describes it.
pub(super) struct Scep<'a> {
    pub(super) wire: &'a Wire,
    pub(super) payload: &'a ScepPayload,
    pub(super) options: ScepOptions,
    pub(super) clock: &'a Clock,
}

/// Who asks: a newcomer, or the owner of a certificate that is to be renewed.
pub(super) enum Asker<'a> {
    /// `PKCSReq`, signed with a certificate of its own making in this name.
    Newcomer(&'a str),
    /// `RenewalReq`.
    Owner(&'a Credential),
}

impl Scep<'_> {
    /// Gets a certificate for `key`.
    pub(super) async fn certificate(
        &self,
        key: Arc<PrivateKey>,
        asker: Asker<'_>,
    ) -> Result<Credential, EnrollError> {
        let ca = self.ca_certificate().await.map_err(Step::CaCertificate.failed())?;
        let capabilities = self.capabilities().await.map_err(Step::CaCapabilities.failed())?;
        let certificate = self.request(&ca, &capabilities, &key, asker).await;
        let certificate = certificate.map_err(Step::Certificate.failed())?;
        self.check(&certificate).map_err(Step::Certificate.failed())?;
        Ok(Credential { certificate, key })
    }

    /// `GetCACert`: exactly one certificate, the one whose fingerprint the profile tells.
    async fn ca_certificate(&self) -> Result<Certificate, Failure> {
        let url = self.url("GetCACert", self.payload.name.as_bytes());
        let answer = self.ask(&Request::get(url)).await?;
        if answer.content_type.as_deref() != Some(CA_CERTIFICATE) {
            let got = answer.content_type.unwrap_or_default();
            return Breach::err(format!("the content type is {got:?} and not exactly {CA_CERTIFICATE}"));
        }
        let ca = Certificate::from_der(&answer.body)
            .map_err(|error| Breach(format!("the answer is not one certificate: {error}")))?;
        if digest(&SHA1_FOR_LEGACY_USE_ONLY, ca.der()).as_ref() != self.payload.ca_fingerprint {
            return Breach::err("the CA's certificate has not the fingerprint that the profile tells");
        }
        if !ca.is_ca() {
            return Breach::err("the CA's certificate is not that of a CA");
        }
        Ok(ca)
    }

    /// `GetCACaps`, one to a line; without SHA-256 the device could not sign.
    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        let url = self.url("GetCACaps", self.payload.name.as_bytes());
        let answer = self.ask(&Request::get(url)).await?;
        let capabilities = Capabilities::read(&String::from_utf8_lossy(&answer.body));
        if self.options.digest.is_none() && !capabilities.sha256 {
            return Breach::err("the CA does not offer SHA-256");
        }
        Ok(capabilities)
    }

    async fn request(
        &self,
        ca: &Certificate,
        capabilities: &Capabilities,
        key: &PrivateKey,
        asker: Asker<'_>,
    ) -> Result<Certificate, Failure> {
        if matches!(asker, Asker::Owner(_)) && !capabilities.renewal {
            return Breach::err("the CA does not offer Renewal");
        }
        let algorithms = self.algorithms(capabilities);
        let csr = Csr::build(&self.subject(), Some(&self.payload.challenge), key).map_err(impossible)?;
        let by_post = capabilities.post && !self.options.by_get;
        if self.options.lose_answer {
            let message = Message::new(ca, &csr, key, &asker, self.clock)?;
            self.send(&message.sealed(&csr, key, algorithms)?, by_post).await?;
        }
        let message = Message::new(ca, &csr, key, &asker, self.clock)?;
        let answer = self.send(&message.sealed(&csr, key, algorithms)?, by_post).await?;
        message.open(&answer, &csr, key)
    }

    fn algorithms(&self, capabilities: &Capabilities) -> ClientOptions {
        let offered = if capabilities.aes { Cipher::Aes128 } else { Cipher::TripleDes };
        ClientOptions {
            cipher: self.options.cipher.unwrap_or(offered),
            digest: self.options.digest.unwrap_or(Hash::Sha256),
        }
    }

    /// `PKIOperation`.
    async fn send(&self, message: &[u8], by_post: bool) -> Result<Vec<u8>, Failure> {
        let request = if by_post {
            Request::post(self.url("PKIOperation", b""), PKI_MESSAGE, message.to_vec())
        } else {
            Request::get(self.url("PKIOperation", STANDARD.encode(message).as_bytes()))
        };
        let answer = self.ask(&request).await?;
        if answer.media_type() != PKI_MESSAGE {
            let got = answer.content_type.unwrap_or_default();
            return Breach::err(format!("the content type is {got:?} and not {PKI_MESSAGE}"));
        }
        Ok(answer.body)
    }

    async fn ask(&self, request: &Request) -> Result<Answer, Failure> {
        let began = Instant::now();
        loop {
            match self.ask_once(request).await {
                Err(Failure::Unreachable(_) | Failure::Unavailable { .. })
                    if began.elapsed() < self.options.patience =>
                {
                    sleep(RETRY_PAUSE).await;
                }
                asked => return asked,
            }
        }
    }

    async fn ask_once(&self, request: &Request) -> Result<Answer, Failure> {
        let answer = self.wire.exchange(request).await?;
        match answer.failure() {
            Some(failure) => Err(failure),
            None if answer.status == 200 => Ok(answer),
            None => Breach::err(format!("the answer has status {}", answer.status)),
        }
    }

    /// What a device would not install as its identity.
    fn check(&self, certificate: &Certificate) -> Result<(), Failure> {
        let now = (self.clock)();
        if certificate.is_ca() {
            return Breach::err("the certificate makes the device a CA");
        }
        if !certificate.allows_client_auth() {
            return Breach::err("the certificate may not prove a client's identity");
        }
        if certificate.subject().to_string().is_empty() {
            return Breach::err("the certificate has no subject");
        }
        if certificate.not_before() > now || certificate.not_after() < now {
            return Breach::err("the certificate is not valid by the device's clock");
        }
        Ok(())
    }

    fn url(&self, operation: &str, message: &[u8]) -> String {
        let mark = if self.payload.url.contains('?') { '&' } else { '?' };
        let message =
            if message.is_empty() { String::new() } else { format!("&message={}", escaped(message)) };
        format!("{}{mark}operation={operation}{message}", self.payload.url)
    }

    /// The name that the profile tells the device to ask for; parts other than these four are left out.
    fn subject(&self) -> Name {
        let parts = &self.payload.subject;
        let common_name = parts.iter().find(|(attribute, _)| attribute == "CN");
        let name = common_name.map_or_else(Name::default, |(_, value)| Name::new(value));
        parts.iter().fold(name, |name, (attribute, value)| match attribute.as_str() {
            "O" => name.with_organization(value),
            "OU" => name.with_organizational_unit(value),
            "C" => name.with_country(value),
            _ => name,
        })
    }
}

/// What a CA can do beyond the oldest SCEP (RFC 8894, 3.5.2); `SCEPStandard` stands for AES, SHA-256 and
/// POST.
struct Capabilities {
    aes: bool,
    sha256: bool,
    post: bool,
    renewal: bool,
}

impl Capabilities {
    fn read(text: &str) -> Capabilities {
        let offers = |name: &str| text.lines().any(|line| line.trim().eq_ignore_ascii_case(name));
        let standard = offers("SCEPStandard");
        Capabilities {
            aes: standard || offers("AES"),
            sha256: standard || offers("SHA-256"),
            post: standard || offers("POSTPKIOperation"),
            renewal: offers("Renewal"),
        }
    }
}

fn impossible(error: impl std::fmt::Display) -> Failure {
    Failure::Impossible(error.to_string())
}
