//! Google: enterprises, calls that wait, notifications as they came.

use async_trait::async_trait;
use domain::{
    CommandId, DeviceId, EnrollmentId, Result, Timestamp,
    ports::{AndroidCall, AndroidCallKind, AndroidEnterprise, AndroidRecords, RawNotification},
};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{count, get, known, maybe_time, time},
};

macro_rules! enterprise_columns {
    () => {
        "sealed_account, project, signup, name, subscription, compare_at, pulled_at, query_trouble, \
         delivery_trouble"
    };
}
pub(super) use enterprise_columns;

macro_rules! call_columns {
    () => {
        "id, kind, device, resource, after_command, operation, ends_at, due_at, attempts, asked, claimed_until, said"
    };
}
pub(super) use call_columns;

#[async_trait]
impl AndroidRecords for Tx {
    async fn android_enterprise(&mut self) -> Result<Option<AndroidEnterprise>> {
        let select =
            query(concat!("SELECT ", enterprise_columns!(), " FROM android_enterprises WHERE tenant = $1"))
                .bind(self.tenant.0);
        self.open.one(select).await?.map(|row| enterprise(&row)).transpose()
    }

    async fn set_android_enterprise(&mut self, enterprise: &AndroidEnterprise) -> Result<()> {
        let upsert = query(
            "INSERT INTO android_enterprises (tenant, sealed_account, project, signup, name, subscription, compare_at,
                 pulled_at, query_trouble, delivery_trouble)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (tenant) DO UPDATE SET sealed_account = excluded.sealed_account, project = excluded.project,
                 signup = excluded.signup, name = excluded.name, subscription = excluded.subscription,
                 compare_at = excluded.compare_at, pulled_at = excluded.pulled_at,
                 query_trouble = excluded.query_trouble, delivery_trouble = excluded.delivery_trouble",
        )
        .bind(self.tenant.0)
        .bind(&enterprise.sealed_account)
        .bind(&enterprise.project)
        .bind(&enterprise.signup)
        .bind(&enterprise.name)
        .bind(&enterprise.subscription)
        .bind(enterprise.compare_at.0)
        .bind(enterprise.pulled_at.map(|at| at.0))
        .bind(&enterprise.query_trouble)
        .bind(&enterprise.delivery_trouble);
        self.open.add(upsert, "another tenant has this enterprise").await.map(|_| ())
    }

    async fn note_query(&mut self, trouble: Option<&str>) -> Result<()> {
        let update = query("UPDATE android_enterprises SET query_trouble = $2 WHERE tenant = $1")
            .bind(self.tenant.0)
            .bind(trouble);
        self.open.run(update).await.map(|_| ())
    }

    async fn note_delivery(&mut self, trouble: Option<&str>, pulled_at: Option<Timestamp>) -> Result<()> {
        let update = query(
            "UPDATE android_enterprises SET delivery_trouble = $2, pulled_at = coalesce($3, pulled_at)
             WHERE tenant = $1",
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
                 attempts, asked, said) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
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
        .bind(call.asked)
        .bind(&call.said);
        self.open.run(insert).await.map(|_| ())
    }

    async fn android_call(&mut self, id: CommandId) -> Result<Option<AndroidCall>> {
        let select = query(concat!(
            "SELECT ",
            call_columns!(),
            locked!(" FROM android_calls WHERE tenant = $1 AND id = $2")
        ))
        .bind(self.tenant.0)
        .bind(id.0);
        self.open.one(select).await?.map(|row| call(&row)).transpose()
    }

    async fn android_call_of(&mut self, operation: &str) -> Result<Option<AndroidCall>> {
        let select = query(concat!(
            "SELECT ",
            call_columns!(),
            " FROM android_calls WHERE tenant = $1 AND operation = $2"
        ))
        .bind(self.tenant.0)
        .bind(operation);
        self.open.one(select).await?.map(|row| call(&row)).transpose()
    }

    async fn android_calls(&mut self, device: DeviceId) -> Result<Vec<AndroidCall>> {
        let select = query(concat!(
            "SELECT ",
            call_columns!(),
            " FROM android_calls WHERE tenant = $1 AND device = $2 ORDER BY id LIMIT 1000"
        ))
        .bind(self.tenant.0)
        .bind(device.0);
        self.open.all(select).await?.iter().map(call).collect()
    }

    async fn set_android_call(&mut self, call: &AndroidCall) -> Result<()> {
        let update = query(
            "UPDATE android_calls SET after_command = $3, operation = $4, ends_at = $5, due_at = $6, attempts = $7,
                 asked = $8, said = $9, claimed_until = 0
             WHERE tenant = $1 AND id = $2",
        )
        .bind(self.tenant.0)
        .bind(call.id.0)
        .bind(call.after.map(|id| id.0))
        .bind(&call.operation)
        .bind(call.ends_at.map(|at| at.0))
        .bind(call.due_at.0)
        .bind(i64::from(call.attempts))
        .bind(call.asked)
        .bind(&call.said);
        self.open.run(update).await.map(|_| ())
    }

    async fn ask_google(&mut self, call: &AndroidCall, until: Timestamp) -> Result<bool> {
        let update = query(
            "UPDATE android_calls SET asked = $5, claimed_until = $4
             WHERE tenant = $1 AND id = $2 AND claimed_until = $3",
        )
        .bind(self.tenant.0)
        .bind(call.id.0)
        .bind(call.claimed_until.0)
        .bind(until.0)
        .bind(true);
        Ok(self.open.run(update).await? > 0)
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

    async fn hand_back(&mut self, device: DeviceId, id: CommandId) -> Result<bool> {
        let update = query(
            "UPDATE commands SET state = 0, handed_over_at = NULL
             WHERE tenant = $1 AND device = $2 AND id = $3 AND state = 1",
        )
        .bind(self.tenant.0)
        .bind(device.0)
        .bind(id.0);
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

/// An enterprise, by the names of its columns.
pub(super) fn enterprise(row: &Row) -> Result<AndroidEnterprise> {
    Ok(AndroidEnterprise {
        sealed_account: get(row, "sealed_account")?,
        project: get(row, "project")?,
        signup: get(row, "signup")?,
        name: get(row, "name")?,
        subscription: get(row, "subscription")?,
        compare_at: time(row, "compare_at")?,
        pulled_at: maybe_time(row, "pulled_at")?,
        query_trouble: get(row, "query_trouble")?,
        delivery_trouble: get(row, "delivery_trouble")?,
    })
}

/// A call, by the names of its columns.
pub(super) fn call(row: &Row) -> Result<AndroidCall> {
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
        asked: get(row, "asked")?,
        claimed_until: time(row, "claimed_until")?,
        said: get(row, "said")?,
    })
}
