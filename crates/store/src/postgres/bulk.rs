//! Writing many rows at once, as PostgreSQL does it best: one array for each column.

use domain::{
    ChannelKey, Command, DeviceId, EnrollmentId, Result, TenantId, Timestamp,
    ports::{PushJob, PushTarget, SettledPush},
};
use sqlx::{PgConnection, query};
use uuid::Uuid;

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

/// In the order of the devices, as everyone who locks several of these rows does it.
const ASK_PUSHES: &str = "
    INSERT INTO pushes (tenant, device, channel, due_at, generation)
    SELECT d.tenant, d.id, c.channel, $4, $4
    FROM UNNEST($2::uuid[]) AS asked (id) JOIN devices d ON d.tenant = $1 AND d.id = asked.id
        JOIN enrollments e ON e.tenant = d.tenant AND e.id = d.enrollment
        JOIN channels c ON c.tenant = e.tenant AND c.enrollment = e.id
    WHERE e.state = 2 AND c.channel = $3 AND c.push_token IS NOT NULL
    ORDER BY d.id
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

macro_rules! settled {
    () => {
        "UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[], $7::text[], $8::bool[],
             $9::bigint[]) AS s (tenant, device, channel, token, generation, at, said, gone, retry_at)"
    };
}

/// Notes what APNs said, and forgets a token that it called dead, unless the device has told a new one meanwhile.
const NOTE_PUSHES: &str = concat!(
    "WITH known AS MATERIALIZED (
         SELECT c.tenant, c.enrollment, c.channel, s.at, s.said, s.gone FROM ",
    settled!(),
    " JOIN devices d ON d.tenant = s.tenant AND d.id = s.device
         JOIN channels c ON c.tenant = d.tenant AND c.enrollment = d.enrollment AND c.channel = s.channel
         WHERE c.push_token = s.token ORDER BY c.tenant, c.enrollment, c.channel FOR UPDATE OF c)
     UPDATE channels c SET pushed_at = k.at, push_said = k.said,
         push_token = CASE WHEN k.gone THEN NULL ELSE c.push_token END
     FROM known k WHERE c.tenant = k.tenant AND c.enrollment = k.enrollment AND c.channel = k.channel"
);

const LOCK_PUSHES: &str = "
    SELECT 1 FROM pushes p JOIN UNNEST($1::uuid[], $2::uuid[], $3::text[]) AS s (tenant, device, channel)
        ON p.tenant = s.tenant AND p.device = s.device AND p.channel = s.channel
    ORDER BY p.tenant, p.device, p.channel FOR UPDATE OF p";

/// In the order in which all who lock several of these rows do it.
const KEEP_PUSHES: &str = "
    WITH kept AS MATERIALIZED (
        SELECT p.tenant, p.device, p.channel FROM pushes p
        JOIN UNNEST($1::uuid[], $2::uuid[], $3::text[]) AS s (tenant, device, channel)
            ON p.tenant = s.tenant AND p.device = s.device AND p.channel = s.channel
        WHERE p.claimed_until > 0 ORDER BY p.tenant, p.device, p.channel FOR UPDATE OF p)
    UPDATE pushes p SET claimed_until = $4
    FROM kept k WHERE p.tenant = k.tenant AND p.device = k.device AND p.channel = k.channel";

/// Those that are over: delivered and not asked for again, or without a token to go on with.
const END_PUSHES: &str = concat!(
    "DELETE FROM pushes p USING ",
    settled!(),
    " WHERE p.tenant = s.tenant AND p.device = s.device AND p.channel = s.channel AND CASE WHEN s.gone
         THEN NOT EXISTS (SELECT 1 FROM devices d JOIN channels c ON c.tenant = d.tenant AND c.enrollment = d.enrollment
             WHERE d.tenant = s.tenant AND d.id = s.device AND c.channel = s.channel AND c.push_token IS NOT NULL)
         ELSE p.generation = s.generation AND s.retry_at IS NULL END"
);

