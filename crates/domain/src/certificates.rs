//! Identity certificates: issued by SCEP, renewed before they end.

use std::time::Duration;

use pki::scep;

use crate::{
    CertificateState, Credential, DeviceId, Enrollment, EnrollmentId, EnrollmentState, Error,
    IdentityCertificate, Link, LinkId, Mdm, Refusal, Result, TenantId, Timestamp, ports::Tx, secrets::sha256,
};

mod challenge;
mod renewal;

pub(crate) use challenge::{Challenge, ChallengeKind};

/// How far a new certificate is dated back, for devices whose clocks are behind (`protocol-subtleties` 9).
const BACK_DATED: Duration = Duration::from_hours(25);

/// What a SCEP client is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScepAnswer {
    /// A signed `CertRep`, of success or of failure.
    Reply(Vec<u8>),
    /// The message is none that could be answered by one: 400.
    Unreadable,
}

/// Why no certificate is issued. The client is told the same for all; the log tells which.
#[derive(Debug, thiserror::Error)]
enum NotIssued {
    #[error("the request has no challenge, or one that we did not make")]
    Challenge,
    #[error("the challenge has expired")]
    ChallengeExpired,
    #[error("the challenge was used for another key")]
    ChallengeUsed,
    #[error("the enrollment link has expired or is used up")]
    Link,
    #[error("the enrollment is over")]
    Over,
    #[error("the certificate that asks for its renewal is not good for it: {0}")]
    Renewal(String),
    #[error(transparent)]
    Failed(#[from] Error),
}

impl Mdm {
    /// Answers a SCEP `PKIOperation`: `PKCSReq` by a challenge of ours, `RenewalReq` by a certificate of ours.
    ///
    /// The same request is answered with the same certificate, so that a retry after a lost answer works; a certificate is
    /// durably stored before it leaves.
    ///
    /// # Errors
    /// Only where it is ours to mend; the client may try again.
    pub async fn scep(&self, message: &[u8]) -> Result<ScepAnswer> {
        let ca = self.installation.device_ca();
        let request = match scep::open(message, ca, self.settings.scep_allow_des) {
            Ok(request) => request,
            Err(refusal) => return self.refused(&refusal),
        };
        let issued = match request.kind {
            scep::Kind::PkcsReq => self.enroll_key(&request).await,
            scep::Kind::RenewalReq => self.renew_key(&request).await,
        };
        match issued {
            Ok(certificate) => {
                let reply = scep::reply_success(
                    &request,
                    &certificate,
                    ca,
                    self.clock.now().system_time(),
                    self.nonce(),
                );
                reply.map(ScepAnswer::Reply).map_err(Error::internal)
            }
            Err(NotIssued::Failed(error)) => Err(error),
            Err(why) => {
                tracing::warn!(%why, transaction = request.transaction.id, "no certificate is issued");
                self.failure(&request.transaction, scep::FailInfo::REJECTED)
            }
        }
    }

    fn refused(&self, refusal: &scep::Refusal) -> Result<ScepAnswer> {
        tracing::warn!(why = %refusal, "a SCEP message is refused");
        let Some((transaction, reason)) = refusal.answer() else { return Ok(ScepAnswer::Unreadable) };
        self.failure(transaction, reason)
    }

    fn failure(&self, transaction: &scep::Transaction, reason: scep::FailInfo) -> Result<ScepAnswer> {
        let now = self.clock.now().system_time();
        let reply =
            scep::reply_failure(transaction, reason, self.installation.device_ca(), now, self.nonce());
        reply.map(ScepAnswer::Reply).map_err(Error::internal)
    }

    fn nonce(&self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce);
        nonce
    }

    async fn enroll_key(&self, request: &scep::Request) -> std::result::Result<pki::Certificate, NotIssued> {
        let text = request.csr.challenge_password().ok_or(NotIssued::Challenge)?;
        let challenge = Challenge::decode(text, &self.installation.key_ring()).ok_or(NotIssued::Challenge)?;
        let digest = sha256(text.as_bytes());
        match self.redeem(&challenge, digest, request).await {
            // The same request may just have been served at another place: then its certificate is there by now.
            Err(why @ (NotIssued::Link | NotIssued::Failed(_))) => {
                let mut tx = self.store.read(challenge.tenant).await?;
                let issued = tx.certificate_for_challenge(&digest).await?;
                issued.map_or(Err(why), |issued| same_request(&issued, request))
            }
            redeemed => redeemed,
        }
    }

    async fn redeem(
        &self,
        challenge: &Challenge,
        digest: [u8; 32],
        request: &scep::Request,
    ) -> std::result::Result<pki::Certificate, NotIssued> {
        let mut tx = self.store.begin(challenge.tenant).await?;
        if let Some(issued) = tx.certificate_for_challenge(&digest).await? {
            return same_request(&issued, request);
        }
        let now = self.clock.now();
        if challenge.expires_at <= now {
            return Err(NotIssued::ChallengeExpired);
        }
        match challenge.kind {
            ChallengeKind::Link(link) => self.begin_enrollment(&mut *tx, challenge, link, now).await?,
            ChallengeKind::Renewal => goes_on(&mut *tx, challenge.enrollment).await?,
        }
        let issue =
            Issue { tenant: challenge.tenant, enrollment: challenge.enrollment, challenge: Some(digest) };
        let certificate = self.issue(&mut *tx, &issue, request).await?;
        tx.commit().await?;
        Ok(certificate)
    }

