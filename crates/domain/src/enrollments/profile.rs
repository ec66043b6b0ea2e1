//! The enrollment profile: what a link answers.

use std::time::Duration;

use apple::enrollment::{AccessRights, MdmPayload, PayloadUuids, ScepPayload};
use aws_lc_rs::digest;

use crate::{
    EnrollmentId, Error, Mdm, Result, TenantId, Thing,
    certificates::{Challenge, ChallengeKind},
    ports::LinkRow,
    secrets,
};

/// `AccessRights` of every profile of ours. An update of a profile may only take rights away, so that there is no asking
/// for more later.
pub(super) const GRANTED: AccessRights = AccessRights::ALL;

/// How long a profile's challenge is good: the device fetches its certificate at once, a person may read first.
const CHALLENGE_LIFETIME: Duration = Duration::from_hours(24);

/// What someone who opens a link gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnrollmentAnswer {
    /// The profile, to be served as `application/x-apple-aspen-config`.
    Profile(Vec<u8>),
    /// A page that says why not.
    None(NoEnrollment),
}

/// Why a link does not enroll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEnrollment {
    /// There is no such link.
    Unknown,
    /// It has expired.
    Expired,
    /// It was used as often as it may.
    UsedUp,
    /// The tenant has no push certificate yet, so there is no topic, which could never be changed.
    NoPushCertificate,
}

impl Mdm {
    /// Answers an enrollment link. Fetching it counts as no use, since chat programs fetch links for a preview; nothing is
    /// written.
    pub async fn enrollment_profile(&self, token: &str, signed: bool) -> Result<EnrollmentAnswer> {
        let base = self.settings.enrollment_base()?;
        let now = self.clock.now();
        let Some(LinkRow { tenant, link, .. }) = self.directory.link(&secrets::hash(token)).await? else {
            return Ok(EnrollmentAnswer::None(NoEnrollment::Unknown));
        };
        if link.expires_at <= now {
            return Ok(EnrollmentAnswer::None(NoEnrollment::Expired));
        }
        if link.used >= link.max_uses {
            return Ok(EnrollmentAnswer::None(NoEnrollment::UsedUp));
        }
        let Some(certificate) = self.store.read(tenant).await?.push_certificate().await? else {
            return Ok(EnrollmentAnswer::None(NoEnrollment::NoPushCertificate));
        };
        let enrollment = EnrollmentId(self.random.id());
        let challenge = self.challenge(tenant, enrollment, ChallengeKind::Link(link.id))?;
        let profile = self.profile(base, tenant, enrollment, &certificate.topic, &challenge).await?;
        let profile = if signed { self.installation.sign_profile(&profile, now)? } else { profile };
        Ok(EnrollmentAnswer::Profile(profile))
    }

    /// The same profile again with a fresh challenge for the enrollment that has it already, signed.
    pub(crate) async fn renewal_profile(
        &self,
        tenant: TenantId,
        enrollment: EnrollmentId,
    ) -> Result<Vec<u8>> {
        let base = self.settings.enrollment_base()?;
        let certificate = self.store.read(tenant).await?.push_certificate().await?;
        let topic = certificate.ok_or(Error::NotFound(Thing::PushCertificate))?.topic;
        let challenge = self.challenge(tenant, enrollment, ChallengeKind::Renewal)?;
        let profile = self.profile(base, tenant, enrollment, &topic, &challenge).await?;
        self.installation.sign_profile(&profile, self.clock.now())
    }

    fn challenge(&self, tenant: TenantId, enrollment: EnrollmentId, kind: ChallengeKind) -> Result<String> {
        let expires_at = self.clock.now().plus(match kind {
            ChallengeKind::Link(_) => CHALLENGE_LIFETIME,
            // The command waits until the device next connects, which may be long.
            ChallengeKind::Renewal => self.settings.renew_before,
        });
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce);
        Challenge { tenant, enrollment, kind, expires_at, nonce }.encode(&self.installation.key_ring())
    }

    async fn profile(
        &self,
        base: &str,
        tenant: TenantId,
        enrollment: EnrollmentId,
        topic: &str,
        challenge: &str,
    ) -> Result<Vec<u8>> {
        let name = self.directory.tenant(tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?.name;
        let profile = apple::EnrollmentProfile {
            identifier: profile_identifier(tenant),
            uuids: PayloadUuids::derived_from(&enrollment.to_string()),
            display_name: format!("{name} device management"),
            description: format!("Lets {name} manage this device."),
            organization: name,
            removal_disallowed: false,
            scep: ScepPayload {
                url: format!("{base}/scep"),
                name: "Remuda".into(),
                challenge: challenge.into(),
                ca_fingerprint: sha1(self.installation.device_ca().certificate().der()),
                subject: vec![("O".into(), tenant.to_string()), ("CN".into(), enrollment.to_string())],
                ..ScepPayload::default()
            },
            tls_root: self.installation.tls_root().map(<[u8]>::to_vec),
            mdm: MdmPayload {
                access_rights: GRANTED,
                ..MdmPayload::new(&format!("{base}/mdm"), &format!("{base}/checkin"), topic)
            },
        };
        Ok(profile.encode())
    }
}

/// `PayloadIdentifier` of a tenant's enrollment profiles: with the profile of that name goes all management.
pub(crate) fn profile_identifier(tenant: TenantId) -> String {
    format!("remuda.enrollment.{tenant}")
}

/// What devices know a CA by: `CAFingerprint` has no better hash.
fn sha1(der: &[u8]) -> [u8; 20] {
    let mut hash = [0; 20];
    hash.copy_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der).as_ref());
    hash
}
