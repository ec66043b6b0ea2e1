//! The audit log.

use async_trait::async_trait;
use domain::{DeviceId, Event, Result, ports::Audit};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{get, json, time},
};

#[async_trait]
impl Audit for Tx {
    async fn record(&mut self, event: &Event) -> Result<()> {
        let insert = query(
            "INSERT INTO audit (tenant, device, kind, actor, details, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.tenant.0)
        .bind(event.device.map(|id| id.0))
        .bind(&event.kind)
        .bind(&event.actor)
        .bind(event.details.to_string())
        .bind(event.at.0);
        self.open.run(insert).await?;
        Ok(())
    }

    async fn events(&mut self, device: Option<DeviceId>, limit: u32) -> Result<Vec<Event>> {
        let select = match device {
            Some(id) => query(
                "SELECT device, kind, actor, details, at FROM audit
                 WHERE tenant = $1 AND device = $3 ORDER BY seq DESC LIMIT $2",
            )
            .bind(self.tenant.0)
            .bind(i64::from(limit))
            .bind(id.0),
            None => query(
                "SELECT device, kind, actor, details, at FROM audit WHERE tenant = $1 ORDER BY seq DESC LIMIT $2",
            )
            .bind(self.tenant.0)
            .bind(i64::from(limit)),
        };
        self.open.all(select).await?.iter().map(event).collect()
    }
}

fn event(row: &Row) -> Result<Event> {
    Ok(Event {
        kind: get(row, "kind")?,
        actor: get(row, "actor")?,
        device: get::<Option<_>>(row, "device")?.map(DeviceId),
        details: json(row, "details")?,
        at: time(row, "at")?,
    })
}
