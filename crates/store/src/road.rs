//! What the device roads of both databases share.

mod contacts;
mod queue;

use domain::{CertificateState, EnrollmentState, ports::Identity};

pub(crate) use contacts::{Contact, Contacts};
pub(crate) use queue::{GROUP, Queue, Reply, refuse};

/// Whether a step of this identity is served, if it claims `key`.
pub(crate) fn serves(identity: &Identity, key: &str) -> bool {
    identity.certificate_state == CertificateState::Pinned
        && identity.enrollment_state == EnrollmentState::Active
        && identity.key.as_deref() == Some(key)
}
