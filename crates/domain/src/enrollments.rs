//! Enrollments: a device's time under management, and the channels that it has.

use crate::{DeviceId, EnrollmentId, LinkId, Timestamp, UserId};

mod authenticate;
mod bootstrap_token;
mod check_in;
mod check_out;
mod identity;
mod leaving;
mod parting;
mod profile;
mod quarantine;
mod service_token;
mod token_update;
mod told_again;

pub(crate) use bootstrap_token::bootstrap_token_context;
pub use check_in::CheckInAnswer;
pub(crate) use check_in::malformed;
pub(crate) use identity::{Admission, admit};
pub use identity::{Credential, Refusal, Rejection};
pub(crate) use leaving::Leaving;
pub(crate) use profile::profile_identifier;
pub use profile::{EnrollmentAnswer, NoEnrollment};
pub(crate) use token_update::channel_key;

/// How far an enrollment got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollmentState {
    /// Its certificate was issued.
    Issued,
    /// It said `Authenticate`, and not yet `TokenUpdate`.
    Pending,
    /// It is the live enrollment of its device.
    Active,
    /// It claims a device that another live enrollment holds, and waits for an administrator.
    Quarantined,
    /// It ended; its certificate opens nothing any more.
    Over,
}

impl EnrollmentState {
    /// As it is stored.
    pub fn code(self) -> i16 {
        match self {
            Self::Issued => 0,
            Self::Pending => 1,
            Self::Active => 2,
            Self::Quarantined => 3,
            Self::Over => 4,
        }
    }

    /// The state of that code.
    pub fn of(code: i16) -> Option<Self> {
        [Self::Issued, Self::Pending, Self::Active, Self::Quarantined, Self::Over]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// One enrollment.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrollment {
    /// Its id: the common name of its certificate's subject.
    pub id: EnrollmentId,
    /// The device's record; until the first `TokenUpdate` an id of its own that no device has.
    pub device: DeviceId,
    /// UDID, or the enrollment id of a user enrollment; `None` before `Authenticate`.
    pub key: Option<String>,
    /// The link that it came by; none where a company's own CA made the identity.
    pub link: Option<LinkId>,
    /// The device for which the link was made.
    pub wanted_device: Option<DeviceId>,
    /// The user for whom the link was made.
    pub user: Option<UserId>,
    /// How far it got.
    pub state: EnrollmentState,
    /// What `Authenticate` told, as JSON of [`crate::Facts`].
    pub claimed: Option<crate::Facts>,
    /// When its certificate was issued.
    pub created_at: Timestamp,
}

/// A channel's key: empty for the device itself, else the user's id or short name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey(pub String);

/// How to wake one channel of an enrollment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Which one.
    pub key: ChannelKey,
    /// `Token` of the last `TokenUpdate`.
    pub push_token: Vec<u8>,
    /// `PushMagic` of the last `TokenUpdate`.
    pub push_magic: String,
    /// `UnlockToken`, sealed; `None` in a `TokenUpdate` does not delete it.
    pub unlock_token: Option<Vec<u8>>,
    /// `UserShortName` of a user's channel.
    pub user_name: Option<String>,
    /// When it was last told.
    pub updated_at: Timestamp,
}

/// A certificate that names an enrollment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityCertificate {
    /// Its fingerprint, SHA-256 of the DER.
    pub fingerprint: pki::Fingerprint,
    /// The enrollment that it names.
    pub enrollment: EnrollmentId,
    /// Whether it may be used.
    pub state: CertificateState,
    /// SHA-256 of the challenge that it was issued for: one challenge, one certificate.
    pub challenge: Option<[u8; 32]>,
    /// SHA-256 of the public key, to know the same request again.
    pub key_digest: [u8; 32],
    /// The certificate, so that the same request is answered with the same one.
    pub der: Vec<u8>,
    /// Until when it is good.
    pub not_after: Timestamp,
}

/// What a certificate is to its enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateState {
    /// Issued and not yet used: its first use pins it, and retires the one before.
    Issued,
    /// The one that the enrollment uses.
    Pinned,
    /// A newer one was used.
    Superseded,
    /// Taken back.
    Revoked,
}

impl CertificateState {
    /// As it is stored.
    pub fn code(self) -> i16 {
        match self {
            Self::Issued => 0,
            Self::Pinned => 1,
            Self::Superseded => 2,
            Self::Revoked => 3,
        }
    }

    /// The state of that code.
    pub fn of(code: i16) -> Option<Self> {
        [Self::Issued, Self::Pinned, Self::Superseded, Self::Revoked]
            .into_iter()
            .find(|state| state.code() == code)
    }
}
