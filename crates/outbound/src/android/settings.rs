//! Where Google is.

use std::time::Duration;

use reqwest::Url;
use rustls_pki_types::CertificateDer;

/// How to reach Google; [`GoogleSettings::default`] has Google's own addresses.
#[derive(Clone, Debug)]
pub struct GoogleSettings {
    /// The Android Management API, without the version.
    pub management_url: String,
    /// Pub/Sub, without the version.
    pub pubsub_url: String,
    /// Where access tokens are given out; `None` is what the service account's file says.
    pub token_url: Option<String>,
    /// The keys by which pushed notifications are signed, as a JWK set.
    pub certificates_url: String,
    /// Trusted besides the roots of Mozilla's programme, which are compiled in.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// For the name, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For one call, to the end of its answer. Longer than Google lets a pull wait, which is a minute and a half.
    pub request_timeout: Duration,
    /// For one call of the Android Management API, with whatever access token it needs first: whoever has claimed the work has to
    /// know how long it can take.
    pub call_timeout: Duration,
}

impl GoogleSettings {
    /// Whether every address can be called, and every extra root trusted.
    pub(crate) fn check(&self) -> Result<(), BadSettings> {
        Endpoints::read(self, "https://oauth2.googleapis.com/token")?;
        address("certificates_url", &self.certificates_url)?;
        super::transport::Transport::new(self).map(drop)
    }
}

impl Default for GoogleSettings {
    /// Google's own addresses, 10 s to connect, 120 s for an answer, 80 s for a call of the Android Management API.
    fn default() -> Self {
        Self {
            management_url: "https://androidmanagement.googleapis.com".to_owned(),
            pubsub_url: "https://pubsub.googleapis.com".to_owned(),
            token_url: None,
            certificates_url: "https://www.googleapis.com/oauth2/v3/certs".to_owned(),
            extra_roots: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(120),
            call_timeout: Duration::from_secs(80),
        }
    }
}

/// What is wrong with [`GoogleSettings`].
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// Not `https`, or `http` to another machine: tokens would travel in the open.
    #[error("{name} must be an https address (http only to this very machine), not {url:?}")]
    Url {
        /// Which of them.
        name: &'static str,
        /// What it was.
        url: String,
    },
    /// An extra root is not a certificate that can be a trust anchor.
    #[error("an extra root for Google cannot be used: {0}")]
    Root(rustls::Error),
    /// No client could be made of the rest.
    #[error("the client for Google cannot be made: {0}")]
    Client(String),
}

/// The addresses, read.
pub(super) struct Endpoints {
    pub(super) management: Url,
    pub(super) pubsub: Url,
    pub(super) token: Url,
}

impl Endpoints {
    pub(super) fn read(settings: &GoogleSettings, token_uri: &str) -> Result<Self, BadSettings> {
        let token = settings.token_url.as_deref().unwrap_or(token_uri);
        Ok(Self {
            management: address("management_url", &settings.management_url)?,
            pubsub: address("pubsub_url", &settings.pubsub_url)?,
            token: address("token_url", token)?,
        })
    }
}

/// Reads an address that may be called with secrets.
pub(super) fn address(name: &'static str, url: &str) -> Result<Url, BadSettings> {
    let bad = || BadSettings::Url { name, url: url.to_owned() };
    let parsed = Url::parse(url).map_err(|_| bad())?;
    let safe = match parsed.scheme() {
        "https" => parsed.has_host(),
        "http" => matches!(parsed.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")),
        _ => false,
    };
    let plain = parsed.username().is_empty() && parsed.password().is_none() && parsed.query().is_none();
    if safe && plain { Ok(parsed) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_and_a_pretend_one_on_this_machine_are_good_addresses() {
        for url in
            ["https://pubsub.googleapis.com", "http://127.0.0.1:8080", "http://[::1]:1/", "http://localhost"]
        {
            assert!(address("it", url).is_ok(), "{url}");
        }
        assert!(Endpoints::read(&GoogleSettings::default(), "https://oauth2.googleapis.com/token").is_ok());
    }

    #[test]
    fn an_address_that_would_carry_secrets_in_the_open_is_refused() {
        for url in
            ["http://example.org", "ftp://127.0.0.1", "example.org", "https://a@b", "https://a?b", "file:///"]
        {
            assert!(address("it", url).is_err(), "{url}");
        }
    }
}
