//! What the device roads of both databases share.

mod contacts;
mod queue;

use std::time::Duration;

use domain::{
    CertificateState, EnrollmentState, Event,
    ports::{Identity, Poll, ReportStep},
};

pub(crate) use contacts::{Contact, Contacts};
pub(crate) use queue::{GROUP, Queue, Reply, refuse, top_up};

/// Whether a step of this identity is served, if it claims `key`.
pub(crate) fn serves(identity: &Identity, key: &str) -> bool {
    identity.certificate_state == CertificateState::Pinned
        && identity.enrollment_state == EnrollmentState::Active
        && identity.key.as_deref() == Some(key)
}

/// What the audit log is told of a final report that changes nothing else.
pub(crate) fn result_event(who: &Identity, step: &Poll, report: &ReportStep, request_type: &str) -> Event {
    Event::of_result((who.device, report.command), request_type, report.state, &report.errors, step.now)
}

/// A duration as times are stored.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
