//! Writing many rows at once, as PostgreSQL does it best: one array for each column.

use domain::{ChannelKey, Command, DeviceId, EnrollmentId, Result, TenantId, Timestamp};
use sqlx::{PgConnection, postgres::PgArguments, query, query::Query};
use uuid::Uuid;

use super::Db;
use crate::error::{failed, taken};

const COMMANDS_AT_ONCE: usize = 1000;
const DEVICES_AT_ONCE: usize = 10_000;

const ADD_COMMANDS: &str = "
    INSERT INTO commands (tenant, device, id, enrollment, channel, state, sealed, queued_at, handed_over_at,
        finished_at, request_type, action, dedupe, payload, result, result_sealed, facts_revision, faults, rank, not_before,
        expires_at, put_off, wake_at)
    SELECT $1, * FROM UNNEST($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::bool[], $8::bigint[],
        $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::bytea[], $15::bytea[],
        $16::bool[], $17::text[], $18::text[], $19::smallint[], $20::bigint[], $21::bigint[], $22::bigint[],
        $23::bigint[])";

/// In the order of the keys, as everyone who locks several of these rows does it: one row after the other comes out
/// of the sort, and is locked.
const ASK_PUSHES: &str = "
    INSERT INTO pushes (tenant, device, channel, due_at, generation)
    SELECT d.tenant, d.id, c.channel, $4, $4
    FROM UNNEST($2::uuid[], $3::text[]) AS asked (device, channel)
        JOIN devices d ON d.tenant = $1 AND d.id = asked.device
        JOIN enrollments e ON e.tenant = d.tenant AND e.id = d.enrollment
        JOIN channels c ON c.tenant = e.tenant AND c.enrollment = e.id AND c.channel = asked.channel
    WHERE e.state = 2 AND c.push_token IS NOT NULL
    ORDER BY d.id, c.channel
    ON CONFLICT (tenant, device, channel) DO UPDATE SET
        due_at = least(pushes.due_at, excluded.due_at), generation = pushes.generation + 1";

/// The same for the device channels of enrollments that are known already, and held.
const ASK_DEVICE_PUSHES: &str = "
    INSERT INTO pushes (tenant, device, channel, due_at, generation)
    SELECT c.tenant, asked.device, c.channel, $4, $4
    FROM UNNEST($2::uuid[], $3::uuid[]) AS asked (device, enrollment)
        JOIN channels c ON c.tenant = $1 AND c.enrollment = asked.enrollment AND c.channel = ''
    WHERE c.push_token IS NOT NULL
    ORDER BY asked.device
    ON CONFLICT (tenant, device, channel) DO UPDATE SET
        due_at = least(pushes.due_at, excluded.due_at), generation = pushes.generation + 1";

/// Adds commands to the ends of their queues.
pub(super) async fn add_commands(
    connection: &mut PgConnection,
    tenant: TenantId,
    commands: &[Command],
) -> Result<()> {
    for commands in commands.chunks(COMMANDS_AT_ONCE) {
        let insert = query(ADD_COMMANDS)
            .bind(tenant.0)
            .bind(each(commands, |command| command.device.0))
            .bind(each(commands, |command| command.id.0))
            .bind(each(commands, |command| command.enrollment.0))
            .bind(each(commands, |command| command.channel.0.as_str()))
            .bind(each(commands, |command| command.state.code()))
            .bind(each(commands, |command| command.sealed))
            .bind(each(commands, |command| command.queued_at.0))
            .bind(each(commands, |command| command.handed_over_at.map(|at| at.0)))
            .bind(each(commands, |command| command.finished_at.map(|at| at.0)))
            .bind(each(commands, |command| command.request_type.as_str()))
            .bind(each(commands, |command| command.action.as_deref()))
            .bind(each(commands, |command| command.dedupe.as_deref()))
            .bind(each(commands, |command| command.payload.as_slice()))
            .bind(each(commands, |command| command.result.as_deref()))
            .bind(each(commands, |command| command.result_sealed))
            .bind(each(commands, |command| {
                command.judged.as_ref().map(|judged| judged.facts_revision.as_str())
            }))
            .bind(each(commands, |command| {
                command.judged.as_ref().and_then(|judged| judged.faults.as_deref())
            }))
            .bind(each(commands, |command| -command.schedule.priority))
            .bind(each(commands, |command| command.schedule.not_before.unwrap_or_default().0))
            .bind(each(commands, |command| command.schedule.expires.map(|at| at.0)))
            .bind(each(commands, |command| i64::from(command.put_off)))
            .bind(each(commands, |command| command.wake_at.0));
        let insert = insert.execute(&mut *connection).await;
        insert.map_err(taken("such a command is waiting already"))?;
    }
    Ok(())
}

/// Asks that channels of devices be woken; they are sorted, each is there once.
pub(super) async fn ask_pushes(
    connection: &mut PgConnection,
    tenant: TenantId,
    channels: &[(DeviceId, ChannelKey)],
    due: Timestamp,
) -> Result<()> {
    for channels in channels.chunks(DEVICES_AT_ONCE) {
        asked(tenant, channels, due).execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

/// The statement that asks for pushes to some channels.
pub(super) fn asked<'q>(
    tenant: TenantId,
    channels: &'q [(DeviceId, ChannelKey)],
    due: Timestamp,
) -> Query<'q, Db, PgArguments> {
    query(ASK_PUSHES)
        .bind(tenant.0)
        .bind(each(channels, |(device, _)| device.0))
        .bind(each(channels, |(_, channel)| channel.0.as_str()))
        .bind(due.0)
}

/// Asks that the device channel of each enrollment be woken; each device is there once.
pub(super) async fn ask_device_pushes(
    connection: &mut PgConnection,
    tenant: TenantId,
    devices: &[(DeviceId, EnrollmentId)],
    due: Timestamp,
) -> Result<()> {
    for devices in devices.chunks(DEVICES_AT_ONCE) {
        let ask = query(ASK_DEVICE_PUSHES)
            .bind(tenant.0)
            .bind(each(devices, |(device, _)| device.0))
            .bind(each(devices, |(_, enrollment)| enrollment.0))
            .bind(due.0);
        ask.execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

/// One column of many rows.
pub(super) fn each<'a, T, C>(rows: &'a [T], column: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(column).collect()
}

/// A list of ids, for `among_ids!`.
pub(super) fn ids(ids: &[DeviceId]) -> Vec<Uuid> {
    each(ids, |id| id.0)
}

/// A list of texts, for `among_texts!`.
pub(super) fn texts(texts: &[&str]) -> Vec<String> {
    each(texts, |text| (*text).to_owned())
}
