//! How a call fails: the published words, and one `match` from the domain's errors to them.

use std::time::Duration;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use domain::{Error, Limited};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, RETRY_AFTER},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{json_body::BodyRefusal, limits::Unread};

/// Where a blocked request is told how long to wait.
const WAIT: HeaderName = HeaderName::from_static("x-rate-limit-retry-after-milliseconds");

/// What went wrong. The words never change; the sentences may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    /// The body, or something in it.
    BadRequest,
    /// No credentials, bad or expired ones, or another customer's; the same for each.
    Forbidden,
    /// No such path.
    UnknownUriPath,
    /// Another method.
    MethodNotAllowed,
    /// The body came too slowly.
    RequestTimeout,
    /// It clashes with what is there.
    Conflict,
    /// The body is over the limit.
    PayloadTooLarge,
    /// The body is not announced as JSON.
    UnsupportedMediaType,
    /// It came too soon. The only failure without a body.
    TooManyRequests,
    /// Ours to fix.
    InternalServerError,
    /// Worth trying again soon.
    ServiceUnavailable,
}

impl ErrorCode {
    #[cfg(test)]
    pub(super) const ALL: [Self; 11] = [
        Self::BadRequest,
        Self::Forbidden,
        Self::UnknownUriPath,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::InternalServerError,
        Self::ServiceUnavailable,
    ];

    /// Status, `error` and, where nothing more precise is known, `message`.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "BAD_REQUEST", "The request body is not valid."),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Forbidden", "Access Denied"),
            Self::UnknownUriPath => {
                (StatusCode::NOT_FOUND, "UNKNOWN_URI_PATH", "The requested URI does not exist.")
            }
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "This URI takes another method.")
            }
            Self::RequestTimeout => {
                (StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The request body took too long to arrive.")
            }
            Self::Conflict => {
                (StatusCode::CONFLICT, "CONFLICT", "The request contradicts the present state.")
            }
            Self::PayloadTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "The request body is over 1 MiB.")
            }
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UNSUPPORTED_MEDIA_TYPE",
                "The content type has to be application/json, without compression.",
            ),
            Self::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too Many Requests.")
            }
            Self::InternalServerError => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "INTERNAL_SERVER_ERROR",
                "Something went wrong on the server.",
            ),
            Self::ServiceUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "SERVICE_UNAVAILABLE",
                "The server is busy: try again soon.",
            ),
        }
    }

    /// The HTTP status.
    pub(super) fn status(self) -> StatusCode {
        self.row().0
    }

    /// The word that stands in `error`.
    pub(super) fn word(self) -> &'static str {
        self.row().1
    }
}

/// A call that failed, on its way to the edge.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) code: ErrorCode,
    /// What the caller is told, where it is more precise than the code.
    pub(super) message: Option<String>,
    /// What happened inside; for the log alone.
    pub(super) cause: Option<String>,
    /// How long to wait before the next try, where that is known.
    wait: Option<Duration>,
}

impl Failure {
    /// A failure that its code says all about.
    pub(super) fn new(code: ErrorCode) -> Self {
        Self { code, message: None, cause: None, wait: None }
    }

    /// A request that came too soon: the next one passes after `wait`.
    pub(super) fn blocked(wait: Duration) -> Self {
        Self { wait: Some(wait), ..Self::new(ErrorCode::TooManyRequests) }
    }

    /// A fault that the caller can mend.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::new(ErrorCode::BadRequest) }
    }

    fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

/// Goes on with a request that is not one too many.
pub(super) fn unless_blocked<T>(limited: Limited<T>) -> Result<T, Failure> {
    match limited {
        Limited::Free(admitted) => Ok(admitted),
        Limited::Blocked(wait) => Err(Failure::blocked(wait)),
    }
}

/// The body of an error: the two published forms in one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub(super) struct ErrorBody {
    /// When it happened.
    #[schema(example = "2024-11-17T17:20:15.471+00:00")]
    pub(super) timestamp: String,
    /// HTTP status code.
    #[schema(example = 403)]
    pub(super) status: u16,
    /// Fixed error code.
    #[schema(example = "Forbidden")]
    pub(super) error: &'static str,
    /// Description for people.
    #[schema(example = "Access Denied")]
    pub(super) message: String,
    /// The path of the request.
    #[schema(example = "/v1/login")]
    pub(super) path: String,
    /// Under this word the server's log tells more.
    #[schema(example = "1933a8f0c4f-2a")]
    pub(super) logref: String,
    /// HTTP status code.
    #[schema(example = 403)]
    pub(super) status_code: u16,
}

