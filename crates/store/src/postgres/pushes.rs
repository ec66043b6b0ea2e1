//! Claiming and settling many pushes at once, as PostgreSQL does it best: one array for each column.

use domain::{
    Result, TenantId, Timestamp,
    ports::{PushJob, PushTarget, SettledPush},
};
use sqlx::{PgConnection, postgres::PgArguments, query, query::Query};
use uuid::Uuid;

use super::{Db, bulk::each};
use crate::error::failed;

/// The token is looked up once for each, in the channel of the enrollment that the device now has, and only while that is active.
/// Each table is read by its whole key, whatever the database believes of their sizes: `LIMIT 1` keeps it from joining them.
macro_rules! live_channel {
    ($push:literal) => {
        concat!(
            "(SELECT c.push_token, c.push_magic FROM channels c
                 WHERE c.tenant = ",
            $push,
            ".tenant AND c.channel = ",
            $push,
            ".channel AND c.push_token IS NOT NULL AND c.enrollment = (
                     SELECT e.id FROM enrollments e WHERE e.tenant = ",
            $push,
            ".tenant AND e.state = 2 AND e.id = (
                         SELECT d.enrollment FROM devices d WHERE d.tenant = ",
            $push,
            ".tenant AND d.id = ",
            $push,
            ".device)) LIMIT 1) live"
        )
    };
}

pub(super) const CLAIM: &str = concat!(
    "
    WITH due AS MATERIALIZED (SELECT tenant, device, channel FROM pushes
        WHERE due_at <= $1 AND claimed_until <= $1 AND tenant NOT IN (SELECT UNNEST($4::uuid[]))
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED),
    claimed AS (UPDATE pushes p SET claimed_until = $2 FROM due
        WHERE ",
    looked_up!("p.tenant", "due.tenant"),
    " AND p.device = due.device AND p.channel = due.channel
        RETURNING p.tenant, p.device, p.channel, p.attempts, p.generation)
    SELECT p.tenant, p.device, p.channel, p.attempts, p.generation, live.push_token, live.push_magic
    FROM claimed p LEFT JOIN LATERAL ",
    live_channel!("p"),
    " ON true"
);

/// Pushes to the listed devices ($2) of a tenant ($1) with a live token, due at $3. Those that it makes have just that as their
/// generation, and are claimed until $4; where one is there already, it is asked for again. In the order of the keys, as
/// everyone who locks several of these rows does it.
pub(super) const MAKE: &str = concat!(
    "WITH live AS MATERIALIZED (
         SELECT l.tenant, l.device, l.channel, live.push_token, live.push_magic
         FROM (SELECT $1::uuid AS tenant, device, '' AS channel FROM UNNEST($2::uuid[]) AS device) l CROSS JOIN LATERAL ",
    live_channel!("l"),
    " ORDER BY l.device),
     taken AS (
         INSERT INTO pushes (tenant, device, channel, due_at, claimed_until, generation)
         SELECT tenant, device, channel, $3, $4, $3 FROM live
         ON CONFLICT (tenant, device, channel) DO UPDATE SET
             due_at = least(pushes.due_at, excluded.due_at), generation = pushes.generation + 1
         RETURNING tenant, device, channel, attempts, generation, claimed_until)
     SELECT taken.*, live.push_token, live.push_magic FROM taken JOIN live USING (tenant, device, channel)"
);

/// One after the other, in the order of the arrays, as in `HOLD`.
const KEEP: &str = concat!(
    "WITH kept AS MATERIALIZED (
        SELECT held.tenant, held.device, held.channel FROM UNNEST($1::uuid[], $2::uuid[], $3::text[]) AS s (tenant, device, channel)
        CROSS JOIN LATERAL (SELECT p.tenant, p.device, p.channel FROM pushes p
            WHERE p.tenant = s.tenant AND p.device = s.device AND p.channel = s.channel AND p.claimed_until > 0 FOR UPDATE) held)
     UPDATE pushes p SET claimed_until = $4
     FROM kept k WHERE ",
    looked_up!("p.tenant", "k.tenant"),
    " AND p.device = k.device AND p.channel = k.channel",
);

/// Notes what APNs said, and forgets a token that it called dead, unless the device has told a new one meanwhile. One row after the
/// other is looked up and locked, in the order of the keys, as by all who lock several channels.
const NOTE: &str = "
    UPDATE channels c SET pushed_at = k.at, push_said = k.said,
        push_token = CASE WHEN k.gone THEN NULL ELSE c.push_token END
    FROM (SELECT d.tenant, d.enrollment, s.channel, s.token, s.at, s.said, s.gone
        FROM UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::bigint[], $6::text[], $7::bool[])
            AS s (tenant, device, channel, token, at, said, gone)
        JOIN devices d ON d.tenant = s.tenant AND d.id = s.device
        ORDER BY d.tenant, d.enrollment, s.channel) k
    WHERE c.tenant = k.tenant AND c.enrollment = k.enrollment AND c.channel = k.channel AND c.push_token = k.token";

macro_rules! settled {
    () => {
        concat!(
            "UNNEST($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bool[], $6::bigint[])
                AS s (tenant, device, channel, generation, gone, retry_at)
             WHERE ",
            looked_up!("p.tenant", "s.tenant"),
            " AND p.device = s.device AND p.channel = s.channel"
        )
    };
}

