//! What the device roads of both databases share.

mod contacts;
mod queue;

use std::time::Duration;

use domain::{CertificateState, EnrollmentState, ports::Identity};

pub(crate) use contacts::{Contact, Contacts};
pub(crate) use queue::{GROUP, Queue, Reply, refuse, top_up};

/// Whether a step of this identity is served, if it claims `key`.
pub(crate) fn serves(identity: &Identity, key: &str) -> bool {
    identity.certificate_state == CertificateState::Pinned
        && identity.enrollment_state == EnrollmentState::Active
        && identity.key.as_deref() == Some(key)
}

/// A duration as times are stored.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
