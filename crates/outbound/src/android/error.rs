//! What went wrong, sorted by what there is to do now.

use std::time::{Duration, SystemTime};

use ::android::Malformed;
use http::StatusCode;
use serde::Deserialize;

use super::transport::Reply;

/// The most of Google's message that goes into a log, in characters.
const MAX_MESSAGE: usize = 200;

/// Why a call did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The project has asked too much (429, `RESOURCE_EXHAUSTED`): wait, and ask less. The call was not
    /// carried out.
    #[error("Google's quota is used up: {why}")]
    Quota {
        /// How long to wait at least.
        after: Option<Duration>,
        /// For a log.
        why: String,
    },
    /// 5xx, no network, no TLS, no answer in time: do it again later.
    #[error("Google cannot be reached or does not answer: {why}")]
    TryLater {
        /// How long to wait at least.
        after: Option<Duration>,
        /// Google may have carried the call out before the answer was lost: look before it is repeated,
        /// unless a repetition is harmless.
        maybe_done: bool,
        /// For a log.
        why: String,
    },
    /// Key, account or clock is wrong: raise an alarm; the same call will do later, when that is mended.
    #[error("Google does not accept the service account: {why}")]
    Unauthenticated {
        /// For a log.
        why: String,
    },
    /// 403: the account lacks a role, or the API is not enabled in its project. An alarm, too.
    #[error("the service account may not do this: {why}")]
    Forbidden {
        /// For a log.
        why: String,
    },
    /// 404. Of a device: Google has it no more.
    #[error("Google does not know it: {why}")]
    NotFound {
        /// For a log.
        why: String,
    },
    /// 409: it is there already, or somebody else is changing it.
    #[error("it is there already, or is being changed: {why}")]
    Conflict {
        /// For a log.
        why: String,
    },
    /// Any other 4xx: the same call will fail for ever.
    #[error("Google refuses with {status} {word}: {why}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// Google's word, such as `INVALID_ARGUMENT`, `FAILED_PRECONDITION`.
        word: String,
        /// For a log.
        why: String,
    },
    /// The call was done, but its answer cannot be read.
    #[error("Google's answer cannot be read: {0}")]
    Malformed(#[from] Malformed),
}

/// The shape of every error of Google's APIs.
#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
    status: String,
}

impl Error {
    /// How long to wait at least before the same call is made again; `None` if it makes no sense, or nobody
    /// said.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Quota { after, .. } | Self::TryLater { after, .. } => *after,
            _ => None,
        }
    }

    /// Whether the same call may do later, with nothing changed but the time.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Quota { .. } | Self::TryLater { .. })
    }

    /// Sorts an answer that is none of success; `now` turns a date in `Retry-After` into a span.
    pub(super) fn of(reply: &Reply, now: SystemTime) -> Self {
        let Body { error: Status { message, status: word } } =
            serde_json::from_slice(&reply.body).unwrap_or_default();
        let why = short(if message.is_empty() { reply.status.as_str() } else { &message });
        let after = reply.retry_after(now);
        match reply.status {
            _ if word == "RESOURCE_EXHAUSTED" => Self::Quota { after, why },
            StatusCode::TOO_MANY_REQUESTS => Self::Quota { after, why },
            StatusCode::UNAUTHORIZED => Self::Unauthenticated { why },
            StatusCode::FORBIDDEN => Self::Forbidden { why },
            StatusCode::NOT_FOUND => Self::NotFound { why },
            StatusCode::CONFLICT => Self::Conflict { why },
            status if status.is_client_error() => {
                Self::Refused { status: status.as_u16(), word: short(&word), why }
            }
            _ => Self::TryLater { after, maybe_done: true, why },
        }
    }
}

pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert("retry-after", "17".parse().unwrap());
        Error::of(&Reply { status, headers, body: body.as_bytes().to_vec() }, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn an_error_is_sorted_by_what_there_is_to_do() {
        let body = r#"{"error":{"code":1,"message":"no","status":"INVALID_ARGUMENT"}}"#;
        let why = || "no".to_owned();
        let after = Some(Duration::from_secs(17));
        assert_eq!(error(429, body), Error::Quota { after, why: why() });
        assert_eq!(error(503, body), Error::TryLater { after, maybe_done: true, why: why() });
        assert_eq!(error(401, body), Error::Unauthenticated { why: why() });
        assert_eq!(error(403, body), Error::Forbidden { why: why() });
        assert_eq!(error(404, body), Error::NotFound { why: why() });
        assert_eq!(error(409, body), Error::Conflict { why: why() });
        let word = "INVALID_ARGUMENT".to_owned();
        assert_eq!(error(400, body), Error::Refused { status: 400, word, why: why() });
        let quota = r#"{"error":{"message":"no","status":"RESOURCE_EXHAUSTED"}}"#;
        assert_eq!(error(403, quota), Error::Quota { after, why: why() });
    }

    #[test]
    fn an_answer_that_is_not_googles_is_sorted_by_its_status() {
        assert_eq!(error(404, "<html>"), Error::NotFound { why: "404".to_owned() });
        assert!(error(302, "").is_passing());
        assert!(error(502, "[]").is_passing());
    }

    #[test]
    fn a_message_in_a_log_is_short_and_of_one_line() {
        let body = format!(r#"{{"error":{{"message":"a\nb{}"}}}}"#, "c".repeat(1000));
        let Error::NotFound { why } = error(404, &body) else { panic!() };
        assert!(why.starts_with("abc") && why.len() == MAX_MESSAGE);
    }
}
