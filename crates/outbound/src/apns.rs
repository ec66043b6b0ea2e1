//! Wakes Apple devices: the client of the Apple Push Notification service (APNs).
//!
//! A push says only "come and ask"; what there is to do stays on the server. The way of a push through this
//! folder: `request` writes it, `lines` finds the line of its credentials, `line` sees that the line has one open
//! `connection`, and `answer` says what the answer means.

mod answer;
mod connection;
mod endpoint;
mod line;
mod lines;
mod request;
mod tls;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use answer::Answer;
use connection::{Dialer, Setback};
use endpoint::Endpoint;
use line::Line;
use lines::Lines;

/// How often one push is sent when connections break under it, before it is handed back to be tried later.
const ATTEMPTS: usize = 3;

/// How to reach APNs; [`ApnsSettings::new`] has what Apple's own service wants.
pub struct ApnsSettings {
    /// `https://HOST[:PORT]`, without a path: Apple's `https://api.push.apple.com`, or a pretend one.
    pub url: String,
    /// Trusted besides the roots of Mozilla's programme, which are compiled in.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// How long APNs keeps a push for a device that is not connected; zero means that it keeps none.
    pub expiration: Duration,
    /// How many pushes of one set of credentials are under way at once; APNs may allow fewer, and is obeyed.
    pub max_streams: usize,
    /// How many connections are kept open, each for its own credentials; the one unused longest goes first.
    pub max_connections: usize,
    /// For the name, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For one push, from its first byte to the end of the answer.
    pub request_timeout: Duration,
}

impl ApnsSettings {
    /// Settings for the service at `url`: pushes kept for seven days, 500 at once, 64 connections, 10 s to
    /// connect, 30 s for an answer.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            extra_roots: Vec::new(),
            expiration: Duration::from_secs(7 * 24 * 60 * 60),
            max_streams: 500,
            max_connections: 64,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// What is wrong with [`ApnsSettings`].
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// Not an `https` address, or one that has more than a host and a port.
    #[error("the address of APNs must be https://HOST or https://HOST:PORT, not {0:?}")]
    Url(String),
    /// An extra root is not a certificate that can be a trust anchor.
    #[error("an extra root for APNs cannot be used: {0}")]
    Root(rustls::Error),
}

/// A push certificate with its key: who we are for APNs.
pub struct Credentials<'a> {
    /// The `UID` of the certificate's subject; sent as `apns-topic`.
    pub topic: &'a str,
    /// Names the credentials (SHA-256 of the certificate, say): a connection belongs to a fingerprint.
    pub fingerprint: [u8; 32],
    /// The push certificate first, then what issued it, if known.
    pub certificate_chain: Vec<CertificateDer<'a>>,
    /// The private key of the push certificate.
    pub key: PrivateKeyDer<'a>,
}

/// Whom to wake.
#[derive(Clone, Copy)]
pub struct Push<'a> {
    /// `Token` of the last TokenUpdate, as its bytes.
    pub token: &'a [u8],
    /// `PushMagic` of the same message: a device ignores a push with any other.
    pub magic: &'a str,
}

/// What became of a push, sorted by what there is to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// APNs has it and will deliver it, or keep it until it expires.
    Accepted {
        /// APNs' own name of this push, for a question to Apple.
        apns_id: Option<String>,
    },
    /// Status 410, and nothing else: the device has gone, its token must not be used again.
    TokenGone {
        /// Since when, in milliseconds since 1970; a token that the device told us later is good.
        since: Option<u64>,
    },
    /// Any other 4xx. Mostly our certificate, topic or clock is wrong, whatever the reason's name says
    /// (`BadDeviceToken`!): raise an alarm, keep the token.
    Refused {
        /// The status of HTTP.
        status: u16,
        /// Apple's word for it, at most 100 characters; empty if there was none.
        reason: String,
    },
    /// 429, 5xx, no network, no TLS, no answer in time: send it again later.
    TryLater {
        /// What APNs asked for in `Retry-After`, at most a day.
        after: Option<Duration>,
        /// For a log; names no device.
        why: String,
    },
}

/// The client of APNs: HTTP/2 over TLS with a client certificate, one connection for each set of credentials,
/// opened when first needed and again when it is closed.
pub struct Apns {
    endpoint: Arc<Endpoint>,
    roots: Arc<RootCertStore>,
    settings: ApnsSettings,
    lines: Lines,
}

impl Apns {
    /// A client that has not connected to anything yet.
    pub fn new(mut settings: ApnsSettings) -> Result<Self, BadSettings> {
        let endpoint = Arc::new(Endpoint::parse(&settings.url)?);
        let extra_roots = std::mem::take(&mut settings.extra_roots);
        let roots = Arc::new(tls::trusted_roots(extra_roots).map_err(BadSettings::Root)?);
        let lines = Lines::new(settings.max_connections);
        Ok(Self { endpoint, roots, settings, lines })
    }

    /// Sends one push, and once more on a new connection if the old one breaks under it. Needs a tokio runtime.
    ///
    /// A push may arrive twice, which is harmless: APNs keeps one for a device, and a device that is woken
    /// twice asks twice. It is never lost in silence.
    pub async fn push(&self, credentials: &Credentials<'_>, push: Push<'_>, now: SystemTime) -> Outcome {
        let expires = request::expires(now, self.settings.expiration);
        let request = match request::write(&self.endpoint, credentials.topic, push, expires) {
            Ok(request) => request,
            Err(reason) => return reason.into(),
        };
        match self.deliver(credentials, request).await {
            Ok(answer) => answer.outcome(now),
            Err(why) => Outcome::TryLater { after: None, why },
        }
    }

    async fn deliver(
        &self,
        credentials: &Credentials<'_>,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, String> {
        let line = self.lines.line(credentials.fingerprint, || self.line(credentials))?;
        let _stream = line.stream().await;
        let mut why = String::new();
        for _ in 0..ATTEMPTS {
            let connection = line.connection().await?;
            match connection.exchange(request.clone(), self.settings.request_timeout).await {
                Ok(answer) => return Ok(answer),
                Err(Setback::SendAgain(reason)) => why = reason,
                Err(Setback::Wait(reason)) => return Err(reason),
            }
        }
        Err(why)
    }

    fn line(&self, credentials: &Credentials<'_>) -> Result<Line, String> {
        let tls = tls::connector(&self.roots, credentials)
            .map_err(|error| format!("the push certificate cannot be used: {error}"))?;
        let endpoint = Arc::clone(&self.endpoint);
        Ok(Line::new(Dialer::new(endpoint, tls, self.settings.connect_timeout), self.settings.max_streams))
    }
}
