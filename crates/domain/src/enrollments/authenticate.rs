//! `Authenticate`: a device says that it is about to enroll. It is enrolled after its first `TokenUpdate`, not before.

use super::{
    identity::{Rejection, Standing, usable},
    profile::GRANTED,
};
use crate::{
    CertificateState, Credential, Enrollment, EnrollmentId, EnrollmentState, Error, Facts, Identity,
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
        match self.bind(credential, &standing, message).await {
            // The same message, sent twice at once, was quicker: its certificate names a new enrollment by now.
            Err(Rejection::Failed(Error::Conflict(_))) => self.bind(credential, &standing, message).await,
            bound => bound,
        }
    }

    async fn bind(
        &self,
        credential: &Credential,
        standing: &Standing,
        message: &apple::Authenticate,
    ) -> Result<(), Rejection> {
        let key = message.ids.device_key().to_owned();
        let identity = match self.directory.identity(&credential.fingerprint()).await? {
            Some(identity) => identity,
            None => match self.adopt(credential, standing, &key, &message.topic).await {
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
        if self.is_over(&mut *tx, &enrollment, standing).await? {
            enrollment = self.come_back(&mut *tx, credential, &enrollment, standing, &key).await?;
        }
        if enrollment.key.as_ref().is_some_and(|bound| *bound != key) {
            return Err(Refusal::OtherDevice.into());
        }
        self.pin(&mut *tx, credential, enrollment.id).await?;
        if enrollment.state != EnrollmentState::Active {
            // An identity of a tenant's own CA came with a profile that we have not seen.
            let access_rights = standing.foreign.is_none().then_some(GRANTED.bits());
            begin(&mut enrollment, key, Facts { access_rights, ..Facts::claimed_by(message) });
            tx.set_enrollment(&enrollment).await?;
        }
        tracing::info!(enrollment = %enrollment.id, "a device authenticates");
        Ok(tx.commit().await?)
    }

    /// Whether `enrollment` has ended; also one of a tenant's own CA that was told to end itself and was silent from then
    /// on, since its device comes back with the identity that it had.
    async fn is_over(
        &self,
        tx: &mut dyn Tx,
        enrollment: &Enrollment,
        standing: &Standing,
    ) -> Result<bool, Rejection> {
        match enrollment.state {
            EnrollmentState::Over => Ok(true),
            EnrollmentState::Active if standing.foreign.is_some() => {
                match tx.device_for_update(enrollment.device).await? {
                    Some(device) => Ok(self.went(tx, &device).await?),
                    None => Ok(false),
                }
            }
            _ => Ok(false),
        }
    }

    /// One that is over stays so, but an identity of a tenant's own CA gets a new enrollment: a device cannot get another
    /// identity for each time that it enrolls. What the one before had (tokens, users, declarations) stays with that one.
    async fn come_back(
        &self,
        tx: &mut dyn Tx,
        credential: &Credential,
        before: &Enrollment,
        standing: &Standing,
        key: &str,
    ) -> Result<Enrollment, Rejection> {
        if standing.foreign.is_none() {
            return Err(Refusal::NotEnrolled.into());
        }
        if before.key.as_deref().is_some_and(|bound| bound != key) {
            return Err(Refusal::OtherDevice.into());
        }
        let fingerprint = credential.fingerprint();
        let named = tx.certificate(&fingerprint).await?.map(|certificate| certificate.enrollment);
        if named != Some(before.id) {
            return Err(Error::Conflict("the identity enrolls again already".into()).into());
        }
        if tx.key_is_held(key, before.id).await? {
            return Err(Refusal::KeyHeld.into());
        }
        let enrollment = self.foreign_enrollment();
        tx.add_enrollment(&enrollment).await?;
        tx.move_certificate(&fingerprint, enrollment.id).await?;
        Ok(enrollment)
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
