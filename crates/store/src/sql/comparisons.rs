//! Comparisons of a tenant's devices with those that Google lists.

use async_trait::async_trait;
use domain::{
    DeviceId, Error, Result, Timestamp,
    ports::{AndroidComparisons, Comparison},
};
use sqlx::query;

use super::{
    Tx,
    rows::{get, maybe_time},
};

const MARK: &str = "
    INSERT INTO android_listed (tenant, device, at)
    SELECT tenant, id, $3 FROM devices WHERE tenant = $1 AND key = $2 AND NOT quarantined
    ON CONFLICT (tenant, device) DO UPDATE SET at = excluded.at";

const UNLISTED: &str = "
    SELECT id, key FROM devices d
    WHERE tenant = $1 AND NOT quarantined AND managed AND key > $2 AND key < $3 AND NOT EXISTS (
        SELECT 1 FROM android_listed l WHERE l.tenant = d.tenant AND l.device = d.id AND l.at >= $4)
    ORDER BY key LIMIT $5";

#[async_trait]
impl AndroidComparisons for Tx {
    async fn comparison(&mut self) -> Result<Option<Comparison>> {
        let select = query("SELECT compare_since, compare_page FROM android_enterprises WHERE tenant = $1");
        let Some(row) = self.open.one(select.bind(self.tenant.0)).await? else { return Ok(None) };
        let Some(since) = maybe_time(&row, "compare_since")? else { return Ok(None) };
        Ok(Some(Comparison { since, page: get(&row, "compare_page")? }))
    }

    async fn set_comparison(&mut self, comparison: Option<&Comparison>, due: Timestamp) -> Result<()> {
        let update = query(
            "UPDATE android_enterprises SET compare_since = $2, compare_page = $3, compare_at = $4 WHERE tenant = $1",
        )
        .bind(self.tenant.0)
        .bind(comparison.map(|comparison| comparison.since.0))
        .bind(comparison.and_then(|comparison| comparison.page.as_deref()))
        .bind(due.0);
        self.open.set(update, "enterprise").await
    }

    async fn mark_listed(&mut self, resources: &[String], at: Timestamp) -> Result<()> {
        let mut sorted: Vec<&String> = resources.iter().collect();
        sorted.sort_unstable();
        for resource in sorted {
            self.open.run(query(MARK).bind(self.tenant.0).bind(resource).bind(at.0)).await?;
        }
        Ok(())
    }

    async fn unlisted(
        &mut self,
        enterprise: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(DeviceId, String)>> {
        // Every name of a device begins with that of its enterprise; `0` is the sign behind `/`.
        let select = query(UNLISTED)
            .bind(self.tenant.0)
            .bind(format!("{enterprise}/devices/"))
            .bind(format!("{enterprise}/devices0"))
            .bind(since.0)
            .bind(i64::from(limit));
        let rows = self.open.all(select).await?;
        rows.iter().map(|row| Ok::<_, Error>((DeviceId(get(row, "id")?), get(row, "key")?))).collect()
    }
}
