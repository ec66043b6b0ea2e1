//! What can go wrong, sorted by what the caller can do about it.

use std::{fmt, time::Duration};

/// Shorthand used throughout.
pub type Result<T> = std::result::Result<T, Error>;

/// Each face turns these into its own status and body, in one `match` without a catch-all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such thing, or not in the caller's tenant; the two look the same.
    #[error("there is no such {0}")]
    NotFound(Thing),
    /// Who calls is not known: no credentials, or bad or revoked ones.
    #[error("the credentials are missing or wrong")]
    Unauthenticated,
    /// The caller is known but may not do this.
    #[error("{0}")]
    Forbidden(Forbidden),
    /// The request makes no sense; the field and what is wrong with it.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field as the caller wrote it.
        field: &'static str,
        /// What would be right.
        problem: String,
    },
    /// It clashes with what is there already.
    #[error("{0}")]
    Conflict(String),
    /// The device cannot do this, now or ever.
    #[error("{0}")]
    Unsupported(Unsupported),
    /// The caller did it too often; it may be done again after that time.
    #[error("this was done too often: wait {} s", .0.as_secs())]
    TooOften(Duration),
    /// Try again later: the database or a queue is not keeping up, or away.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Ours to fix; the cause is logged and never shown.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps a failure that no caller can act on.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// A fault in one field of a request.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }

    /// The whole chain of causes, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        text
    }
}

/// What was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A device.
    Device,
    /// A tenant.
    Tenant,
    /// An administrator.
    Admin,
    /// A user.
    User,
    /// An app on a device.
    App,
    /// An API key.
    ApiKey,
    /// An application.
    Application,
    /// An enrollment link.
    Link,
    /// A push certificate, or a request for one.
    PushCertificate,
    /// A purge job.
    Purge,
    /// A secret in escrow.
    Secret,
    /// A group.
    Group,
    /// A command.
    Command,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Device => "device",
            Self::Tenant => "tenant",
            Self::Admin => "administrator",
            Self::User => "user",
            Self::App => "app",
            Self::ApiKey => "API key",
            Self::Application => "application",
            Self::Link => "enrollment link",
            Self::PushCertificate => "push certificate",
            Self::Purge => "purge",
            Self::Secret => "secret",
            Self::Group => "group",
            Self::Command => "command",
        })
    }
}

/// Why a known caller may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The role is too small.
    #[error("this needs the role \"{0}\"")]
    Role(&'static str),
    /// The tenant is not one of the caller's.
    #[error("this tenant is not yours")]
    Tenant,
    /// Users do not do this, whatever their devices.
    #[error("only administrators do this")]
    User,
    /// Only users do this, for themselves.
    #[error("only users do this, with an access token of theirs")]
    NotUser,
}

/// Why a device cannot do what was asked; each has one machine word and a sentence in each language of a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The device is no longer, or not yet, managed.
    #[error("the device is not managed; it has to enroll first")]
    NotManaged,
    /// The enrollment waits for an administrator's approval.
    #[error("the enrollment is in quarantine until an administrator approves it")]
    Quarantined,
    /// This kind of device never can.
    #[error("this platform cannot do that")]
    Platform,
    /// An update of the device would help.
    #[error("the device's operating system is too old for that; update it first")]
    OsTooOld,
    /// Only a device that the organisation supervises can.
    #[error("only a supervised device can do that")]
    NotSupervised,
    /// An iPad that several people share cannot.
    #[error("a shared iPad cannot do that")]
    SharedIpad,
    /// The enrollment profile did not ask for the right.
    #[error("the enrollment does not give the right to do that; the device has to enroll again")]
    MissingRight,
    /// Only a device in lost mode can.
    #[error("the device is not in lost mode; enable it first")]
    NotInLostMode,
    /// Its lost mode has to end before it can begin again.
    #[error("the device is in lost mode already; disable it first")]
    AlreadyInLostMode,
    /// The device has told no `UnlockToken`.
    #[error("the device has given no token to clear its passcode with; it has to enroll again")]
    NoUnlockToken,
    /// By Apple's facts the device would refuse the command, for a reason that is none of the others.
    #[error("the device would refuse the command")]
    Refused,
    /// A fully managed Android device has no part that could stay.
    #[error("a fully managed device can only be wiped as a whole")]
    FullyManaged,
    /// Only the work profile of a personal Android device is managed.
    #[error("a personal device with a work profile does not allow that")]
    PersonalDevice,
    /// A user enrollment does not allow it.
    #[error("a user enrollment does not allow that")]
    UserEnrollment,
    /// Locking an Apple silicon Mac before macOS 11.5 would deactivate it.
    #[error("locking an Apple silicon Mac before macOS 11.5 would deactivate it; update it first")]
    AppleSiliconBefore11_5,
}
