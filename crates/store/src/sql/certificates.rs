//! Identity certificates.

use async_trait::async_trait;
use domain::{CertificateState, EnrollmentId, IdentityCertificate, Result, ports::Certificates};
use pki::Fingerprint;
use sqlx::query;

use super::{
    Row, Tx,
    rows::{certificate_state, digest, fingerprint, get, time},
};

macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT fingerprint, enrollment, state, not_after, challenge, key_digest, der FROM certificates WHERE ",
            $where
        )
    };
}

#[async_trait]
impl Certificates for Tx {
    async fn add_certificate(&mut self, certificate: &IdentityCertificate) -> Result<()> {
        let insert = query(
            "INSERT INTO certificates (fingerprint, tenant, enrollment, state, not_after, challenge, key_digest, der)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(&certificate.fingerprint.0[..])
        .bind(self.tenant.0)
        .bind(certificate.enrollment.0)
        .bind(certificate.state.code())
        .bind(certificate.not_after.0)
        .bind(certificate.challenge.as_ref().map(|hash| &hash[..]))
        .bind(&certificate.key_digest[..])
        .bind(&certificate.der);
        self.open.add(insert, "a certificate was issued for this challenge already").await?;
        Ok(())
    }

    async fn certificate_for_challenge(
        &mut self,
        challenge: &[u8; 32],
    ) -> Result<Option<IdentityCertificate>> {
        let select =
            query(select!("tenant = $1 AND challenge = $2")).bind(self.tenant.0).bind(&challenge[..]);
        self.open.one(select).await?.map(|row| certificate(&row)).transpose()
    }

    async fn certificate(&mut self, fingerprint: &Fingerprint) -> Result<Option<IdentityCertificate>> {
        let select =
            query(select!("tenant = $1 AND fingerprint = $2")).bind(self.tenant.0).bind(&fingerprint.0[..]);
        self.open.one(select).await?.map(|row| certificate(&row)).transpose()
    }

    async fn certificates(&mut self, enrollment: EnrollmentId) -> Result<Vec<IdentityCertificate>> {
        let newest = query(select!("tenant = $1 AND enrollment = $2 ORDER BY seq DESC LIMIT 100"))
            .bind(self.tenant.0)
            .bind(enrollment.0);
        self.open.all(newest).await?.iter().rev().map(certificate).collect()
    }

    async fn move_certificate(&mut self, fingerprint: &Fingerprint, enrollment: EnrollmentId) -> Result<()> {
        let update = query("UPDATE certificates SET enrollment = $3 WHERE tenant = $1 AND fingerprint = $2")
            .bind(self.tenant.0)
            .bind(&fingerprint.0[..])
            .bind(enrollment.0);
        self.open.set(update, "certificate").await
    }

    async fn set_certificate_state(
        &mut self,
        fingerprint: &Fingerprint,
        state: CertificateState,
    ) -> Result<()> {
        let update = query("UPDATE certificates SET state = $3 WHERE tenant = $1 AND fingerprint = $2")
            .bind(self.tenant.0)
            .bind(&fingerprint.0[..])
            .bind(state.code());
        self.open.set(update, "certificate").await
    }

    async fn set_certificate_states(
        &mut self,
        enrollment: EnrollmentId,
        state: CertificateState,
    ) -> Result<()> {
        let update = query("UPDATE certificates SET state = $3 WHERE tenant = $1 AND enrollment = $2")
            .bind(self.tenant.0)
            .bind(enrollment.0)
            .bind(state.code());
        self.open.run(update).await?;
        Ok(())
    }
}

fn certificate(row: &Row) -> Result<IdentityCertificate> {
    let challenge = match get::<Option<&[u8]>>(row, "challenge")? {
        Some(_) => Some(digest(row, "challenge")?),
        None => None,
    };
    Ok(IdentityCertificate {
        fingerprint: fingerprint(row, "fingerprint")?,
        enrollment: EnrollmentId(get(row, "enrollment")?),
        state: certificate_state(row, "state")?,
        challenge,
        key_digest: digest(row, "key_digest")?,
        der: get(row, "der")?,
        not_after: time(row, "not_after")?,
    })
}
