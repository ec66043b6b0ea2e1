//! Secrets in escrow.

use async_trait::async_trait;
use domain::{
    CommandId, DeviceId, EnrollmentId, EscrowId, Result,
    ports::{Escrow, EscrowRow},
};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{get, time},
};

#[async_trait]
impl Escrow for Tx {
    async fn add_escrow(&mut self, row: &EscrowRow) -> Result<()> {
        let insert = query(
            "INSERT INTO escrow (tenant, device, id, enrollment, kind, command, sealed, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(self.tenant.0)
        .bind(row.device.0)
        .bind(row.id.0)
        .bind(row.enrollment.0)
        .bind(&row.kind)
        .bind(row.command.map(|id| id.0))
        .bind(&row.sealed)
        .bind(row.created_at.0);
        self.open.run(insert).await?;
        Ok(())
    }

    async fn escrow(&mut self, device: DeviceId, kind: &str, limit: u32) -> Result<Vec<EscrowRow>> {
        let select = query(
            "SELECT id, device, enrollment, kind, command, sealed, created_at FROM escrow
             WHERE tenant = $1 AND device = $2 AND kind = $3 ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(kind)
        .bind(i64::from(limit));
        self.open.all(select).await?.iter().map(escrow_row).collect()
    }
}

fn escrow_row(row: &Row) -> Result<EscrowRow> {
    Ok(EscrowRow {
        id: EscrowId(get(row, "id")?),
        device: DeviceId(get(row, "device")?),
        enrollment: EnrollmentId(get(row, "enrollment")?),
        kind: get(row, "kind")?,
        command: get::<Option<_>>(row, "command")?.map(CommandId),
        sealed: get(row, "sealed")?,
        created_at: time(row, "created_at")?,
    })
}
