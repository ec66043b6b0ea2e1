//! Secrets in escrow, and the tokens that devices leave.

use async_trait::async_trait;
use domain::{
    CommandId, DeviceId, EnrollmentId, EscrowId, Result, Timestamp,
    ports::{Escrow, EscrowEntry, EscrowRow, LeftToken},
};
use sqlx::query;
use uuid::Uuid;

use super::{
    Query, Row, Tx,
    left_tokens::{BOOTSTRAP_TOKEN, UNLOCK_TOKEN},
    rows::{command_state, get, maybe_time, time},
};

/// What was put in the place of another before its command left is not there any more.
macro_rules! entries {
    ($($rest:tt)*) => {
        concat!(
            "SELECT e.id, e.device, e.enrollment, e.kind, e.command, e.sealed, e.created_at, e.confirmed_at, e.refused_at,
                 c.state, c.handed_over_at IS NOT NULL AS was_handed_over
             FROM escrow e LEFT JOIN commands c ON c.tenant = e.tenant AND c.device = e.device AND c.id = e.command
             WHERE e.tenant = $1 AND e.device = $2 AND e.kind = $3 AND NOT EXISTS (SELECT 1 FROM escrow n
                 WHERE n.tenant = e.tenant AND n.device = e.device AND n.kind = e.kind AND n.command = e.command
                     AND (n.created_at > e.created_at OR n.created_at = e.created_at AND n.id > e.id)) ",
            $($rest)*
        )
    };
}

const NEWEST: &str = entries!("ORDER BY e.created_at DESC, e.id DESC LIMIT $4");

/// A report that is not applied yet confirms as well.
const CONFIRMED: &str = entries!(
    "AND e.refused_at IS NULL AND (e.confirmed_at IS NOT NULL OR c.state = 3)
     ORDER BY CASE WHEN e.enrollment = $4 THEN 0 ELSE 1 END, e.created_at DESC, e.id DESC LIMIT 1"
);

#[async_trait]
impl Escrow for Tx {
    async fn add_escrow(&mut self, row: &EscrowRow) -> Result<()> {
        let insert = query(
            "INSERT INTO escrow
                 (tenant, device, id, enrollment, kind, command, sealed, created_at, confirmed_at, refused_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(self.tenant.0)
        .bind(row.device.0)
        .bind(row.id.0)
        .bind(row.enrollment.0)
        .bind(&row.kind)
        .bind(row.command.map(|id| id.0))
        .bind(&row.sealed)
        .bind(row.created_at.0)
        .bind(row.confirmed_at.map(|at| at.0))
        .bind(row.refused_at.map(|at| at.0));
        self.open.run(insert).await?;
        Ok(())
    }

    async fn escrow(&mut self, device: DeviceId, kind: &str, limit: u32) -> Result<Vec<EscrowRow>> {
        let select = query(
            "SELECT id, device, enrollment, kind, command, sealed, created_at, confirmed_at, refused_at FROM escrow
             WHERE tenant = $1 AND device = $2 AND kind = $3 ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(kind)
        .bind(i64::from(limit));
        self.open.all(select).await?.iter().map(escrow_row).collect()
    }

    async fn escrow_entries(
        &mut self,
        device: DeviceId,
        enrollment: EnrollmentId,
        kind: &str,
        limit: u32,
    ) -> Result<Vec<EscrowEntry>> {
        let of_kind =
            |select: &'static str| query(select).bind(self.tenant.0).bind(device.0).bind(kind.to_owned());
        let (newest, confirmed) =
            (of_kind(NEWEST).bind(i64::from(limit)), of_kind(CONFIRMED).bind(enrollment.0));
        let mut entries = self.entries(newest).await?;
        for entry in self.entries(confirmed).await? {
            if entries.iter().all(|known| known.row.id != entry.row.id) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    async fn settle_escrow(
        &mut self,
        device: DeviceId,
        command: CommandId,
        confirmed: bool,
        at: Timestamp,
    ) -> Result<()> {
        let update = query(
            "UPDATE escrow SET confirmed_at = CASE WHEN $4 THEN $5 END, refused_at = CASE WHEN $4 THEN NULL ELSE $5 END
             WHERE tenant = $1 AND device = $2 AND id = (SELECT id FROM escrow
                 WHERE tenant = $1 AND device = $2 AND command = $3 ORDER BY created_at DESC, id DESC LIMIT 1)",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(command.0)
        .bind(confirmed)
        .bind(at.0);
        self.open.run(update).await?;
        Ok(())
    }

    async fn unlock_tokens(&mut self, device: DeviceId) -> Result<Vec<LeftToken>> {
        self.left(&UNLOCK_TOKEN, device).await
    }

    async fn set_unlock_token(
        &mut self,
        enrollment: EnrollmentId,
        sealed: &[u8],
        at: Timestamp,
    ) -> Result<()> {
        self.leave(&UNLOCK_TOKEN, enrollment, Some(sealed), at).await?;
        Ok(())
    }

    async fn bootstrap_tokens(&mut self, device: DeviceId) -> Result<Vec<LeftToken>> {
        self.left(&BOOTSTRAP_TOKEN, device).await
    }
}

impl Tx {
    async fn entries(&mut self, select: Query<'_>) -> Result<Vec<EscrowEntry>> {
        self.open.all(select).await?.iter().map(entry).collect()
    }
}

fn entry(row: &Row) -> Result<EscrowEntry> {
    let command = match get::<Option<i16>>(row, "state")? {
        Some(_) => Some((command_state(row, "state")?, get(row, "was_handed_over")?)),
        None => None,
    };
    Ok(EscrowEntry { row: escrow_row(row)?, command })
}

fn escrow_row(row: &Row) -> Result<EscrowRow> {
    Ok(EscrowRow {
        id: EscrowId(get(row, "id")?),
        device: DeviceId(get(row, "device")?),
        enrollment: EnrollmentId(get(row, "enrollment")?),
        kind: get(row, "kind")?,
        command: get::<Option<Uuid>>(row, "command")?.map(CommandId),
        sealed: get(row, "sealed")?,
        created_at: time(row, "created_at")?,
        confirmed_at: maybe_time(row, "confirmed_at")?,
        refused_at: maybe_time(row, "refused_at")?,
    })
}