/// One after the other, in the order of the arrays, which is that of the keys: before any is ended or released, or else who asks for
/// some of them anew, in that order, could wait for one that was ended and hold one that is to be released.
const HOLD: &str = "
    SELECT 1 FROM UNNEST($1::uuid[], $2::uuid[], $3::text[]) AS s (tenant, device, channel)
    CROSS JOIN LATERAL (SELECT 1 FROM pushes p
        WHERE p.tenant = s.tenant AND p.device = s.device AND p.channel = s.channel FOR UPDATE) held";

/// Those that are over: delivered and not asked for again, or without a token to go on with.
const END: &str = concat!(
    "DELETE FROM pushes p USING ",
    settled!(),
    " AND CASE WHEN s.gone
         THEN (SELECT true FROM channels c
             WHERE c.tenant = s.tenant AND c.channel = s.channel AND c.push_token IS NOT NULL AND c.enrollment = (
                 SELECT d.enrollment FROM devices d WHERE d.tenant = s.tenant AND d.id = s.device) LIMIT 1) IS NULL
         ELSE p.generation = s.generation AND s.retry_at IS NULL END"
);

/// What is left is due again: at the time to try again, or, if it was asked for meanwhile, when that was.
const RELEASE: &str = concat!(
    "UPDATE pushes p SET claimed_until = 0,
         due_at = CASE WHEN p.generation = s.generation AND NOT s.gone THEN s.retry_at ELSE p.due_at END,
         attempts = CASE WHEN p.generation = s.generation AND NOT s.gone THEN p.attempts + 1 ELSE p.attempts END
     FROM ",
    settled!(),
);

/// The claim of up to `limit` pushes that are due, but those of `except`.
pub(super) fn claim(
    now: Timestamp,
    until: Timestamp,
    limit: u32,
    except: &[TenantId],
) -> Query<'static, Db, PgArguments> {
    query(CLAIM).bind(now.0).bind(until.0).bind(i64::from(limit)).bind(tenants(except))
}

/// A list of tenants, for `among_ids!`.
pub(super) fn tenants(tenants: &[TenantId]) -> Vec<Uuid> {
    each(tenants, |tenant| tenant.0)
}

/// Lengthens the claims on pushes to channels.
pub(super) async fn keep(connection: &mut PgConnection, jobs: &[PushJob], until: Timestamp) -> Result<()> {
    let mut channels: Vec<Channel<'_>> = jobs.iter().filter_map(channel).collect();
    channels.sort_unstable();
    keyed(KEEP, &channels).bind(until.0).execute(connection).await.map_err(failed)?;
    Ok(())
}

/// What became of pushes to channels. Channels are locked before pushes, as by who tells a token and asks for a push.
pub(super) async fn settle(connection: &mut PgConnection, settled: &[SettledPush]) -> Result<()> {
    let mut rows: Vec<(Channel<'_>, &SettledPush)> =
        settled.iter().filter_map(|push| Some((channel(&push.job)?, push))).collect();
    rows.sort_unstable_by_key(|(channel, _)| *channel);
    let (channels, pushes): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    note(&channels, &pushes).execute(&mut *connection).await.map_err(failed)?;
    keyed(HOLD, &channels).execute(&mut *connection).await.map_err(failed)?;
    let ended = end(END, &channels, &pushes).execute(&mut *connection).await.map_err(failed)?;
    if ended.rows_affected() < channels.len() as u64 {
        end(RELEASE, &channels, &pushes).execute(connection).await.map_err(failed)?;
    }
    Ok(())
}

/// The key of a push to a channel: tenant, device and channel, which sort as in the database.
type Channel<'a> = (Uuid, Uuid, &'a str);

fn channel(job: &PushJob) -> Option<Channel<'_>> {
    match &job.target {
        PushTarget::Channel { device, channel } => Some((job.tenant.0, device.0, channel.0.as_str())),
        PushTarget::Tombstone(_) => None,
    }
}

fn note<'q>(channels: &[Channel<'q>], pushes: &[&'q SettledPush]) -> Query<'q, Db, PgArguments> {
    keyed(NOTE, channels)
        .bind(each(pushes, |push| push.job.token.as_slice()))
        .bind(each(pushes, |push| push.at.0))
        .bind(each(pushes, |push| push.said.as_str()))
        .bind(each(pushes, |push| push.token_gone))
}

fn end<'q>(
    statement: &'static str,
    channels: &[Channel<'q>],
    pushes: &[&'q SettledPush],
) -> Query<'q, Db, PgArguments> {
    keyed(statement, channels)
        .bind(each(pushes, |push| push.job.generation))
        .bind(each(pushes, |push| push.token_gone))
        .bind(each(pushes, |push| push.retry_at.map(|at| at.0)))
}

fn keyed<'q>(statement: &'static str, channels: &[Channel<'q>]) -> Query<'q, Db, PgArguments> {
    query(statement)
        .bind(each(channels, |(tenant, ..)| *tenant))
        .bind(each(channels, |(_, device, _)| *device))
        .bind(each(channels, |(.., channel)| *channel))
}

#[cfg(test)]
mod tests {
    use super::{
        super::ground::{looks_up, plan_among},
        *,
    };

    #[tokio::test]
    async fn pushes_are_kept_and_settled_by_their_keys_also_where_none_was_when_the_plan_was_made() {
        for statement in [KEEP, HOLD, END, RELEASE] {
            looks_up(&plan_among("", statement).await, statement);
        }
    }
}
