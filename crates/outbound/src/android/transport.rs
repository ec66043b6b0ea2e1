//! HTTP to Google: one request, one answer, within bounds.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::android::{MAX_DOCUMENT, Malformed};
use http::{HeaderMap, StatusCode};
use reqwest::{Client, RequestBuilder, Response, redirect};
use rustls::{ClientConfig, RootCertStore};

use super::error::{Error, short};
use super::settings::{BadSettings, GoogleSettings};

/// An order to wait longer than an hour is not believed.
const MAX_WAIT: Duration = Duration::from_secs(60 * 60);

/// For small answers that others wait for.
pub(super) const QUICK: Duration = Duration::from_secs(20);

/// The connections, kept open between calls.
pub(super) struct Transport {
    client: Client,
}

/// An answer, read to its end.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Transport {
    /// Trusts the compiled-in roots and the extra ones; follows no redirection and uses no proxy.
    pub(super) fn new(settings: &GoogleSettings) -> Result<Self, BadSettings> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls(settings)?)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .user_agent(concat!("remuda/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| BadSettings::Client(chain(&error)))?;
        Ok(Self { client })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends one request. Only what keeps an answer from coming is an error here.
    pub(super) async fn exchange(&self, request: RequestBuilder) -> Result<Reply, Error> {
        let response = request.send().await.map_err(no_answer)?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Reply { status, headers, body: body(response).await? })
    }
}

impl Reply {
    /// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
    pub(super) fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let value = self.header("retry-after")?;
        let seconds = value.parse().ok().map(Duration::from_secs);
        let until = || httpdate::parse_http_date(value).ok()?.duration_since(now).ok();
        seconds.or_else(until).map(|span| span.min(MAX_WAIT))
    }

    /// What Google's clock says.
    pub(super) fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.header("date")?).ok()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim).filter(|value| value.len() <= 200)
    }
}

fn tls(settings: &GoogleSettings) -> Result<ClientConfig, BadSettings> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in &settings.extra_roots {
        roots.add(root.clone()).map_err(BadSettings::Root)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(BadSettings::Root)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn body(mut response: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        if body.len() + chunk.len() > MAX_DOCUMENT {
            return Err(Malformed::TooLong("an answer of Google's").into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn no_answer(error: reqwest::Error) -> Error {
    let maybe_done = !error.is_connect() && !error.is_builder();
    Error::TryLater { after: None, maybe_done, why: short(&chain(&error.without_url())) }
}

/// The whole chain of causes: reqwest's own text says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(name: &'static str, value: &str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Reply { status: StatusCode::OK, headers, body: Vec::new() }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_and_not_believed_for_ever() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let wait = |value: &str| reply("retry-after", value).retry_after(now);
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), None);
        assert_eq!(wait("999999999"), Some(MAX_WAIT));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn the_date_of_an_answer_is_googles_clock() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(reply("date", "Sun, 06 Nov 1994 08:49:37 GMT").date(), Some(at));
        assert_eq!(reply("date", "now").date(), None);
    }
}
