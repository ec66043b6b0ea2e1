//! The tenant itself.

use async_trait::async_trait;
use domain::{Result, TenantId, Timestamp, ports::Tenants};
use pki::Fingerprint;
use sqlx::query;

use super::Tx;

#[async_trait]
impl Tenants for Tx {
    fn tenant(&self) -> TenantId {
        self.tenant
    }

    async fn add_device_ca(
        &mut self,
        fingerprint: &Fingerprint,
        certificate: &[u8],
        pattern: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let insert = query(
            "INSERT INTO device_cas (tenant, fingerprint, certificate, pattern, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(self.tenant.0)
        .bind(&fingerprint.0[..])
        .bind(certificate)
        .bind(pattern)
        .bind(now.0);
        self.open.add(insert, "this CA was added already").await?;
        Ok(())
    }
}
