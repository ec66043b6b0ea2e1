//! `Authenticate`: a device says that it is about to enroll. It is enrolled after its first `TokenUpdate`, not before.

use super::{
    identity::{Rejection, Standing, usable},
    profile::GRANTED,
};
use crate::{
    CertificateState, Credential, Enrollment, EnrollmentId, EnrollmentState, Facts, Identity,
    IdentityCertificate, Mdm, Refusal, TenantId, Timestamp, ports::Tx, secrets::sha256,
};

impl Mdm {
    /// Takes an `Authenticate`: binds the enrollment to the device that it claims to be.
    ///
    /// A live enrollment that says it again, with the same certificate or its renewal, keeps all that it has.
    pub(super) async fn authenticate(
        &self,
        credential: &Credential,
        message: &apple::Authenticate,
    ) -> Result<(), Rejection> {
        let standing = self.judge(credential).await?;
        if standing.expired {
            return Err(Refusal::Expired.into());
        }
        let key = message.ids.device_key().to_owned();
        let identity = match self.directory.identity(&credential.fingerprint()).await? {
            Some(identity) => identity,
            None => match self.adopt(credential, &standing, &key, &message.topic).await {
                Ok(identity) => identity,
                // The same message, sent twice at once, may have been quicker.
                Err(why) => self.directory.identity(&credential.fingerprint()).await?.ok_or(why)?,
            },
        };
        let mut tx = self.store.begin(identity.tenant).await?;
        keeps_topic(&mut *tx, &message.topic).await?;
        let enrollment = tx.enrollment_for_update(identity.enrollment).await?;
        let mut enrollment = enrollment.ok_or(Refusal::Unknown)?;
        usable(identity.certificate_state)?;
        if enrollment.state == EnrollmentState::Over {
            comes_back(&mut *tx, &enrollment, &standing, &key).await?;
        }
        if enrollment.key.as_ref().is_some_and(|bound| *bound != key) {
            return Err(Refusal::OtherDevice.into());
        }
        self.pin(&mut *tx, credential, &identity).await?;
        if enrollment.state != EnrollmentState::Active {
            // An identity of a tenant's own CA came with a profile that we have not seen.
            let access_rights = standing.foreign.is_none().then_some(GRANTED.bits());
            begin(&mut enrollment, key, Facts { access_rights, ..Facts::claimed_by(message) });
            tx.set_enrollment(&enrollment).await?;
        }
        tracing::info!(enrollment = %enrollment.id, "a device authenticates");
        Ok(tx.commit().await?)
    }

    /// Makes an enrollment for an identity that a tenant's own CA issued.
    async fn adopt(
        &self,
        credential: &Credential,
        standing: &Standing,
        key: &str,
        topic: &str,
    ) -> Result<Identity, Rejection> {
        let Some(tenant) = standing.foreign else { return Err(self.unknown(credential).await) };
        if let Some(stone) = self.directory.tombstone(&credential.fingerprint()).await? {
            return Err(Refusal::Unenroll { understands_unrecognized: stone.understands_unrecognized }.into());
        }
        let enrollment = self.foreign_enrollment();
        let mut tx = self.store.begin(tenant).await?;
        keeps_topic(&mut *tx, topic).await?;
        if tx.key_is_held(key, enrollment.id).await? {
            return Err(Refusal::KeyHeld.into());
        }
        tx.add_enrollment(&enrollment).await?;
        tx.add_certificate(&foreign_certificate(credential, enrollment.id)).await?;
        tx.commit().await?;
        Ok(identity(tenant, &enrollment))
    }

    fn foreign_enrollment(&self) -> Enrollment {
        Enrollment {
            id: EnrollmentId(self.random.id()),
            device: crate::DeviceId(self.random.id()),
            key: None,
            link: None,
            wanted_device: None,
            user: None,
            state: EnrollmentState::Issued,
            claimed: None,
            created_at: self.clock.now(),
        }
    }
}

/// One that is over stays so, but for an identity of a tenant's own CA: a device cannot get another one of those for
/// each time that it enrolls.
async fn comes_back(
    tx: &mut dyn Tx,
    enrollment: &Enrollment,
    standing: &Standing,
    key: &str,
) -> Result<(), Rejection> {
    if standing.foreign.is_none() {
        return Err(Refusal::NotEnrolled.into());
    }
    if tx.key_is_held(key, enrollment.id).await? { Err(Refusal::KeyHeld.into()) } else { Ok(()) }
}

/// Binds an enrollment to a device; one in quarantine stays there.
fn begin(enrollment: &mut Enrollment, key: String, claimed: Facts) {
    enrollment.key = Some(key);
    enrollment.claimed = Some(claimed);
    if enrollment.state != EnrollmentState::Quarantined {
        enrollment.state = EnrollmentState::Pending;
    }
}

/// `Topic` is fixed for the life of an enrollment, and the tenant's (`protocol-subtleties` 21).
pub(super) async fn keeps_topic(tx: &mut dyn Tx, topic: &str) -> Result<(), Rejection> {
    let certificate = tx.push_certificate().await?;
    if certificate.is_some_and(|certificate| certificate.topic == topic) {
        return Ok(());
    }
    Err(Refusal::WrongTopic.into())
}

fn foreign_certificate(credential: &Credential, enrollment: EnrollmentId) -> IdentityCertificate {
    let certificate = credential.certificate();
    IdentityCertificate {
        fingerprint: certificate.fingerprint(),
        enrollment,
        state: CertificateState::Issued,
        challenge: None,
        key_digest: sha256(certificate.public_key_spki()),
        der: certificate.der().to_vec(),
        not_after: Timestamp::from(certificate.not_after()),
    }
}

fn identity(tenant: TenantId, enrollment: &Enrollment) -> Identity {
    Identity {
        tenant,
        device: enrollment.device,
        enrollment: enrollment.id,
        key: None,
        enrollment_state: enrollment.state,
        certificate_state: CertificateState::Issued,
    }
}
