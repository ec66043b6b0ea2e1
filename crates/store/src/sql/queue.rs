//! Tending the command queue of all tenants, a batch at a time.

use std::{collections::BTreeMap, time::Duration};

use domain::{ChannelKey, DeviceId, Result, TenantId, Timestamp};
use sqlx::query;
use uuid::Uuid;

use super::{super::bulk, Backend, Open, Query, Row, rows::get};
use crate::road::millis;

/// It waits for no command that another has, and asks for pushes once it has its own. Nobody who waits for one of
/// these has a push that is asked for: everyone else, the device road too, changes the commands of a device before
/// its pushes.
const DUE: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT tenant, device, id FROM commands
         WHERE open_wake_at <= $1 ORDER BY open_wake_at LIMIT $3",
    skip_locked!(),
    ") UPDATE commands SET wakes = wakes + 1,
         wake_at = $1 + $2 * (1 << CASE WHEN wakes < 6 THEN CAST(wakes AS INTEGER) ELSE 6 END)
     FROM due WHERE ",
    looked_up!("commands.tenant", "due.tenant"),
    " AND commands.device = due.device AND commands.id = due.id
     RETURNING commands.tenant, commands.device, channel",
);

const EXPIRE: &str = concat!(
    "WITH late AS MATERIALIZED (SELECT tenant, device, id FROM commands
         WHERE open_expires_at <= $1 ORDER BY open_expires_at LIMIT $2",
    skip_locked!(),
    ") UPDATE commands SET state = 6, finished_at = $1
     FROM late WHERE ",
    looked_up!("commands.tenant", "late.tenant"),
    " AND commands.device = late.device AND commands.id = late.id
     RETURNING commands.tenant, commands.device, commands.id, request_type",
);

/// The statement that puts the next wake-up of commands off whose time has come.
pub(super) fn due(now: Timestamp, patience: Duration, limit: u32) -> Query<'static> {
    query(DUE).bind(now.0).bind(millis(patience)).bind(i64::from(limit))
}

/// The statement that ends commands whose time is over.
pub(super) fn expired(now: Timestamp, limit: u32) -> Query<'static> {
    query(EXPIRE).bind(now.0).bind(i64::from(limit))
}

impl Backend {
    pub(super) async fn wake(&self, now: Timestamp, patience: Duration, limit: u32) -> Result<u64> {
        let waits = query("SELECT 1 FROM commands WHERE open_wake_at <= $1 LIMIT 1").bind(now.0);
        if self.one(waits).await?.is_none() {
            return Ok(0);
        }
        let mut open = self.write().await?;
        let rows = open.all(due(now, patience, limit)).await?;
        for (tenant, channels) in channels(&rows)? {
            bulk::ask_pushes(open.connection(), tenant, &channels, now).await?;
        }
        open.commit().await?;
        Ok(rows.len() as u64)
    }

    pub(super) async fn expire(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let late = query("SELECT 1 FROM commands WHERE open_expires_at <= $1 LIMIT 1");
        if self.one(late.bind(now.0)).await?.is_none() {
            return Ok(0);
        }
        let mut open = self.write().await?;
        let rows = open.all(expired(now, limit)).await?;
        for row in &rows {
            open.note_expiry(row, now).await?;
        }
        open.commit().await?;
        Ok(rows.len() as u64)
    }
}

impl Open {
    async fn note_expiry(&mut self, row: &Row, now: Timestamp) -> Result<()> {
        let (id, request_type): (Uuid, String) = (get(row, "id")?, get(row, "request_type")?);
        let details = serde_json::json!({ "command": id, "request_type": request_type }).to_string();
        let insert = query(
            "INSERT INTO audit (tenant, device, kind, actor, details, at)
             VALUES ($1, $2, 'command.expired', 'system', $3, $4)",
        );
        let insert = insert.bind(get::<Uuid>(row, "tenant")?).bind(get::<Uuid>(row, "device")?);
        self.run(insert.bind(details).bind(now.0)).await?;
        Ok(())
    }
}

/// The channels of each tenant, sorted, each once.
fn channels(rows: &[Row]) -> Result<BTreeMap<TenantId, Vec<(DeviceId, ChannelKey)>>> {
    let mut channels: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        let channel = (DeviceId(get(row, "device")?), ChannelKey(get(row, "channel")?));
        channels.entry(TenantId(get(row, "tenant")?)).or_default().push(channel);
    }
    for some in channels.values_mut() {
        some.sort_unstable();
        some.dedup();
    }
    Ok(channels)
}
