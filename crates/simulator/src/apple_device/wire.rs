//! The connection to a server: raw requests and raw answers, nothing followed, nothing repeated, everything
//! bounded.

use std::time::Duration;

use http::{HeaderMap, Method, header};
use rustls::ClientConfig;

use super::failure::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const TIMEOUT: Duration = Duration::from_secs(60);
/// No answer is longer than this; profiles and commands are far smaller.
const MAX_ANSWER: usize = 16 << 20;
const MAX_EXCERPT: usize = 300;

/// What is sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// `PUT` for everything that a managed device says.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// `Content-Type`, where there is one.
    pub content_type: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Sent as it is.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, where there is one.
    pub content_type: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// A client that trusts certain servers, and may have an identity of its own. Cloning shares its connections.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    client: reqwest::Client,
}

impl Request {
    /// A GET.
    pub fn get(url: impl Into<String>) -> Request {
        Request {
            method: Method::GET,
            url: url.into(),
            content_type: None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A PUT of `body`.
    pub fn put(url: impl Into<String>, content_type: &str, body: Vec<u8>) -> Request {
        Request {
            method: Method::PUT,
            content_type: Some(content_type.to_owned()),
            body,
            ..Request::get(url)
        }
    }

    /// A POST of `body`.
    pub fn post(url: impl Into<String>, content_type: &str, body: Vec<u8>) -> Request {
        Request { method: Method::POST, ..Request::put(url, content_type, body) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Request {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Answer {
    /// The media type in lower case, without parameters; empty where there is none.
    pub fn media_type(&self) -> String {
        let header = self.content_type.as_deref().unwrap_or_default();
        header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The beginning of the body, for people.
    pub fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(MAX_EXCERPT).collect()
    }

    /// The failure that a status other than 200 is, whoever asked; `None` for 200 and other statuses that no
    /// server of ours should send.
    pub(super) fn failure(&self) -> Option<Failure> {
        match self.status {
            400..=499 => Some(Failure::Refused { status: self.status, body: self.excerpt() }),
            500..=599 => Some(Failure::Unavailable { status: self.status, retry_after: self.retry_after() }),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

impl Wire {
    /// Speaks HTTP/2 or HTTP/1.1 over TLS, as the server likes, and HTTP/1.1 without.
    pub(super) fn new(tls: ClientConfig) -> Result<Wire, Failure> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .user_agent("MDM/1.0")
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build();
        client.map(|client| Wire { client }).map_err(|error| Failure::Unreachable(chain(&error)))
    }

    /// One question, one answer.
    pub(super) async fn exchange(&self, request: &Request) -> Result<Answer, Failure> {
        self.try_exchange(request).await.map_err(|error| Failure::Unreachable(chain(&error)))?
    }

    async fn try_exchange(&self, request: &Request) -> reqwest::Result<Result<Answer, Failure>> {
        let mut builder = self.client.request(request.method.clone(), &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(content_type) = &request.content_type {
            builder = builder.header(header::CONTENT_TYPE, content_type);
        }
        let mut response = builder.body(request.body.clone()).send().await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Ok(Err(Failure::Unreachable("the answer is longer than 16 MiB".into())));
            }
            body.extend_from_slice(&chunk);
        }
        let headers = response.headers().clone();
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let (status, content_type) = (response.status().as_u16(), content_type.map(str::to_owned));
        Ok(Ok(Answer { status, content_type, headers, body }))
    }
}

/// An error with its causes: the outermost of an HTTP client says little.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Percent-encodes all but letters, digits and `-._~` (RFC 3986, 2.3).
pub(super) fn escaped(bytes: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        other => format!("%{other:02X}"),
    };
    bytes.iter().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_unreserved_is_escaped() {
        assert_eq!(escaped("a+/= ü\n~".as_bytes()), "a%2B%2F%3D%20%C3%BC%0A~");
    }

    #[test]
    fn media_types_are_compared_without_parameters_and_case() {
        let answer = |content_type: Option<&str>| Answer {
            status: 200,
            content_type: content_type.map(str::to_owned),
            headers: HeaderMap::new(),
            body: Vec::new(),
        };
        assert_eq!(answer(Some("Text/XML; charset=utf-8")).media_type(), "text/xml");
        assert_eq!(answer(None).media_type(), "");
    }
}
