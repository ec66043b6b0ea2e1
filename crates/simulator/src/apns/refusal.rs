//! How APNs says no.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

/// A status with Apple's word for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) reason: String,
    /// Milliseconds since 1970; with 410 only.
    pub(super) timestamp: Option<u64>,
    pub(super) retry_after: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.to_owned(), timestamp: None, retry_after: None }
    }

    /// The same as an answer; what a test made up and HTTP cannot say becomes a 500.
    pub(super) fn response(&self) -> Response<Full<Bytes>> {
        let body = Body { reason: &self.reason, timestamp: self.timestamp };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::builder().status(self.status);
        if let Some(after) = &self.retry_after {
            response = response.header("retry-after", after);
        }
        response.body(Full::from(body)).unwrap_or_else(|_| {
            let mut failure = Response::new(Full::default());
            *failure.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            failure
        })
    }
}
