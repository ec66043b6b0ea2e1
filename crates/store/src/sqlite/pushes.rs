//! Claiming and settling many pushes at once, as SQLite does it best: few values in a statement that stays prepared.

use domain::{
    Result, TenantId, Timestamp,
    ports::{PushJob, PushTarget, SettledPush},
};
use sqlx::{SqliteConnection, query, query::Query, sqlite::SqliteArguments};

use super::{Db, bulk::as_json};
use crate::error::failed;

/// Of a channel of the enrollment that the device now has, and only while that is active. `RETURNING` knows no other table than the one that is
/// changed, so that each column is looked up by itself.
macro_rules! live_channel {
    ($column:literal) => {
        concat!(
            "(SELECT c.",
            $column,
            " FROM channels c WHERE c.tenant = pushes.tenant AND c.channel = pushes.channel
                 AND c.push_token IS NOT NULL AND c.enrollment = (
                     SELECT e.id FROM enrollments e WHERE e.tenant = pushes.tenant AND e.state = 2 AND e.id = (
                         SELECT d.enrollment FROM devices d WHERE d.tenant = pushes.tenant AND d.id = pushes.device))) AS ",
            $column
        )
    };
}

pub(super) const CLAIM: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT tenant, device, channel FROM pushes
         WHERE due_at <= $1 AND claimed_until <= $1 AND tenant NOT IN (SELECT unhex(value) FROM json_each($4))
         ORDER BY due_at LIMIT $3)
     UPDATE pushes SET claimed_until = $2 WHERE (tenant, device, channel) IN (SELECT tenant, device, channel FROM due)
     RETURNING tenant, device, channel, attempts, generation, ",
    live_channel!("push_token"),
    ", ",
    live_channel!("push_magic"),
);

/// Pushes to the listed devices ($2) of a tenant ($1) with a live token, due at $3. Those that it makes have just that as their
/// generation, and are claimed until $4; where one is there already, it is asked for again.
pub(super) const MAKE: &str = concat!(
    "INSERT INTO pushes (tenant, device, channel, due_at, claimed_until, generation)
     SELECT d.tenant, d.id, c.channel, $3, $4, $3
     FROM json_each($2) listed CROSS JOIN devices d ON d.tenant = $1 AND d.id = unhex(listed.value)
         CROSS JOIN enrollments e ON e.tenant = d.tenant AND e.id = d.enrollment
         CROSS JOIN channels c ON c.tenant = e.tenant AND c.enrollment = e.id AND c.channel = ''
     WHERE e.state = 2 AND c.push_token IS NOT NULL
     ON CONFLICT (tenant, device, channel) DO UPDATE SET
         due_at = min(pushes.due_at, excluded.due_at), generation = pushes.generation + 1
     RETURNING tenant, device, channel, attempts, generation, claimed_until, ",
    live_channel!("push_token"),
    ", ",
    live_channel!("push_magic"),
);

const KEEP: &str = "
    UPDATE pushes SET claimed_until = $4 WHERE tenant = $1 AND device = $2 AND channel = $3 AND claimed_until > 0";

/// Notes what APNs said, and forgets a token that it called dead, unless the device has told a new one meanwhile.
const NOTE: &str = "
    UPDATE channels SET pushed_at = $5, push_said = $6, push_token = CASE WHEN $7 THEN NULL ELSE push_token END
    WHERE tenant = $1 AND channel = $3 AND push_token = $4
        AND enrollment = (SELECT enrollment FROM devices WHERE tenant = $1 AND id = $2)";

/// A push that is over: delivered and not asked for again, or without a token to go on with.
const END: &str = "
    DELETE FROM pushes WHERE tenant = $1 AND device = $2 AND channel = $3 AND CASE WHEN $5
        THEN NOT EXISTS (SELECT 1 FROM devices d JOIN channels c ON c.tenant = d.tenant AND c.enrollment = d.enrollment
            WHERE d.tenant = $1 AND d.id = $2 AND c.channel = $3 AND c.push_token IS NOT NULL)
        ELSE generation = $4 AND $6 IS NULL END";

/// What is left is due again: at the time to try again, or, if it was asked for meanwhile, when that was.
const RELEASE: &str = "
    UPDATE pushes SET claimed_until = 0,
        due_at = CASE WHEN generation = $4 AND NOT $5 THEN $6 ELSE due_at END,
        attempts = CASE WHEN generation = $4 AND NOT $5 THEN attempts + 1 ELSE attempts END
    WHERE tenant = $1 AND device = $2 AND channel = $3";

/// The claim of up to `limit` pushes that are due, but those of `except`.
pub(super) fn claim(
    now: Timestamp,
    until: Timestamp,
    limit: u32,
    except: &[TenantId],
) -> Query<'static, Db, SqliteArguments> {
    query(CLAIM).bind(now.0).bind(until.0).bind(i64::from(limit)).bind(tenants(except))
}

/// A list of tenants, for `among_ids!`.
pub(super) fn tenants(tenants: &[TenantId]) -> String {
    as_json(tenants.iter().map(|tenant| tenant.0))
}

/// Lengthens the claims on pushes to channels.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    jobs: &[PushJob],
    until: Timestamp,
) -> Result<()> {
    for job in jobs {
        let PushTarget::Channel { device, channel } = &job.target else { continue };
        let keep = query(KEEP).bind(job.tenant.0).bind(device.0).bind(&channel.0).bind(until.0);
        keep.execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

/// What became of pushes to channels.
pub(super) async fn settle(connection: &mut SqliteConnection, settled: &[SettledPush]) -> Result<()> {
    for push in settled {
        let PushTarget::Channel { device, channel } = &push.job.target else { continue };
        let (tenant, job) = (push.job.tenant.0, &push.job);
        let note = query(NOTE).bind(tenant).bind(device.0).bind(&channel.0).bind(&job.token).bind(push.at.0);
        note.bind(&push.said).bind(push.token_gone).execute(&mut *connection).await.map_err(failed)?;
        for statement in [END, RELEASE] {
            let settle = query(statement).bind(tenant).bind(device.0).bind(&channel.0).bind(job.generation);
            let settle = settle.bind(push.token_gone).bind(push.retry_at.map(|at| at.0));
            let settled = settle.execute(&mut *connection).await.map_err(failed)?;
            if settled.rows_affected() > 0 {
                break;
            }
        }
    }
    Ok(())
}
