//! Writing many rows at once, as PostgreSQL does it best: one array for each column.

use domain::{ChannelKey, Command, DeviceId, Result, TenantId, Timestamp};
use sqlx::{PgConnection, postgres::PgArguments, query, query::Query};
use uuid::Uuid;

use super::Db;
use crate::error::{failed, taken};

const COMMANDS_AT_ONCE: usize = 1000;
const DEVICES_AT_ONCE: usize = 10_000;

/// Those of a call are much alike: a column whose values differ is an array, any other one value. A payload that all have is one.
const ADD_COMMANDS: &str = "
    INSERT INTO commands (tenant, device, id, enrollment, channel, facts_revision, payload, state, sealed, queued_at,
        handed_over_at, finished_at, request_type, action, dedupe, result, result_sealed, faults, rank, not_before,
        expires_at, put_off, wake_at)
    SELECT $1, c.device, c.id, c.enrollment, c.channel, c.facts_revision, COALESCE(c.payload, $8), $9, $10, $11,
        $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24
    FROM UNNEST($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bytea[])
        AS c (device, id, enrollment, channel, facts_revision, payload)";

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

/// Adds commands to the ends of their queues.
pub(super) async fn add_commands(
    connection: &mut PgConnection,
    tenant: TenantId,
    commands: &[Command],
) -> Result<()> {
    let runs = commands.chunk_by(|one, next| shared(one) == shared(next));
    for commands in runs.flat_map(|run| run.chunks(COMMANDS_AT_ONCE)) {
        let Some(one) = commands.first() else { continue };
        let is_shared = commands.iter().all(|command| command.payload == one.payload);
        let insert = query(ADD_COMMANDS)
            .bind(tenant.0)
            .bind(each(commands, |command| command.device.0))
            .bind(each(commands, |command| command.id.0))
            .bind(each(commands, |command| command.enrollment.0))
            .bind(each(commands, |command| command.channel.0.as_str()))
            .bind(each(commands, |command| {
                command.judged.as_ref().map(|judged| judged.facts_revision.as_str())
            }))
            .bind(each(commands, |command| (!is_shared).then_some(command.payload.as_slice())))
            .bind(is_shared.then_some(one.payload.as_slice()))
            .bind(one.state.code())
            .bind(one.sealed)
            .bind(one.queued_at.0)
            .bind(one.handed_over_at.map(|at| at.0))
            .bind(one.finished_at.map(|at| at.0))
            .bind(&one.request_type)
            .bind(&one.action)
            .bind(&one.dedupe)
            .bind(&one.result)
            .bind(one.result_sealed)
            .bind(faults(one))
            .bind(-one.schedule.priority)
            .bind(one.schedule.not_before.unwrap_or_default().0)
            .bind(one.schedule.expires.map(|at| at.0))
            .bind(i64::from(one.put_off))
            .bind(one.wake_at.0);
        let insert = insert.execute(&mut *connection).await;
        insert.map_err(taken("such a command is waiting already"))?;
    }
    Ok(())
}

/// What the commands of one statement have in common.
fn shared(command: &Command) -> impl PartialEq + '_ {
    let Command {
        id: _,
        device: _,
        enrollment: _,
        channel: _,
        payload: _,
        judged: _,
        request_type,
        action,
        dedupe,
        sealed,
        schedule,
        put_off,
        wake_at,
        state,
        result,
        result_sealed,
        queued_at,
        handed_over_at,
        finished_at,
    } = command;
    let what = (request_type, action, dedupe, sealed, schedule, put_off, wake_at, faults(command));
    (what, (state, result, result_sealed, queued_at, handed_over_at, finished_at))
}

fn faults(command: &Command) -> Option<&str> {
    command.judged.as_ref().and_then(|judged| judged.faults.as_deref())
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

/// A list of numbers, for `among_numbers!`.
pub(super) fn numbers(numbers: &[i64]) -> &[i64] {
    numbers
}
