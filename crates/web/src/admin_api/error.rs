//! How a call fails: a problem of RFC 9457, and one `match` from the domain's errors to it.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use domain::Error;
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{json_body::BodyRefusal, limits::Unread};

/// RFC 9457, section 3.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What went wrong. The words never change; the sentences may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The request, or something in it.
    Invalid,
    /// No key, or a bad one.
    Unauthenticated,
    /// The key may not do this.
    Forbidden,
    /// No such thing in the tenant.
    NotFound,
    /// Another method.
    MethodNotAllowed,
    /// The body came too slowly.
    RequestTimeout,
    /// It clashes with what is there.
    Conflict,
    /// The body is over the limit.
    TooLarge,
    /// The body is not announced as JSON.
    MediaType,
    /// Too many wrong keys came from this address.
    TooManyRequests,
    /// Ours to fix.
    Internal,
    /// Worth trying again soon.
    Unavailable,
}

impl Kind {
    /// Status, word and title.
    fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid => (StatusCode::BAD_REQUEST, "invalid", "The request is not valid."),
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "The API key is missing or wrong.")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "This API key may not do that."),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing."),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This path takes another method.")
            }
            Self::RequestTimeout => {
                (StatusCode::REQUEST_TIMEOUT, "request-timeout", "The request body took too long to arrive.")
            }
            Self::Conflict => {
                (StatusCode::CONFLICT, "conflict", "The request contradicts the present state.")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request body is over 8 MiB."),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The content type has to be application/json, without compression.",
            ),
            Self::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many wrong keys.")
            }
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on the server.")
            }
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server is busy: try again soon.")
            }
        }
    }

    pub(super) fn word(self) -> &'static str {
        self.row().1
    }
}

/// A call that failed, on its way to the edge.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// What the caller is told beyond the title.
    detail: Option<String>,
    /// Which part of the request is at fault.
    field: Option<&'static str>,
    /// What happened inside; for the log alone.
    pub(super) cause: Option<String>,
    wait: Option<Duration>,
}

impl Failure {
    /// A failure that its kind says all about.
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, detail: None, field: None, cause: None, wait: None }
    }

    /// A fault in one part of the request.
    pub(super) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::new(Kind::Invalid).telling(problem) }
    }

    /// Wrong keys came from this address; the next one is heard after `wait`.
    pub(super) fn blocked(wait: Duration) -> Self {
        Self { wait: Some(wait), ..Self::new(Kind::TooManyRequests) }
    }

    fn telling(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    fn because(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Stands for what went wrong and never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:remuda:problem:not-found")]
    kind: String,
    /// The same for people.
    #[schema(example = "There is no such thing.")]
    title: &'static str,
    /// HTTP status code.
    #[schema(example = 404)]
    status: u16,
    /// More about this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "there is no such device")]
    detail: Option<String>,
    /// The part of the request that is at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "not_before")]
    field: Option<&'static str>,
}

/// Carries the failure to the edge in the extensions, to be logged there.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, word, title) = self.kind.row();
        let kind = format!("urn:remuda:problem:{word}");
        let problem =
            Problem { kind, title, status: status.as_u16(), detail: self.detail.clone(), field: self.field };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        if self.kind == Kind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let wait = self.wait.map(|wait| wait.as_millis().div_ceil(1000));
        let wait = wait.or((self.kind == Kind::Unavailable).then_some(1));
        if let Some(Ok(seconds)) = wait.map(u64::try_from) {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated => Self::new(Kind::Unauthenticated),
            Error::Forbidden(why) => Self::new(Kind::Forbidden).telling(why.to_string()),
            // The published Device API has another name for it.
            Error::Invalid { field: "mtcid", problem } => Self::invalid("tenant", problem),
            Error::Invalid { field, problem } => Self::invalid(field, problem),
            Error::NotFound(_) => Self::new(Kind::NotFound).telling(error.to_string()),
            Error::Conflict(why) => Self::new(Kind::Conflict).telling(why),
            Error::Unsupported(why) => Self::new(Kind::Conflict).telling(why.to_string()),
            Error::TooOften(_) => Self::new(Kind::Unavailable).because(error.to_string()),
            Error::Unavailable(why) => Self::new(Kind::Unavailable).because(why),
            Error::Internal(_) => Self::new(Kind::Internal).because(error.chain()),
        }
    }
}

impl From<BodyRefusal> for Failure {
    fn from(refusal: BodyRefusal) -> Self {
        match refusal {
            BodyRefusal::MediaType => Self::new(Kind::MediaType),
            BodyRefusal::Unread(Unread::TooLong(_)) => Self::new(Kind::TooLarge),
            BodyRefusal::Unread(Unread::TooSlow) => Self::new(Kind::RequestTimeout),
            BodyRefusal::Unread(why @ Unread::Broken) => Self::new(Kind::Invalid).because(why.to_string()),
            BodyRefusal::Unread(why @ Unread::OverBudget) => {
                Self::new(Kind::Unavailable).because(why.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Forbidden, Thing, Unsupported};
    use http_body_util::BodyExt;
    use serde_json::Value;

    use super::*;

    async fn told(failure: Failure) -> (StatusCode, Value) {
        let response = failure.into_response();
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn the_domains_errors_have_their_statuses() {
        for (error, status) in [
            (Error::Unauthenticated, 401),
            (Error::Forbidden(Forbidden::Role("owner")), 403),
            (Error::invalid("priority", "too high"), 400),
            (Error::NotFound(Thing::Command), 404),
            (Error::Conflict("taken".into()), 409),
            (Error::Unsupported(Unsupported::NotManaged), 409),
            (Error::Unavailable("busy".into()), 503),
            (Error::internal("broken"), 500),
        ] {
            let text = error.to_string();
            let (answered, problem) = told(error.into()).await;
            assert_eq!((answered.as_u16(), &problem["status"]), (status, &status.into()), "{text}");
        }
    }

    #[tokio::test]
    async fn a_problem_is_that_of_the_rfc() {
        let (_, problem) = told(Error::invalid("mtcid", "needed").into()).await;
        let expected = serde_json::json!({
            "type": "urn:remuda:problem:invalid", "title": "The request is not valid.", "status": 400,
            "detail": "needed", "field": "tenant",
        });
        assert_eq!(problem, expected);
    }

    #[tokio::test]
    async fn what_happened_inside_stays_inside() {
        for error in [Error::internal("hunter2"), Error::Unavailable("hunter2".into())] {
            let (_, problem) = told(error.into()).await;
            assert!(!problem.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn who_has_to_wait_is_told_how_long() {
        let wait = |failure: Failure| failure.into_response().headers()[RETRY_AFTER].clone();
        assert_eq!(wait(Failure::blocked(Duration::from_millis(1_001))), "2");
        assert_eq!(wait(Failure::new(Kind::Unavailable)), "1");
    }
}
