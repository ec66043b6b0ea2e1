//! What a device is answered where it is not served, and what is logged about it. The one 401 of the device
//! listener is in here.
//!
//! Bodies say nothing but what a device must hear to drop its management: causes are for the log.

use axum::response::{IntoResponse, Response};
use domain::{Error, Refusal, Rejection};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use pki::Fingerprint;

use crate::limits::Unread;
use crate::mdm::Unidentified;
use crate::peer::Origin;

/// After how many seconds one may try again.
pub(crate) const RETRY_SECONDS: &str = "30";

/// Why a request to the device listener is not served.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody is known to have sent it.
    Unidentified(Unidentified),
    /// Its body did not come.
    Unread(Unread),
    /// Its body is nothing that Apple's devices send.
    Malformed(apple::Malformed, Fingerprint),
    /// The domain turned its sender away.
    Refused(Refusal, Fingerprint),
    /// It is no SCEP request; what is wrong with it.
    NoScep(&'static str),
    /// It pushes notifications, and is not Google; why that is thought.
    NotGoogle(String),
    /// It is Google's, but no push; what is wrong with it.
    NoPush(String),
    /// Too many want the same at once.
    Crowded,
    /// Ours to mend, or to try again.
    Failed(Error),
}

impl Failure {
    /// What a rejection of this certificate comes to.
    pub(crate) fn rejected(rejection: Rejection, certificate: Fingerprint) -> Self {
        match rejection {
            Rejection::Refused(refusal) => Self::Refused(refusal, certificate),
            Rejection::Failed(error) => Self::Failed(error),
        }
    }

    /// Logs it, once, and answers it.
    pub(crate) fn answer(self, origin: Origin) -> Response {
        self.log(origin);
        match self {
            Self::Unidentified(_) | Self::Malformed(..) | Self::NoScep(_) | Self::NoPush(_) => {
                StatusCode::BAD_REQUEST.into_response()
            }
            Self::NotGoogle(_) => StatusCode::FORBIDDEN.into_response(),
            Self::Unread(Unread::Broken) => StatusCode::BAD_REQUEST.into_response(),
            Self::Unread(Unread::TooSlow) => StatusCode::REQUEST_TIMEOUT.into_response(),
            Self::Unread(Unread::TooLong(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
            Self::Unread(Unread::OverBudget) | Self::Crowded => try_again(),
            Self::Refused(refusal, _) => refused(&refusal),
            Self::Failed(error) => failed(&error),
        }
    }

    /// Reasons are quoted, since some repeat a word of the sender's, and none holds a secret.
    fn log(&self, origin: Origin) {
        let refused = |reason: &dyn std::fmt::Display| {
            tracing::warn!(peer = %origin, reason = ?reason.to_string(), "a request is refused");
        };
        let sender_refused = |reason: &dyn std::fmt::Display, certificate: &Fingerprint| {
            tracing::warn!(peer = %origin, %certificate, reason = ?reason.to_string(), "a device is refused");
        };
        match self {
            Self::Unidentified(why) => refused(why),
            Self::Unread(why) => refused(why),
            Self::NoScep(why) => refused(why),
            Self::NotGoogle(why) | Self::NoPush(why) => refused(why),
            Self::Crowded => refused(&"too many signatures are asked for"),
            Self::Malformed(why, certificate) => sender_refused(why, certificate),
            Self::Refused(why, certificate) => sender_refused(why, certificate),
            Self::Failed(error) => log_failed(error, origin),
        }
    }
}

impl From<Unidentified> for Failure {
    fn from(why: Unidentified) -> Self {
        Self::Unidentified(why)
    }
}

impl From<Unread> for Failure {
    fn from(why: Unread) -> Self {
        Self::Unread(why)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Logs what is not the caller's fault, with all its causes.
pub(crate) fn log_failed(error: &Error, origin: Origin) {
    let causes = error.chain();
    match error {
        Error::Unavailable(_) | Error::Conflict(_) => {
            tracing::warn!(peer = %origin, error = ?causes, "a request cannot be served now");
        }
        Error::NotFound(_)
        | Error::Unauthenticated
        | Error::Forbidden(_)
        | Error::Invalid { .. }
        | Error::Unsupported(_)
        | Error::TooOften(_)
        | Error::Internal(_) => tracing::error!(peer = %origin, error = ?causes, "a request failed"),
    }
}

/// Answers of the domain that no device can act on are our fault: it is told to try again, and never that it
/// is wrong.
fn failed(error: &Error) -> Response {
    match error {
        Error::Unavailable(_) => try_again(),
        Error::NotFound(_)
        | Error::Unauthenticated
        | Error::Forbidden(_)
        | Error::Invalid { .. }
        | Error::Conflict(_)
        | Error::Unsupported(_)
        | Error::TooOften(_)
        | Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn try_again() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_SECONDS)]).into_response()
}

fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Malformed(_) => StatusCode::BAD_REQUEST.into_response(),
        Refusal::Unenroll { understands_unrecognized } => unenroll(*understands_unrecognized),
        Refusal::Untrusted
        | Refusal::NotYetValid
        | Refusal::Expired
        | Refusal::Unknown
        | Refusal::Revoked
        | Refusal::Superseded
        | Refusal::OtherDevice
        | Refusal::NotEnrolled
        | Refusal::WrongTopic
        | Refusal::KeyHeld => StatusCode::FORBIDDEN.into_response(),
    }
}