/// What is left is due again: at the time to try again, or, if it was asked for meanwhile, when that was.
const RELEASE_PUSHES: &str = concat!(
    "UPDATE pushes p SET claimed_until = 0,
         due_at = CASE WHEN p.generation = s.generation AND NOT s.gone THEN s.retry_at ELSE p.due_at END,
         attempts = CASE WHEN p.generation = s.generation AND NOT s.gone THEN p.attempts + 1 ELSE p.attempts END
     FROM ",
    settled!(),
    " WHERE p.tenant = s.tenant AND p.device = s.device AND p.channel = s.channel"
);

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

/// Asks that one channel of each device be woken; the devices are sorted, each is there once.
pub(super) async fn ask_pushes(
    connection: &mut PgConnection,
    tenant: TenantId,
    devices: &[DeviceId],
    channel: &ChannelKey,
    due: Timestamp,
) -> Result<()> {
    for devices in devices.chunks(DEVICES_AT_ONCE) {
        let ids = each(devices, |device| device.0);
        let ask = query(ASK_PUSHES).bind(tenant.0).bind(ids).bind(&channel.0).bind(due.0);
        ask.execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
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

/// Lengthens the claims on pushes to channels.
pub(super) async fn keep_pushes(
    connection: &mut PgConnection,
    jobs: &[PushJob],
    until: Timestamp,
) -> Result<()> {
    let channels = jobs.iter().filter_map(|job| match &job.target {
        PushTarget::Channel { device, channel } => Some((job.tenant.0, device.0, channel.0.as_str())),
        PushTarget::Tombstone(_) => None,
    });
    let channels: Vec<_> = channels.collect();
    query(KEEP_PUSHES)
        .bind(each(&channels, |(tenant, ..)| *tenant))
        .bind(each(&channels, |(_, device, _)| *device))
        .bind(each(&channels, |(.., channel)| *channel))
        .bind(until.0)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// What became of pushes to channels. Channels are locked before pushes, as by who tells a token and asks for a push.
pub(super) async fn settle_pushes(connection: &mut PgConnection, settled: &[SettledPush]) -> Result<()> {
    let channels: Vec<Channel<'_>> = settled.iter().filter_map(channel).collect();
    settle(connection, NOTE_PUSHES, &channels).await?;
    query(LOCK_PUSHES)
        .bind(each(&channels, |push| push.tenant))
        .bind(each(&channels, |push| push.device))
        .bind(each(&channels, |push| push.channel))
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    settle(connection, END_PUSHES, &channels).await?;
    settle(connection, RELEASE_PUSHES, &channels).await
}

/// A settled push to a channel.
struct Channel<'a> {
    tenant: Uuid,
    device: Uuid,
    channel: &'a str,
    push: &'a SettledPush,
}

fn channel(push: &SettledPush) -> Option<Channel<'_>> {
    match &push.job.target {
        PushTarget::Channel { device, channel } => {
            Some(Channel { tenant: push.job.tenant.0, device: device.0, channel: &channel.0, push })
        }
        PushTarget::Tombstone(_) => None,
    }
}

async fn settle(
    connection: &mut PgConnection,
    statement: &'static str,
    channels: &[Channel<'_>],
) -> Result<()> {
    query(statement)
        .bind(each(channels, |push| push.tenant))
        .bind(each(channels, |push| push.device))
        .bind(each(channels, |push| push.channel))
        .bind(each(channels, |push| push.push.job.token.as_slice()))
        .bind(each(channels, |push| push.push.job.generation))
        .bind(each(channels, |push| push.push.at.0))
        .bind(each(channels, |push| push.push.said.as_str()))
        .bind(each(channels, |push| push.push.token_gone))
        .bind(each(channels, |push| push.push.retry_at.map(|at| at.0)))
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// One column of many rows.
pub(super) fn each<'a, T, C>(rows: &'a [T], column: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(column).collect()
}

/// A list of ids, for `ids!`.
pub(super) fn ids(ids: &[DeviceId]) -> Vec<Uuid> {
    each(ids, |id| id.0)
}

/// A list of texts, for `texts!`.
pub(super) fn texts(texts: &[&str]) -> Vec<String> {
    each(texts, |text| (*text).to_owned())
}
