//! What can go wrong between a device and its server, sorted by whose doing it is.

use std::fmt;
use std::time::Duration;

/// The server broke the protocol: a real device would give up, or do something that nobody wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Breach(pub String);

/// Why a request, or what it was needed for, came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The server broke the protocol.
    #[error("breach of the protocol: {0}")]
    Breach(#[from] Breach),
    /// The server says no, which is its right: a status from 400 to 499 that does not unenroll.
    #[error("refused with {status}: {body}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of the body, at most 300 characters.
        body: String,
    },
    /// The SCEP server says no.
    #[error("SCEP: {0}")]
    CertificateRefused(String),
    /// The server cannot now: a status from 500 to 599.
    #[error("unavailable, with {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, where it is a number of seconds.
        retry_after: Option<Duration>,
    },
    /// No connection, no trust (TLS), or no answer.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The device is switched off: see [`super::AppleDevice::go_offline`].
    #[error("the device is offline")]
    Offline,
    /// The answer was lost on its way: see [`super::AppleDevice::lose_next_answer`].
    #[error("the answer was lost")]
    Lost,
    /// The device is not managed (any more).
    #[error("not enrolled: {0}")]
    NotEnrolled(String),
    /// The test asks for what a device would not do in this state.
    #[error("a device would not do that: {0}")]
    Impossible(String),
}

/// An enrollment that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {cause}")]
pub struct EnrollError {
    /// How far it came.
    pub step: Step,
    /// Why it went no further.
    #[source]
    pub cause: Failure,
}

/// The steps of an enrollment, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Fetching the profile and looking into it.
    Profile,
    /// SCEP's `GetCACert`.
    CaCertificate,
    /// SCEP's `GetCACaps`.
    CaCapabilities,
    /// SCEP's `PKIOperation`.
    Certificate,
    /// The check-in `Authenticate`.
    Authenticate,
    /// The check-in `TokenUpdate`.
    TokenUpdate,
    /// The check-in `SetBootstrapToken`, of Macs.
    BootstrapToken,
}

impl Step {
    /// For `map_err`: this step failed.
    pub(super) fn failed<E: Into<Failure>>(self) -> impl FnOnce(E) -> EnrollError {
        move |cause| EnrollError { step: self, cause: cause.into() }
    }
}

impl Breach {
    /// `Err` of this sentence.
    pub(super) fn err<T, E: From<Breach>>(sentence: impl Into<String>) -> Result<T, E> {
        Err(Breach(sentence.into()).into())
    }
}

impl From<EnrollError> for Failure {
    fn from(error: EnrollError) -> Failure {
        error.cause
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Profile => "enrollment profile",
            Step::CaCertificate => "GetCACert",
            Step::CaCapabilities => "GetCACaps",
            Step::Certificate => "PKIOperation",
            Step::Authenticate => "Authenticate",
            Step::TokenUpdate => "TokenUpdate",
            Step::BootstrapToken => "SetBootstrapToken",
        })
    }
}
