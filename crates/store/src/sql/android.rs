//! Google: enterprises, calls that wait, notifications as they came.

use async_trait::async_trait;
use domain::{
    CommandId, DeviceId, EnrollmentId, Result, TenantId, Timestamp,
    ports::{
        AndroidCall, AndroidCallKind, AndroidEnterprise, AndroidOutbox, AndroidRecords, RawNotification,
    },
};
use sqlx::query;

use super::{
    Backend, Row, Tx,
    rows::{count, get, known, maybe_time, time},
};

macro_rules! enterprise {
    () => {
        "sealed_account, project, signup, name, subscription, compare_at, pulled_at, trouble"
    };
}

macro_rules! call {
    () => {
        "id, kind, device, resource, after_command, operation, ends_at, due_at, attempts, said"
    };
}

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
            call!()
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
impl AndroidRecords for Tx {
    async fn android_enterprise(&mut self) -> Result<Option<AndroidEnterprise>> {
        let select = query(concat!("SELECT ", enterprise!(), " FROM android_enterprises WHERE tenant = $1"))
            .bind(self.tenant.0);
        self.open.one(select).await?.map(|row| enterprise(&row)).transpose()
    }

    async fn set_android_enterprise(&mut self, enterprise: &AndroidEnterprise) -> Result<()> {
        let upsert = query(
            "INSERT INTO android_enterprises (tenant, sealed_account, project, signup, name, subscription, compare_at,
                 pulled_at, trouble)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (tenant) DO UPDATE SET sealed_account = excluded.sealed_account, project = excluded.project,
                 signup = excluded.signup, name = excluded.name, subscription = excluded.subscription,
                 compare_at = excluded.compare_at, pulled_at = excluded.pulled_at, trouble = excluded.trouble",
        )
        .bind(self.tenant.0)
        .bind(&enterprise.sealed_account)
        .bind(&enterprise.project)
        .bind(&enterprise.signup)
        .bind(&enterprise.name)
        .bind(&enterprise.subscription)
        .bind(enterprise.compare_at.0)
        .bind(enterprise.pulled_at.map(|at| at.0))
        .bind(&enterprise.trouble);
        self.open.add(upsert, "another tenant has this enterprise").await.map(|_| ())
    }

    async fn note_google(&mut self, trouble: Option<&str>, pulled_at: Option<Timestamp>) -> Result<()> {
        let update = query(
            "UPDATE android_enterprises SET trouble = $2, pulled_at = coalesce($3, pulled_at) WHERE tenant = $1",
        )
        .bind(self.tenant.0)
        .bind(trouble)
        .bind(pulled_at.map(|at| at.0));
        self.open.run(update).await.map(|_| ())
    }

    async fn android_device(&mut self, resource: &str) -> Result<Option<(DeviceId, EnrollmentId)>> {
        let select =
            query("SELECT id, enrollment FROM devices WHERE tenant = $1 AND key = $2 AND NOT quarantined")
                .bind(self.tenant.0)
                .bind(resource);
        let row = self.open.one(select).await?;
        row.map(|row| Ok((DeviceId(get(&row, "id")?), EnrollmentId(get(&row, "enrollment")?)))).transpose()
    }

    async fn add_android_call(&mut self, call: &AndroidCall) -> Result<()> {
        let insert = query(
            "INSERT INTO android_calls (tenant, id, kind, device, resource, after_command, operation, ends_at, due_at,
                 attempts, said) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(self.tenant.0)
        .bind(call.id.0)
        .bind(call.kind.code())
        .bind(call.device.map(|id| id.0))
        .bind(&call.resource)
        .bind(call.after.map(|id| id.0))
        .bind(&call.operation)
        .bind(call.ends_at.map(|at| at.0))
        .bind(call.due_at.0)
        .bind(i64::from(call.attempts))
        .bind(&call.said);
        self.open.run(insert).await.map(|_| ())
    }

    async fn android_call(&mut self, id: CommandId) -> Result<Option<AndroidCall>> {
        let select =
            query(concat!("SELECT ", call!(), locked!(" FROM android_calls WHERE tenant = $1 AND id = $2")))
                .bind(self.tenant.0)
                .bind(id.0);
        self.open.one(select).await?.map(|row| call(&row)).transpose()
    }

    async fn android_call_of(&mut self, operation: &str) -> Result<Option<AndroidCall>> {
        let select = query(concat!(
            "SELECT ",
            call!(),
            locked!(" FROM android_calls WHERE tenant = $1 AND operation = $2")
        ))
        .bind(self.tenant.0)
        .bind(operation);
        self.open.one(select).await?.map(|row| call(&row)).transpose()
    }

    async fn android_calls(&mut self, device: DeviceId) -> Result<Vec<AndroidCall>> {
        let select = query(concat!(
            "SELECT ",
            call!(),
            " FROM android_calls WHERE tenant = $1 AND device = $2 ORDER BY id LIMIT 1000"
        ))
        .bind(self.tenant.0)
        .bind(device.0);
        self.open.all(select).await?.iter().map(call).collect()
    }

    async fn set_android_call(&mut self, call: &AndroidCall) -> Result<()> {
        let update = query(
            "UPDATE android_calls SET after_command = $3, operation = $4, ends_at = $5, due_at = $6, attempts = $7,
                 said = $8, claimed_until = 0
             WHERE tenant = $1 AND id = $2",
        )
        .bind(self.tenant.0)
        .bind(call.id.0)
        .bind(call.after.map(|id| id.0))
        .bind(&call.operation)
        .bind(call.ends_at.map(|at| at.0))
        .bind(call.due_at.0)
        .bind(i64::from(call.attempts))
        .bind(&call.said);
        self.open.run(update).await.map(|_| ())
    }

    async fn remove_android_call(&mut self, id: CommandId) -> Result<bool> {
        let delete =
            query("DELETE FROM android_calls WHERE tenant = $1 AND id = $2").bind(self.tenant.0).bind(id.0);
        Ok(self.open.run(delete).await? > 0)
    }

    async fn drop_android_calls(&mut self, device: DeviceId) -> Result<()> {
        let delete = query("DELETE FROM android_calls WHERE tenant = $1 AND device = $2")
            .bind(self.tenant.0)
            .bind(device.0);
        self.open.run(delete).await.map(|_| ())
    }

    async fn is_given_up(&mut self, resource: &str) -> Result<bool> {
        let select = query(
            "SELECT 1 FROM android_calls WHERE tenant = $1 AND resource = $2 AND device IS NULL LIMIT 1",
        )
        .bind(self.tenant.0)
        .bind(resource);
        Ok(self.open.one(select).await?.is_some())
    }

    async fn hand_over(&mut self, device: DeviceId, id: CommandId, at: Timestamp) -> Result<bool> {
        let update = query(
            "UPDATE commands SET state = 1, handed_over_at = $4
             WHERE tenant = $1 AND device = $2 AND id = $3 AND state = 0",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(id.0)
        .bind(at.0);
        Ok(self.open.run(update).await? > 0)
    }

    async fn touch_device(&mut self, device: DeviceId, at: Timestamp) -> Result<()> {
        let update = query(
            "UPDATE devices SET last_contact = $3
             WHERE tenant = $1 AND id = $2 AND (last_contact IS NULL OR last_contact < $3)",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(at.0);
        self.open.run(update).await.map(|_| ())
    }

    async fn add_notification(&mut self, notification: &RawNotification) -> Result<bool> {
        let insert = query(
            "INSERT INTO android_notifications (tenant, message_id, resource, body, received_at, due_at)
             VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (tenant, message_id) DO NOTHING",
        )
        .bind(self.tenant.0)
        .bind(&notification.message_id)
        .bind(&notification.resource)
        .bind(&notification.body)
        .bind(notification.received_at.0);
        Ok(self.open.run(insert).await? > 0)
    }

    async fn finish_notification(&mut self, message_id: &str) -> Result<bool> {
        let update = query(
            "UPDATE android_notifications SET body = NULL, resource = NULL, claimed_until = 0
             WHERE tenant = $1 AND message_id = $2 AND body IS NOT NULL",
        )
        .bind(self.tenant.0)
        .bind(message_id);
        Ok(self.open.run(update).await? > 0)
    }

    async fn postpone_notification(&mut self, message_id: &str, at: Timestamp) -> Result<()> {
        let update = query(
            "UPDATE android_notifications SET due_at = $3, claimed_until = 0 WHERE tenant = $1 AND message_id = $2",
        )
        .bind(self.tenant.0)
        .bind(message_id)
        .bind(at.0);
        self.open.run(update).await.map(|_| ())
    }
}

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
        let select =
            query(concat!("SELECT tenant, ", enterprise!(), " FROM android_enterprises ORDER BY tenant"));
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

fn enterprise(row: &Row) -> Result<AndroidEnterprise> {
    Ok(AndroidEnterprise {
        sealed_account: get(row, "sealed_account")?,
        project: get(row, "project")?,
        signup: get(row, "signup")?,
        name: get(row, "name")?,
        subscription: get(row, "subscription")?,
        compare_at: time(row, "compare_at")?,
        pulled_at: maybe_time(row, "pulled_at")?,
        trouble: get(row, "trouble")?,
    })
}

fn call(row: &Row) -> Result<AndroidCall> {
    Ok(AndroidCall {
        id: CommandId(get(row, "id")?),
        kind: known(AndroidCallKind::of(get(row, "kind")?), "call to Google")?,
        device: get::<Option<_>>(row, "device")?.map(DeviceId),
        resource: get(row, "resource")?,
        after: get::<Option<_>>(row, "after_command")?.map(CommandId),
        operation: get(row, "operation")?,
        ends_at: maybe_time(row, "ends_at")?,
        due_at: time(row, "due_at")?,
        attempts: count(row, "attempts")?,
        said: get(row, "said")?,
    })
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
