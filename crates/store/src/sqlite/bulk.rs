//! Writing many rows at once, as SQLite does it best: few values in a statement that stays prepared, or a list as JSON.

use domain::{ChannelKey, Command, DeviceId, Result, TenantId, Timestamp};
use sqlx::{QueryBuilder, SqliteConnection, query, query::Query, sqlite::SqliteArguments};
use uuid::Uuid;

use super::Db;
use crate::error::{failed, taken};

/// Twenty-two values each; a statement takes 32,766.
const COMMANDS_AT_ONCE: usize = 100;
const DEVICES_AT_ONCE: usize = 1000;

/// Each text is a device's id and a channel, one behind the other. `CROSS JOIN` fixes the order: from the devices
/// that are asked for, not from all that there are.
const ASK_PUSHES: &str = "
    INSERT INTO pushes (tenant, device, channel, due_at, generation)
    SELECT d.tenant, d.id, c.channel, $3, $3
    FROM json_each($2) asked CROSS JOIN devices d ON d.tenant = $1 AND d.id = unhex(substr(asked.value, 1, 32))
        JOIN enrollments e ON e.tenant = d.tenant AND e.id = d.enrollment
        JOIN channels c ON c.tenant = e.tenant AND c.enrollment = e.id AND c.channel = substr(asked.value, 33)
    WHERE e.state = 2 AND c.push_token IS NOT NULL
    ON CONFLICT (tenant, device, channel) DO UPDATE SET
        due_at = min(pushes.due_at, excluded.due_at), generation = pushes.generation + 1";

/// Adds commands to the ends of their queues.
pub(super) async fn add_commands(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    commands: &[Command],
) -> Result<()> {
    for commands in commands.chunks(COMMANDS_AT_ONCE) {
        let mut insert = QueryBuilder::new(
            "INSERT INTO commands (tenant, device, id, enrollment, channel, state, sealed, queued_at, handed_over_at,
                 finished_at, request_type, action, dedupe, payload, result, result_sealed, facts_revision, faults, rank,
                 not_before, expires_at, put_off, wake_at) ",
        );
        insert.push_values(commands, |mut row, command| {
            row.push_bind(tenant.0).push_bind(command.device.0).push_bind(command.id.0);
            row.push_bind(command.enrollment.0).push_bind(&command.channel.0).push_bind(command.state.code());
            row.push_bind(command.sealed).push_bind(command.queued_at.0);
            row.push_bind(command.handed_over_at.map(|at| at.0))
                .push_bind(command.finished_at.map(|at| at.0));
            row.push_bind(&command.request_type).push_bind(&command.action).push_bind(&command.dedupe);
            row.push_bind(&command.payload).push_bind(&command.result).push_bind(command.result_sealed);
            let judged = command.judged.as_ref();
            row.push_bind(judged.map(|judged| judged.facts_revision.as_str()));
            row.push_bind(judged.and_then(|judged| judged.faults.as_deref()));
            let schedule = &command.schedule;
            row.push_bind(-schedule.priority).push_bind(schedule.not_before.unwrap_or_default().0);
            row.push_bind(schedule.expires.map(|at| at.0));
            row.push_bind(i64::from(command.put_off)).push_bind(command.wake_at.0);
        });
        let insert = insert.build().execute(&mut *connection).await;
        insert.map_err(taken("such a command is waiting already"))?;
    }
    Ok(())
}

/// Asks that channels of devices be woken; they are sorted, each is there once.
pub(super) async fn ask_pushes(
    connection: &mut SqliteConnection,
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
pub(super) fn asked(
    tenant: TenantId,
    channels: &[(DeviceId, ChannelKey)],
    due: Timestamp,
) -> Query<'static, Db, SqliteArguments> {
    let texts = channels.iter().map(|(device, channel)| format!("{}{}", device.0.simple(), channel.0));
    query(ASK_PUSHES).bind(tenant.0).bind(serde_json::Value::from_iter(texts).to_string()).bind(due.0)
}

/// A list of ids, for `among_ids!`.
pub(super) fn ids(ids: &[DeviceId]) -> String {
    as_json(ids.iter().map(|id| id.0))
}

/// A list of texts, for `among_texts!`.
pub(super) fn texts(texts: &[&str]) -> String {
    serde_json::Value::from(texts).to_string()
}

/// A list of numbers, for `among_numbers!`.
pub(super) fn numbers(numbers: &[i64]) -> String {
    serde_json::Value::from(numbers).to_string()
}

/// `["0123…","4567…"]`, for `json_each` and `unhex`.
pub(super) fn as_json(ids: impl ExactSizeIterator<Item = Uuid>) -> String {
    let mut json = String::with_capacity(2 + ids.len() * 35);
    json.push('[');
    for (place, id) in ids.enumerate() {
        json.push_str(if place == 0 { "\"" } else { ",\"" });
        json.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        json.push('"');
    }
    json.push(']');
    json
}