impl ErrorBody {
    /// The body about `failure`; the other three are its time, its path and its name in the log.
    pub(super) fn new(failure: &Failure, timestamp: String, path: String, logref: String) -> Self {
        let (status, error, message) = failure.code.row();
        let message = failure.message.clone().unwrap_or_else(|| message.to_owned());
        Self {
            timestamp,
            status: status.as_u16(),
            error,
            message,
            path,
            logref,
            status_code: status.as_u16(),
        }
    }
}

/// Carries the failure to the edge in the extensions of an empty answer.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        if self.code == ErrorCode::ServiceUnavailable {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(wait) = self.wait {
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            response.headers_mut().insert(WAIT, millis.into());
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated => Self::new(ErrorCode::Forbidden),
            Error::Forbidden(why) => Self::new(ErrorCode::Forbidden).because(why.to_string()),
            Error::Invalid { field, problem } => Self::bad_request(format!("{field}: {problem}")),
            // The paths name nothing but a customer, and ids in a body are skipped where they name nothing.
            Error::NotFound(thing) => Self::new(ErrorCode::UnknownUriPath).because(thing.to_string()),
            Error::Conflict(why) => Self::new(ErrorCode::Conflict).because(why),
            Error::Unsupported(why) => Self::new(ErrorCode::Conflict).because(why.to_string()),
            Error::TooOften(_) => Self::new(ErrorCode::ServiceUnavailable).because(error.to_string()),
            Error::Unavailable(why) => Self::new(ErrorCode::ServiceUnavailable).because(why),
            Error::Internal(_) => Self::new(ErrorCode::InternalServerError).because(error.chain()),
        }
    }
}

impl From<BodyRefusal> for Failure {
    fn from(refusal: BodyRefusal) -> Self {
        match refusal {
            BodyRefusal::MediaType => Self::new(ErrorCode::UnsupportedMediaType),
            BodyRefusal::Unread(Unread::TooLong(_)) => Self::new(ErrorCode::PayloadTooLarge),
            BodyRefusal::Unread(Unread::TooSlow) => Self::new(ErrorCode::RequestTimeout),
            BodyRefusal::Unread(Unread::Broken) => Self::new(ErrorCode::BadRequest),
            BodyRefusal::Unread(why @ Unread::OverBudget) => {
                Self::new(ErrorCode::ServiceUnavailable).because(why.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Forbidden, Thing};

    use super::*;

    #[test]
    fn the_published_error_comes_out_in_both_forms() {
        let body = ErrorBody::new(
            &Failure::new(ErrorCode::Forbidden),
            "2024-11-17T17:20:15.471+00:00".into(),
            "/v1/tokens".into(),
            "abc".into(),
        );
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"timestamp":"2024-11-17T17:20:15.471+00:00","status":403,"error":"Forbidden","message":"Access Denied","path":"/v1/tokens","logref":"abc","statusCode":403}"#
        );
    }

    #[test]
    fn the_domains_errors_have_their_statuses() {
        for (error, status) in [
            (Error::Unauthenticated, 403),
            (Error::Forbidden(Forbidden::Tenant), 403),
            (Error::invalid("externalIds", "too many"), 400),
            (Error::NotFound(Thing::Purge), 404),
            (Error::Conflict("taken".into()), 409),
            (Error::Unavailable("busy".into()), 503),
            (Error::internal("broken"), 500),
        ] {
            let text = error.to_string();
            assert_eq!(Failure::from(error).code.status().as_u16(), status, "{text}");
        }
    }

    #[test]
    fn what_happened_inside_stays_inside() {
        for error in [
            Error::internal("hunter2"),
            Error::Unavailable("hunter2".into()),
            Error::Conflict("hunter2".into()),
        ] {
            let body = ErrorBody::new(&Failure::from(error), String::new(), String::new(), String::new());
            assert!(!serde_json::to_string(&body).unwrap().contains("hunter2"));
        }
    }

    #[test]
    fn every_word_stands_for_one_thing() {
        let words: std::collections::HashSet<_> = ErrorCode::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
    }
}
