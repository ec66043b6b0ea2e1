//! Enrollment links.

use async_trait::async_trait;
use domain::{DeviceId, Link, LinkId, Result, Timestamp, UserId, ports::Links};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{count, digest, get, time},
};

/// A later stretch begins anew; a clock that is behind counts towards the stretch that has begun.
const COUNT_OWN: &str = "
    INSERT INTO own_links (tenant, user_id, stretch, made) VALUES ($1, $2, $3, 1)
    ON CONFLICT (tenant, user_id) DO UPDATE SET
        made = CASE WHEN excluded.stretch > own_links.stretch THEN 1 ELSE own_links.made + 1 END,
        stretch = CASE WHEN excluded.stretch > own_links.stretch THEN excluded.stretch ELSE own_links.stretch END
    WHERE excluded.stretch > own_links.stretch OR own_links.made < $4";

#[async_trait]
impl Links for Tx {
    async fn add_link(&mut self, link: &Link) -> Result<()> {
        let insert = query(
            "INSERT INTO enrollment_links
                 (tenant, id, token_hash, user_id, device, max_uses, used, expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(self.tenant.0)
        .bind(link.id.0)
        .bind(&link.token_hash[..])
        .bind(link.user.map(|id| id.0))
        .bind(link.device.map(|id| id.0))
        .bind(i64::from(link.max_uses))
        .bind(i64::from(link.used))
        .bind(link.expires_at.0)
        .bind(link.created_at.0);
        self.open.run(insert).await?;
        Ok(())
    }

    async fn use_link(&mut self, id: LinkId, now: Timestamp) -> Result<Option<Link>> {
        let update = query(
            "UPDATE enrollment_links SET used = used + 1
             WHERE tenant = $1 AND id = $2 AND used < max_uses AND expires_at > $3
             RETURNING id, token_hash, user_id, device, max_uses, used, expires_at, created_at",
        )
        .bind(self.tenant.0)
        .bind(id.0)
        .bind(now.0);
        self.open.one(update).await?.map(|row| link(&row)).transpose()
    }

    async fn unused_links(&mut self, user: UserId, now: Timestamp, limit: u32) -> Result<Vec<Link>> {
        let select = query(
            "SELECT id, token_hash, user_id, device, max_uses, used, expires_at, created_at FROM enrollment_links
             WHERE tenant = $1 AND user_id = $2 AND used = 0 AND device IS NULL AND expires_at > $3
             ORDER BY expires_at DESC, id LIMIT $4",
        )
        .bind(self.tenant.0)
        .bind(user.0)
        .bind(now.0)
        .bind(i64::from(limit));
        self.open.all(select).await?.iter().map(link).collect()
    }

    async fn count_own_link(&mut self, user: UserId, stretch: i64, most: u32) -> Result<bool> {
        let count = query(COUNT_OWN).bind(self.tenant.0).bind(user.0).bind(stretch).bind(i64::from(most));
        Ok(self.open.run(count).await? > 0)
    }
}

/// A link, by the names of its columns.
pub(super) fn link(row: &Row) -> Result<Link> {
    Ok(Link {
        id: LinkId(get(row, "id")?),
        token_hash: digest(row, "token_hash")?,
        user: get::<Option<_>>(row, "user_id")?.map(UserId),
        device: get::<Option<_>>(row, "device")?.map(DeviceId),
        max_uses: count(row, "max_uses")?,
        used: count(row, "used")?,
        expires_at: time(row, "expires_at")?,
        created_at: time(row, "created_at")?,
    })
}
