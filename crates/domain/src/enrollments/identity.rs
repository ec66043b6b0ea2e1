//! Who a device is: the judgement of its certificate, and what a refusal is called.

use std::time::Duration;

use pki::{Certificate, Verdict};

use crate::{
    CertificateState, EnrollmentId, EnrollmentState, Error, Identity, Mdm, TenantId,
    ports::{Tombstone, Tx},
};

/// How far clocks of devices are off at most (`protocol-subtleties` 9).
const CLOCK_SKEW: Duration = Duration::from_hours(24);

/// A certificate whose private key the device was seen to hold: by a TLS handshake, by a signature over the request's
/// body, or on a trusted proxy's word.
#[derive(Clone, Debug)]
pub struct Credential {
    certificate: Certificate,
}

/// Why a device is turned away. Only [`Refusal::Unenroll`] may ever become a 401.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The certificate is from no CA that we trust.
    #[error("the certificate is from no CA that is trusted here")]
    Untrusted,
    /// The certificate is not valid yet, by more than a day.
    #[error("the certificate is not valid yet")]
    NotYetValid,
    /// The certificate has expired, and what was asked is more than its renewal.
    #[error("the certificate has expired")]
    Expired,
    /// One of ours, but of no enrollment that we know.
    #[error("the certificate belongs to no enrollment")]
    Unknown,
    /// It was taken back.
    #[error("the certificate was revoked")]
    Revoked,
    /// A newer one of the same enrollment is in use.
    #[error("the certificate was replaced by a newer one")]
    Superseded,
    /// It names another device than the message does.
    #[error("the certificate belongs to another device")]
    OtherDevice,
    /// It has not said `Authenticate`, or is over.
    #[error("the device is not enrolled")]
    NotEnrolled,
    /// The topic is not the tenant's.
    #[error("the topic is not the one of this enrollment")]
    WrongTopic,
    /// Another enrollment holds this UDID, and an identity of a company's own CA may not claim it.
    #[error("another enrollment holds this device id")]
    KeyHeld,
    /// The message cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// The device was purged: it is told to drop its management.
    #[error("the device was deleted; it is told to drop its management")]
    Unenroll {
        /// Whether its OS understands `com.apple.unrecognized.device`; else 401.
        understands_unrecognized: bool,
    },
}

/// What a device's request comes to where it is not served.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    /// Turned away.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Ours to fix, or to try again.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// How a certificate stands, by its issuer and its dates.
pub(crate) struct Standing {
    /// Whether it has expired: good for its renewal and nothing else.
    pub(crate) expired: bool,
    /// The tenant whose own CA issued it; `None` for ours.
    pub(crate) foreign: Option<TenantId>,
}

/// What a known certificate may do that the hot road would not serve.
pub(crate) enum Admission {
    /// Pin it first: it was issued beside the pinned one and is now used.
    Pin,
    /// Nothing to say to it yet.
    Wait,
}

impl Credential {
    /// A certificate whose holder has proven to have its key. The caller vouches for that; chain, dates and
    /// enrollment are judged here.
    pub fn proven(certificate: Certificate) -> Self {
        Self { certificate }
    }

