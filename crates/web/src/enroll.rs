//! An enrollment link: the profile, or a page that says why there is none.

mod language;
mod page;
mod words;

use std::sync::Arc;

use axum::extract::{Path, Request, State, rejection::PathRejection};
use axum::response::Response;
use domain::{EnrollmentAnswer, Error, NoEnrollment};
use http::header::ACCEPT_LANGUAGE;

use crate::enrolling;
use crate::failure::log_failed;
use crate::peer::Origin;
use crate::state::DeviceState;
use language::Language;

/// No token of ours is as long.
const LONGEST_TOKEN: usize = 256;

/// Why a link is answered with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Unknown,
    Expired,
    UsedUp,
    NoPushCertificate,
    NoDeviceUrl,
    Busy,
    Failed,
}

/// `GET /enroll/{token}`, `?signed=false` for tools that read plain profiles only. The token is a secret: it
/// is neither logged nor repeated on a page.
pub(crate) async fn serve(
    State(state): State<Arc<DeviceState>>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let origin = state.trust.origin(&parts);
    match answer(&state, token.ok(), wants_signature(parts.uri.query()), origin).await {
        Ok(bytes) => enrolling::profile(bytes),
        Err(reason) => {
            tracing::info!(peer = %origin, ?reason, "a link does not enroll");
            let languages = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            page::render(reason, Language::preferred(languages.unwrap_or_default()))
        }
    }
}

async fn answer(
    state: &DeviceState,
    token: Option<Path<String>>,
    signed: bool,
    origin: Origin,
) -> Result<Vec<u8>, Reason> {
    let Path(token) = token.filter(|Path(token)| token.len() <= LONGEST_TOKEN).ok_or(Reason::Unknown)?;
    let _pass = state.signing.enter().await.ok_or(Reason::Busy)?;
    match state.mdm.enrollment_profile(&token, signed).await {
        Ok(EnrollmentAnswer::Profile(bytes)) => Ok(bytes),
        Ok(EnrollmentAnswer::None(why)) => Err(why.into()),
        Err(error) => {
            log_failed(&error, origin);
            Err(error.into())
        }
    }
}

fn wants_signature(query: Option<&str>) -> bool {
    !query.unwrap_or_default().split('&').any(|pair| pair == "signed=false")
}

impl From<NoEnrollment> for Reason {
    fn from(why: NoEnrollment) -> Self {
        match why {
            NoEnrollment::Unknown => Self::Unknown,
            NoEnrollment::Expired => Self::Expired,
            NoEnrollment::UsedUp => Self::UsedUp,
            NoEnrollment::NoPushCertificate => Self::NoPushCertificate,
        }
    }
}

impl From<Error> for Reason {
    /// The one conflict there can be is a server without an address for devices.
    fn from(error: Error) -> Self {
        match error {
            Error::Conflict(_) => Self::NoDeviceUrl,
            Error::Unavailable(_) | Error::TooOften(_) => Self::Busy,
            Error::NotFound(_)
            | Error::Unauthenticated
            | Error::Forbidden(_)
            | Error::Invalid { .. }
            | Error::Unsupported(_)
            | Error::Internal(_) => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_signed_unless_the_query_says_otherwise() {
        for query in [None, Some(""), Some("signed=true"), Some("unsigned=false"), Some("signed=falsehood")] {
            assert!(wants_signature(query), "{query:?}");
        }
        assert!(!wants_signature(Some("signed=false")));
        assert!(!wants_signature(Some("x=1&signed=false")));
    }

    #[test]
    fn what_goes_wrong_within_is_not_the_links_fault() {
        assert_eq!(Reason::from(Error::Conflict("set --device-url".into())), Reason::NoDeviceUrl);
        assert_eq!(Reason::from(Error::Unavailable("database".into())), Reason::Busy);
        assert_eq!(Reason::from(Error::NotFound(domain::Thing::Tenant)), Reason::Failed);
        assert_eq!(Reason::from(NoEnrollment::NoPushCertificate), Reason::NoPushCertificate);
    }
}
