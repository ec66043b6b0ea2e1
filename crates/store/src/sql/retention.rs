//! What is forgotten once nobody needs it any more.

use async_trait::async_trait;
use domain::{
    DeviceId, EscrowId, Result, TenantId, Timestamp,
    ports::{DueEnrollments, EscrowPlace, Retention},
};
use sqlx::query;
use uuid::Uuid;

use super::{Backend, Open, Row, rows::get};

/// Asks first, without the right to write, whether there is any; then removes the oldest.
macro_rules! forget {
    ($table:literal, $key:literal, $when:literal, $by:literal) => {
        (
            concat!("SELECT 1 FROM ", $table, " WHERE ", $when, " LIMIT 1"),
            concat!(
                "DELETE FROM ",
                $table,
                " WHERE (",
                $key,
                ") IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE ",
                $when,
                " ORDER BY ",
                $by,
                " LIMIT $2",
                skip_locked!(),
                ")"
            ),
        )
    };
}

type Forget = (&'static str, &'static str);

const EVENTS: Forget = forget!(
    "audit",
    "tenant, seq",
    "kind NOT IN ('command.done', 'command.failed', 'command.expired') AND at < $1",
    "at"
);
const ENDS: Forget = forget!(
    "audit",
    "tenant, seq",
    "kind IN ('command.done', 'command.failed', 'command.expired') AND at < $1",
    "at"
);
const PURGES: Forget =
    forget!("purges", "tenant, id", "finished_at IS NOT NULL AND finished_at < $1", "finished_at");
const LINKS: Forget = forget!("enrollment_links", "tenant, id", "expires_at < $1", "expires_at");
const CERTIFICATES: Forget =
    forget!("certificates", "fingerprint", "state >= 2 AND not_after < $1", "not_after");

/// What a worker has still to apply stays.
const COMMANDS: Forget = forget!(
    "commands",
    "tenant, device, id",
    "finished_at IS NOT NULL AND finished_at < $1 AND NOT EXISTS (SELECT 1 FROM outcomes o
         WHERE o.tenant = commands.tenant AND o.device = commands.device AND o.command = commands.id)",
    "finished_at"
);

const SECRETS: &str = "
    SELECT tenant, device, id, (created_at < $4 AND ((refused_at IS NOT NULL AND refused_at < $4) OR EXISTS (
        SELECT 1 FROM escrow n WHERE n.tenant = e.tenant AND n.device = e.device AND n.enrollment = e.enrollment
            AND n.kind = e.kind AND n.refused_at IS NULL AND n.confirmed_at IS NOT NULL AND n.confirmed_at < $4
            AND n.created_at > e.created_at))) AS is_over
    FROM escrow e WHERE (tenant, device, id) > ($1, $2, $3) ORDER BY tenant, device, id LIMIT $5";

macro_rules! ended {
    () => {
        "forget_at IS NULL AND (state < 2 OR state = 4) AND (state = 4 OR created_at < $1)"
    };
}

const ANY_ENDED: &str = concat!("SELECT 1 FROM enrollments WHERE ", ended!(), " LIMIT 1");

const NOTE_ENDED: &str = concat!(
    "UPDATE enrollments SET forget_at = $2 WHERE (tenant, id) IN (SELECT tenant, id FROM enrollments WHERE ",
    ended!(),
    " ORDER BY created_at LIMIT $3",
    skip_locked!(),
    ")"
);

const ANY_DUE: &str = "SELECT 1 FROM enrollments WHERE forget_at IS NOT NULL AND forget_at <= $1 LIMIT 1";

const DUE: &str = concat!(
    "SELECT tenant, id, device FROM enrollments WHERE forget_at IS NOT NULL AND forget_at <= $1
     ORDER BY forget_at LIMIT $2",
    skip_locked!(),
);

const IS_NEEDED: &str = "
    SELECT (state IN (2, 3)
        OR EXISTS (SELECT 1 FROM devices d WHERE d.tenant = $1 AND d.id = $3 AND d.enrollment = $2)
        OR EXISTS (SELECT 1 FROM certificates c WHERE c.tenant = $1 AND c.enrollment = $2 AND c.not_after >= $4)) AS needed
    FROM enrollments WHERE tenant = $1 AND id = $2 AND device = $3";

