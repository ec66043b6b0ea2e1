//! Enrollment links.

use async_trait::async_trait;
use domain::{DeviceId, Link, LinkId, Result, Timestamp, UserId, ports::Links};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{count, digest, get, time},
};

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