    /// Counts a use of the link, and starts the enrollment that the challenge is bound to.
    async fn begin_enrollment(
        &self,
        tx: &mut dyn Tx,
        challenge: &Challenge,
        link: LinkId,
        now: Timestamp,
    ) -> std::result::Result<(), NotIssued> {
        let Some(Link { user, device, .. }) = tx.use_link(link, now).await? else {
            return Err(NotIssued::Link);
        };
        let enrollment = Enrollment {
            id: challenge.enrollment,
            device: DeviceId(self.random.id()),
            key: None,
            link: Some(link),
            wanted_device: device,
            user,
            state: EnrollmentState::Issued,
            claimed: None,
            created_at: now,
        };
        Ok(tx.add_enrollment(&enrollment).await?)
    }

    /// `RenewalReq`: signed with the identity that is to be renewed, be it expired.
    async fn renew_key(&self, request: &scep::Request) -> std::result::Result<pki::Certificate, NotIssued> {
        let credential = Credential::proven(request.signer.clone());
        self.judge(&credential).await.map_err(|why| NotIssued::Renewal(why.to_string()))?;
        let identity = self.directory.identity(&credential.fingerprint()).await?;
        let identity = identity.ok_or_else(|| NotIssued::Renewal(Refusal::Unknown.to_string()))?;
        let mut tx = self.store.begin(identity.tenant).await?;
        goes_on(&mut *tx, identity.enrollment).await?;
        let certificates = tx.certificates(identity.enrollment).await?;
        let usable = |state| matches!(state, CertificateState::Issued | CertificateState::Pinned);
        if !certificates.iter().any(|own| own.fingerprint == credential.fingerprint() && usable(own.state)) {
            return Err(NotIssued::Renewal(Refusal::Superseded.to_string()));
        }
        let key_digest = sha256(request.csr.spki());
        let known = certificates
            .iter()
            .find(|own| own.key_digest == key_digest && own.state == CertificateState::Issued);
        if let Some(known) = known {
            return same_request(known, request);
        }
        let issue = Issue { tenant: identity.tenant, enrollment: identity.enrollment, challenge: None };
        let certificate = self.issue(&mut *tx, &issue, request).await?;
        tx.commit().await?;
        Ok(certificate)
    }

    async fn issue(
        &self,
        tx: &mut dyn Tx,
        issue: &Issue,
        request: &scep::Request,
    ) -> Result<pki::Certificate> {
        let now = self.clock.now();
        let mut serial = [0; 16];
        self.random.fill(&mut serial);
        serial[0] = serial[0] & 0x7f | 0x40;
        let certificate = self.installation.device_ca().issue(&pki::Identity {
            spki: request.csr.spki(),
            common_name: &issue.enrollment.to_string(),
            organization: &issue.tenant.to_string(),
            serial,
            not_before: now.minus(BACK_DATED).system_time(),
            not_after: now.plus(self.settings.identity_lifetime).system_time(),
        });
        let certificate = certificate.map_err(Error::internal)?;
        tx.add_certificate(&IdentityCertificate {
            fingerprint: certificate.fingerprint(),
            enrollment: issue.enrollment,
            state: CertificateState::Issued,
            challenge: issue.challenge,
            key_digest: sha256(request.csr.spki()),
            der: certificate.der().to_vec(),
            not_after: Timestamp::from(certificate.not_after()),
        })
        .await?;
        Ok(certificate)
    }
}

/// For whom a certificate is issued, and by what right.
struct Issue {
    tenant: TenantId,
    enrollment: EnrollmentId,
    challenge: Option<[u8; 32]>,
}

/// The certificate of before, if it is the same key that asks again.
fn same_request(
    issued: &IdentityCertificate,
    request: &scep::Request,
) -> std::result::Result<pki::Certificate, NotIssued> {
    let usable = matches!(issued.state, CertificateState::Issued | CertificateState::Pinned);
    if !usable || issued.key_digest != sha256(request.csr.spki()) {
        return Err(NotIssued::ChallengeUsed);
    }
    Ok(pki::Certificate::from_der(&issued.der).map_err(Error::internal)?)
}

async fn goes_on(tx: &mut dyn Tx, enrollment: EnrollmentId) -> std::result::Result<(), NotIssued> {
    let enrollment = tx.enrollment_for_update(enrollment).await?;
    let goes_on = enrollment.is_some_and(|enrollment| enrollment.state != EnrollmentState::Over);
    if goes_on { Ok(()) } else { Err(NotIssued::Over) }
}