/// The device drops its management; the only 401 there is, for systems that know nothing better.
fn unenroll(understands_unrecognized: bool) -> Response {
    if !understands_unrecognized {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let content_type = [(CONTENT_TYPE, apple::unrecognized::CONTENT_TYPE)];
    (StatusCode::FORBIDDEN, content_type, apple::unrecognized::BODY).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::ProxyTrust;
    use domain::{Forbidden, Thing, Unsupported};
    use http_body_util::BodyExt;

    const SENDER: Fingerprint = Fingerprint([7; 32]);

    fn answer(failure: Failure) -> Response {
        let (parts, ()) = http::Request::new(()).into_parts();
        failure.answer(ProxyTrust::default().origin(&parts))
    }

    async fn body(response: Response) -> Vec<u8> {
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    fn errors() -> Vec<Error> {
        vec![
            Error::NotFound(Thing::Tenant),
            Error::Unauthenticated,
            Error::Forbidden(Forbidden::Tenant),
            Error::invalid("field", "problem"),
            Error::Conflict("cause".into()),
            Error::Unsupported(Unsupported::Platform),
            Error::internal("cause"),
        ]
    }

    #[tokio::test]
    async fn only_a_deliberate_unenrollment_of_an_old_system_is_a_401() {
        let old = answer(Failure::Refused(Refusal::Unenroll { understands_unrecognized: false }, SENDER));
        assert_eq!(old.status(), 401);
        assert!(old.headers().is_empty(), "a challenge would make it ask for a password");
        assert!(body(old).await.is_empty());
    }

    #[tokio::test]
    async fn a_newer_system_is_told_in_apples_words() {
        let new = answer(Failure::Refused(Refusal::Unenroll { understands_unrecognized: true }, SENDER));
        assert_eq!(new.status(), 403);
        assert_eq!(new.headers()[CONTENT_TYPE], "application/json");
        let told: serde_json::Value = serde_json::from_slice(&body(new).await).unwrap();
        assert_eq!(told["code"], "com.apple.unrecognized.device");
    }

    #[tokio::test]
    async fn every_other_refusal_is_a_bare_403_or_400() {
        for (refusal, status) in [
            (Refusal::Untrusted, 403),
            (Refusal::NotYetValid, 403),
            (Refusal::Expired, 403),
            (Refusal::Unknown, 403),
            (Refusal::Revoked, 403),
            (Refusal::Superseded, 403),
            (Refusal::OtherDevice, 403),
            (Refusal::NotEnrolled, 403),
            (Refusal::WrongTopic, 403),
            (Refusal::KeyHeld, 403),
            (Refusal::Malformed("cause".into()), 400),
        ] {
            let response = answer(Failure::Refused(refusal.clone(), SENDER));
            assert_eq!(response.status(), status, "{refusal}");
            assert!(body(response).await.is_empty(), "{refusal}");
        }
    }

    #[tokio::test]
    async fn our_own_failures_are_never_the_devices_and_never_told() {
        for error in errors() {
            let text = error.to_string();
            let response = answer(Failure::Failed(error));
            assert_eq!(response.status(), 500, "{text}");
            assert!(body(response).await.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_will_pass_says_when_to_try_again() {
        for failure in [
            Failure::Failed(Error::Unavailable("the database is away".into())),
            Failure::Unread(Unread::OverBudget),
            Failure::Crowded,
        ] {
            let response = answer(failure);
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()[RETRY_AFTER], RETRY_SECONDS);
        }
    }

    #[test]
    fn bodies_that_do_not_come_have_their_own_status() {
        for (why, status) in [(Unread::TooLong(1), 413), (Unread::TooSlow, 408), (Unread::Broken, 400)] {
            assert_eq!(answer(Failure::Unread(why)).status(), status);
        }
        assert_eq!(answer(Failure::Unidentified(Unidentified::Unsigned)).status(), 400);
        assert_eq!(answer(Failure::Malformed(apple::Malformed::NotADictionary, SENDER)).status(), 400);
        assert_eq!(answer(Failure::NoScep("it has no operation")).status(), 400);
        assert_eq!(answer(Failure::NoPush("it has no message".into())).status(), 400);
        assert_eq!(answer(Failure::NotGoogle("it is expired".into())).status(), 403);
    }
}
