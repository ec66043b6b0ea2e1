//! The tenant's push certificate.

use async_trait::async_trait;
use domain::{PushCertificate, Result, Timestamp, ports::PushCertificates};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{get, time},
};

#[async_trait]
impl PushCertificates for Tx {
    async fn push_certificate(&mut self) -> Result<Option<PushCertificate>> {
        let select = query(
            "SELECT topic, certificates, sealed_key, expires_at, imported_at FROM push_certificates WHERE tenant = $1",
        )
        .bind(self.tenant.0);
        self.open.one(select).await?.map(|row| push_certificate(&row)).transpose()
    }

    async fn set_push_certificate(&mut self, certificate: &PushCertificate) -> Result<()> {
        let upsert = query(
            "INSERT INTO push_certificates (tenant, topic, certificates, sealed_key, expires_at, imported_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (tenant) DO UPDATE SET topic = excluded.topic, certificates = excluded.certificates,
                 sealed_key = excluded.sealed_key, expires_at = excluded.expires_at,
                 imported_at = excluded.imported_at",
        )
        .bind(self.tenant.0)
        .bind(&certificate.topic)
        .bind(&certificate.certificates)
        .bind(&certificate.sealed_key)
        .bind(certificate.expires_at.0)
        .bind(certificate.imported_at.0);
        self.open.run(upsert).await?;
        Ok(())
    }

    async fn push_request_key(&mut self) -> Result<Option<Vec<u8>>> {
        let select = query("SELECT sealed FROM push_request_keys WHERE tenant = $1").bind(self.tenant.0);
        self.open.one(select).await?.map(|row| get(&row, "sealed")).transpose()
    }

    async fn set_push_request_key(&mut self, sealed: &[u8], now: Timestamp) -> Result<()> {
        let upsert = query(
            "INSERT INTO push_request_keys (tenant, sealed, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (tenant) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at",
        )
        .bind(self.tenant.0)
        .bind(sealed)
        .bind(now.0);
        self.open.run(upsert).await?;
        Ok(())
    }

    async fn has_live_enrollments(&mut self) -> Result<bool> {
        let select =
            query("SELECT EXISTS (SELECT 1 FROM enrollments WHERE tenant = $1 AND state <> 4) AS found")
                .bind(self.tenant.0);
        self.open.one(select).await?.map_or(Ok(false), |row| get(&row, "found"))
    }
}

fn push_certificate(row: &Row) -> Result<PushCertificate> {
    Ok(PushCertificate {
        topic: get(row, "topic")?,
        certificates: get(row, "certificates")?,
        sealed_key: get(row, "sealed_key")?,
        expires_at: time(row, "expires_at")?,
        imported_at: time(row, "imported_at")?,
    })
}
