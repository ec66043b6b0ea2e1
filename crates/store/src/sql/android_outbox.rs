//! What workers claim of Google's: calls, notifications, comparisons; and the queries that all nodes share.

use async_trait::async_trait;
use domain::{
    Result, TenantId, Timestamp,
    ports::{AndroidCall, AndroidEnterprise, AndroidOutbox, RawNotification},
};
use sqlx::query;

use super::{
    Backend, Row,
    android::{call, call_columns, enterprise, enterprise_columns},
    rows::{count, get, time},
};

macro_rules! claim_calls {
    ($which:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT tenant, id FROM android_calls
                 WHERE due_at <= $1 AND claimed_until <= $1 AND after_command IS NULL AND ",
            $which,
            " ORDER BY due_at, id LIMIT $3",
            skip_locked!(),
            ") UPDATE android_calls SET claimed_until = $2, attempts = attempts + 1
             WHERE (tenant, id) IN (SELECT tenant, id FROM due) RETURNING tenant, ",
            call_columns!()
        )
    };
}

const CLAIM_WAITING: &str = claim_calls!("operation IS NULL");
const CLAIM_ON_THEIR_WAY: &str = claim_calls!("operation IS NOT NULL");

const CLAIM_NOTIFICATIONS: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT tenant, message_id FROM android_notifications
         WHERE body IS NOT NULL AND due_at <= $1 AND claimed_until <= $1 ORDER BY due_at, received_at LIMIT $3",
    skip_locked!(),
    ") UPDATE android_notifications SET claimed_until = $2, attempts = attempts + 1
     WHERE (tenant, message_id) IN (SELECT tenant, message_id FROM due)
     RETURNING tenant, message_id, resource, body, received_at, attempts",
);

const CLAIM_COMPARISON: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT tenant FROM android_enterprises
         WHERE compare_at <= $1 AND name IS NOT NULL ORDER BY compare_at LIMIT 1",
    skip_locked!(),
    ") UPDATE android_enterprises SET compare_at = $2 WHERE tenant IN (SELECT tenant FROM due) RETURNING tenant",
);

/// A later stretch begins anew; a node whose clock is behind counts towards the stretch that has begun.
const TAKE_QUERY: &str = "
    INSERT INTO android_queries (project, stretch, used) VALUES ($1, $2, 1)
    ON CONFLICT (project) DO UPDATE SET
        used = CASE WHEN excluded.stretch > android_queries.stretch THEN 1 ELSE android_queries.used + 1 END,
        stretch = CASE WHEN excluded.stretch > android_queries.stretch
            THEN excluded.stretch ELSE android_queries.stretch END
    WHERE excluded.stretch > android_queries.stretch OR android_queries.used < $3";

#[async_trait]
impl AndroidOutbox for Backend {
    async fn claim_android_calls(
        &self,
        on_their_way: bool,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, AndroidCall)>> {
        let (look, claim) = if on_their_way {
            ("SELECT 1 FROM android_calls WHERE due_at <= $1 AND claimed_until <= $1 AND operation IS NOT NULL
                  AND after_command IS NULL LIMIT 1", CLAIM_ON_THEIR_WAY)
        } else {
            (
                "SELECT 1 FROM android_calls WHERE due_at <= $1 AND claimed_until <= $1 AND operation IS NULL
                  AND after_command IS NULL LIMIT 1",
                CLAIM_WAITING,
            )
        };
        // Most of the time nothing is due: no need to wait for the right to write.
        if self.one(query(look).bind(now.0)).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut open = self.write().await?;
        let rows = open.all(query(claim).bind(now.0).bind(until.0).bind(i64::from(limit))).await?;
        open.commit().await?;
        let mut calls = rows
            .iter()
            .map(|row| Ok((TenantId(get(row, "tenant")?), call(row)?)))
            .collect::<Result<Vec<_>>>()?;
        calls.sort_unstable_by_key(|(_, call)| call.id);
        Ok(calls)
    }

    async fn claim_notifications(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, RawNotification, u32)>> {
        let look = "SELECT 1 FROM android_notifications
            WHERE body IS NOT NULL AND due_at <= $1 AND claimed_until <= $1 LIMIT 1";
        if self.one(query(look).bind(now.0)).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut open = self.write().await?;
        let claim = query(CLAIM_NOTIFICATIONS).bind(now.0).bind(until.0).bind(i64::from(limit));
        let rows = open.all(claim).await?;
        open.commit().await?;
        let mut claimed = rows.iter().map(notification).collect::<Result<Vec<_>>>()?;
        claimed.sort_by_key(|(_, notification, _)| notification.received_at);
        Ok(claimed)
    }

    async fn android_enterprises(&self) -> Result<Vec<(TenantId, AndroidEnterprise)>> {
        let select = query(concat!(
            "SELECT tenant, ",
            enterprise_columns!(),
            " FROM android_enterprises ORDER BY tenant"
        ));
        let rows = self.all(select).await?;
        rows.iter().map(|row| Ok((TenantId(get(row, "tenant")?), enterprise(row)?))).collect()
    }

    async fn claim_comparison(&self, now: Timestamp, next: Timestamp) -> Result<Option<TenantId>> {
        let look = "SELECT 1 FROM android_enterprises WHERE compare_at <= $1 AND name IS NOT NULL LIMIT 1";
        if self.one(query(look).bind(now.0)).await?.is_none() {
            return Ok(None);
        }
        let mut open = self.write().await?;
        let row = open.one(query(CLAIM_COMPARISON).bind(now.0).bind(next.0)).await?;
        open.commit().await?;
        row.map(|row| get(&row, "tenant").map(TenantId)).transpose()
    }

    async fn take_query(&self, project: &str, window: i64, most: u32) -> Result<bool> {
        let take = query(TAKE_QUERY).bind(project).bind(window).bind(i64::from(most));
        Ok(self.change(take).await? > 0)
    }

    async fn sweep_notifications(&self, before: Timestamp) -> Result<u64> {
        self.change(
            query("DELETE FROM android_notifications WHERE body IS NULL AND received_at < $1").bind(before.0),
        )
        .await
    }

    async fn android_backlog(&self) -> Result<(u64, u64)> {
        let select = query(
            "SELECT (SELECT count(*) FROM android_calls WHERE operation IS NULL) AS calls,
                 (SELECT count(*) FROM android_notifications WHERE body IS NOT NULL) AS notifications",
        );
        let Some(row) = self.one(select).await? else { return Ok((0, 0)) };
        let number = |column| u64::try_from(get::<i64>(&row, column)?).map_err(domain::Error::internal);
        Ok((number("calls")?, number("notifications")?))
    }
}

fn notification(row: &Row) -> Result<(TenantId, RawNotification, u32)> {
    let raw = RawNotification {
        message_id: get(row, "message_id")?,
        resource: get(row, "resource")?,
        body: get(row, "body")?,
        received_at: time(row, "received_at")?,
    };
    Ok((TenantId(get(row, "tenant")?), raw, count(row, "attempts")?))
}