/// In the order in which others lock them.
const REMOVE: [&str; 4] = [
    "DELETE FROM escrow WHERE tenant = $1 AND device = $3 AND enrollment = $2",
    "DELETE FROM channels WHERE tenant = $1 AND enrollment = $2 AND device = $3",
    "DELETE FROM certificates WHERE tenant = $1 AND enrollment = $2",
    "DELETE FROM enrollments WHERE tenant = $1 AND id = $2",
];

const LOOK_AGAIN: &str = "UPDATE enrollments SET forget_at = $3 WHERE tenant = $1 AND id = $2";

#[async_trait]
impl Retention for Backend {
    async fn forget_commands(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.forget(COMMANDS, before, limit).await
    }

    async fn forget_events(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.forget(EVENTS, before, limit).await
    }

    async fn forget_ends_of_commands(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.forget(ENDS, before, limit).await
    }

    async fn forget_purges(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.forget(PURGES, before, limit).await
    }

    async fn forget_links(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.forget(LINKS, before, limit).await
    }

    async fn forget_certificates(&self, before: Timestamp, limit: u32) -> Result<u64> {
        self.forget(CERTIFICATES, before, limit).await
    }

    async fn forget_secrets(
        &self,
        after: Option<EscrowPlace>,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<EscrowPlace>> {
        // No id is less than nil, and none of ours is.
        let (tenant, device, id) = after.map_or((Uuid::nil(), Uuid::nil(), Uuid::nil()), |after| {
            (after.tenant.0, after.device.0, after.id.0)
        });
        let look = query(SECRETS).bind(tenant).bind(device).bind(id).bind(before.0).bind(i64::from(limit));
        let rows = self.all(look).await?;
        let mut last = None;
        for row in &rows {
            let place = EscrowPlace {
                tenant: TenantId(get(row, "tenant")?),
                device: DeviceId(get(row, "device")?),
                id: EscrowId(get(row, "id")?),
            };
            if get(row, "is_over")? {
                let delete = query("DELETE FROM escrow WHERE tenant = $1 AND device = $2 AND id = $3");
                self.change(delete.bind(place.tenant.0).bind(place.device.0).bind(place.id.0)).await?;
            }
            last = Some(place);
        }
        Ok(last.filter(|_| rows.len() as u64 == u64::from(limit)))
    }

    async fn note_ended_enrollments(&self, begun: Timestamp, look_at: Timestamp, limit: u32) -> Result<u64> {
        if self.one(query(ANY_ENDED).bind(begun.0)).await?.is_none() {
            return Ok(0);
        }
        self.change(query(NOTE_ENDED).bind(begun.0).bind(look_at.0).bind(i64::from(limit))).await
    }

    async fn forget_enrollments(&self, due: &DueEnrollments, limit: u32) -> Result<u64> {
        if self.one(query(ANY_DUE).bind(due.by.0)).await?.is_none() {
            return Ok(0);
        }
        let mut open = self.write().await?;
        let rows = open.all(query(DUE).bind(due.by.0).bind(i64::from(limit))).await?;
        for row in &rows {
            open.forget_enrollment(&Ended::of(row)?, due).await?;
        }
        open.commit().await?;
        Ok(rows.len() as u64)
    }
}

impl Backend {
    async fn forget(&self, (any, oldest): Forget, before: Timestamp, limit: u32) -> Result<u64> {
        if self.one(query(any).bind(before.0)).await?.is_none() {
            return Ok(0);
        }
        self.change(query(oldest).bind(before.0).bind(i64::from(limit))).await
    }
}

/// An enrollment that is due to be looked at, its row locked.
struct Ended {
    tenant: Uuid,
    id: Uuid,
    device: Uuid,
}

impl Ended {
    fn of(row: &Row) -> Result<Self> {
        Ok(Self { tenant: get(row, "tenant")?, id: get(row, "id")?, device: get(row, "device")? })
    }
}

impl Open {
    async fn forget_enrollment(&mut self, ended: &Ended, due: &DueEnrollments) -> Result<()> {
        let Ended { tenant, id, device } = ended;
        let needed = query(IS_NEEDED).bind(tenant).bind(id).bind(device).bind(due.expired.0);
        if self.one(needed).await?.map_or(Ok(true), |row| get(&row, "needed"))? {
            let again = query(LOOK_AGAIN).bind(tenant).bind(id).bind(due.again.0);
            return self.run(again).await.map(drop);
        }
        for statement in REMOVE {
            self.run(query(statement).bind(tenant).bind(id).bind(device)).await?;
        }
        Ok(())
    }
}