    /// The certificate's fingerprint.
    pub fn fingerprint(&self) -> pki::Fingerprint {
        self.certificate.fingerprint()
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

impl Mdm {
    /// Judges issuer and dates of a certificate.
    pub(crate) async fn judge(&self, credential: &Credential) -> Result<Standing, Rejection> {
        let now = self.clock.now().system_time();
        match standing(self.installation.issued().judge(&credential.certificate, now, CLOCK_SKEW), None) {
            Err(Refusal::Untrusted) => {}
            judged => return Ok(judged?),
        }
        for (tenant, der, pattern) in self.directory.device_cas().await? {
            let anchor = Certificate::from_der(&der).map_err(Error::internal)?;
            if pattern
                .is_some_and(|pattern| !matches(&pattern, &credential.certificate.subject().to_string()))
            {
                continue;
            }
            match standing(pki::judge(&credential.certificate, &[anchor], now, CLOCK_SKEW), Some(tenant)) {
                Err(Refusal::Untrusted) => {}
                judged => return Ok(judged?),
            }
        }
        Err(Refusal::Untrusted.into())
    }

    /// What to tell a certificate that belongs to no enrollment: a purged device drops its management, anything else is
    /// refused without being unenrolled, since a restored backup may have lost it.
    pub(crate) async fn unknown(&self, credential: &Credential) -> Rejection {
        match self.directory.tombstone(&credential.fingerprint()).await {
            Ok(Some(Tombstone { understands_unrecognized, .. })) => {
                Refusal::Unenroll { understands_unrecognized }.into()
            }
            Ok(None) => Refusal::Unknown.into(),
            Err(error) => error.into(),
        }
    }

    /// What was taken or not; but a device that was purged since its certificate was looked up is told so, as it will be
    /// from now on.
    pub(crate) async fn unless_purged<T>(
        &self,
        credential: &Credential,
        taken: Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        match taken {
            Err(Rejection::Refused(why @ (Refusal::Unknown | Refusal::NotEnrolled))) => {
                Err(match self.unknown(credential).await {
                    Rejection::Refused(Refusal::Unknown) => why.into(),
                    told => told,
                })
            }
            taken => taken,
        }
    }

    /// Makes `credential` the one certificate of its enrollment, since it is used for the first time.
    pub(super) async fn pin(
        &self,
        tx: &mut dyn Tx,
        credential: &Credential,
        enrollment: EnrollmentId,
    ) -> Result<(), Error> {
        let fingerprint = credential.fingerprint();
        for certificate in tx.certificates(enrollment).await? {
            if certificate.fingerprint != fingerprint && certificate.state == CertificateState::Pinned {
                tx.set_certificate_state(&certificate.fingerprint, CertificateState::Superseded).await?;
            }
        }
        tx.set_certificate_state(&fingerprint, CertificateState::Pinned).await
    }

    /// Pins in a transaction of its own, for the hot road.
    pub(crate) async fn pin_now(
        &self,
        credential: &Credential,
        identity: &Identity,
    ) -> Result<(), Rejection> {
        let mut tx = self.store.begin(identity.tenant).await?;
        tx.enrollment_for_update(identity.enrollment).await?.ok_or(Refusal::Unknown)?;
        self.pin(&mut *tx, credential, identity.enrollment).await?;
        Ok(tx.commit().await?)
    }
}

/// Whether a known certificate may go on although the hot road did not serve it.
pub(crate) fn admit(identity: &Identity, claimed: &str) -> Result<Admission, Refusal> {
    usable(identity.certificate_state)?;
    match identity.key.as_deref() {
        None => return Err(Refusal::NotEnrolled),
        Some(key) if key != claimed => return Err(Refusal::OtherDevice),
        Some(_) => {}
    }
    match identity.enrollment_state {
        EnrollmentState::Issued | EnrollmentState::Over => Err(Refusal::NotEnrolled),
        EnrollmentState::Pending | EnrollmentState::Quarantined => Ok(Admission::Wait),
        EnrollmentState::Active => Ok(Admission::Pin),
    }
}

/// Refuses certificates that were taken back or replaced.
pub(super) fn usable(state: CertificateState) -> Result<(), Refusal> {
    match state {
        CertificateState::Issued | CertificateState::Pinned => Ok(()),
        CertificateState::Superseded => Err(Refusal::Superseded),
        CertificateState::Revoked => Err(Refusal::Revoked),
    }
}

fn standing(verdict: Verdict, foreign: Option<TenantId>) -> Result<Standing, Refusal> {
    match verdict {
        Verdict::Trusted { .. } => Ok(Standing { expired: false, foreign }),
        Verdict::Expired { .. } => Ok(Standing { expired: true, foreign }),
        Verdict::NotYetValid { .. } => Err(Refusal::NotYetValid),
        Verdict::Unknown => Err(Refusal::Untrusted),
    }
}

/// A pattern with `*` for any text, as in `CN=*,O=Example`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_subject() {
        for (pattern, fits) in [
            ("CN=*,O=Acme", true),
            ("*", true),
            ("CN=mac-*,O=*", true),
            ("CN=mac-1", false),
            ("O=Acme", false),
        ] {
            assert_eq!(matches(pattern, "CN=mac-1,O=Acme"), fits, "{pattern}");
        }
        assert!(!matches("CN=*Acme*Acme", "CN=Acme"));
    }

    #[test]
    fn an_empty_pattern_matches_nothing() {
        assert!(!matches("", "CN=mac-1"));
    }
}
