//! The workers' claims.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    ChannelKey, CommandId, DeviceId, EnrollmentId, Error, PurgeId, Result, TenantId, Timestamp,
    ports::{Outbox, OutcomeJob, PushJob, PushTarget, SettledPush, Worker},
};
use pki::Fingerprint;
use sqlx::query;

use super::{
    super::{ANOTHER_NODE, pushes},
    Backend, Open, Query, Row,
    rows::{count, fingerprint, get, maybe_time, time},
};

const ANY_PUSH_DUE: &str = concat!(
    "SELECT EXISTS (SELECT 1 FROM pushes WHERE due_at <= $1 AND claimed_until <= $1 AND NOT tenant",
    among_ids!("$2"),
    ") AS push,
         EXISTS (SELECT 1 FROM push_lists WHERE due_at <= $1 AND NOT tenant",
    among_ids!("$2"),
    ") AS list,
         EXISTS (SELECT 1 FROM tombstones WHERE due_at IS NOT NULL AND due_at <= $1 AND claimed_until <= $1
             AND NOT tenant",
    among_ids!("$2"),
    ") AS farewell"
);

const CLAIM_FAREWELLS: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT fingerprint FROM tombstones
         WHERE due_at IS NOT NULL AND due_at <= $1 AND claimed_until <= $1 AND NOT tenant",
    among_ids!("$4"),
    " ORDER BY due_at LIMIT $3",
    skip_locked!(),
    ") UPDATE tombstones SET claimed_until = $2 FROM due WHERE ",
    looked_up!("tombstones.fingerprint", "due.fingerprint"),
    " RETURNING tombstones.fingerprint, tenant, push_token, push_magic, attempts, generation",
);

const KEEP_FAREWELL: &str = "
    UPDATE tombstones SET claimed_until = $3 WHERE fingerprint = $1 AND generation = $2 AND claimed_until > 0";

const CLAIM_OUTCOMES: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT tenant, device, command FROM outcomes
         WHERE claimed_until <= $1 ORDER BY at LIMIT $3",
    skip_locked!(),
    ") UPDATE outcomes SET claimed_until = $2 FROM due WHERE ",
    looked_up!("outcomes.tenant", "due.tenant"),
    " AND outcomes.device = due.device AND outcomes.command = due.command
     RETURNING outcomes.tenant, outcomes.device, outcomes.command, at",
);

const CLAIM_PURGE: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT tenant, id FROM purges
         WHERE finished_at IS NULL AND claimed_until <= $1 ORDER BY asked_at, id LIMIT 1",
    skip_locked!(),
    ") UPDATE purges SET claimed_until = $2 WHERE (tenant, id) IN (SELECT tenant, id FROM due) RETURNING tenant, id",
);

/// How often another node is looked for before it counts as one that stays, and how long apart.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Who has a row locked is alive, and will release it.
macro_rules! release {
    ($table:literal, $key:literal) => {
        concat!(
            "WITH held AS MATERIALIZED (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE claimed_until > 0",
            skip_locked!(),
            ") UPDATE ",
            $table,
            " SET claimed_until = 0 WHERE (",
            $key,
            ") IN (SELECT ",
            $key,
            " FROM held)"
        )
    };
}

const DUE_RENEWALS: &str = "
    SELECT c.tenant, c.enrollment FROM certificates c
    JOIN enrollments e ON e.tenant = c.tenant AND e.id = c.enrollment
    WHERE c.state = 1 AND c.not_after < $1 AND e.state = 2 AND e.link IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM commands m WHERE m.tenant = e.tenant AND m.device = e.device AND m.dedupe = 'renewal'
            AND m.enrollment = e.id AND (m.state < 3 OR m.queued_at >= $2))
    ORDER BY c.not_after LIMIT $3";

/// The claim of up to `limit` outcomes.
pub(super) fn claim_outcomes(now: Timestamp, until: Timestamp, limit: u32) -> Query<'static> {
    query(CLAIM_OUTCOMES).bind(now.0).bind(until.0).bind(i64::from(limit))
}

#[async_trait]
impl Outbox for Backend {
    async fn claim_pushes(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
        except: &[TenantId],
    ) -> Result<Vec<PushJob>> {
        // Most of the time nothing is due: no need to wait for the right to write.
        let look = query(ANY_PUSH_DUE).bind(now.0).bind(pushes::tenants(except));
        let Some(due) = self.one(look).await? else { return Ok(Vec::new()) };
        let (push, farewell) = (get(&due, "push")?, get(&due, "farewell")?);
        let mut jobs = Vec::new();
        if push || farewell {
            jobs = self.claim_rows((push, farewell), (now, until), limit, except).await?;
        }
        if get(&due, "list")? {
            let listed = self.claim_listed((now, until), limit, except, &mut jobs).await;
            // What is claimed by now would else wait until its claim has ended. Lists stay due, and the next claim tells.
            if jobs.is_empty() {
                listed?;
            }
        }
        Ok(jobs)
    }

    async fn keep_pushes(&self, jobs: &[PushJob], until: Timestamp) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let mut open = self.write().await?;
        pushes::keep(open.connection(), jobs, until).await?;
        for (fingerprint, job) in farewells(jobs, |job| job) {
            let keep = query(KEEP_FAREWELL).bind(&fingerprint.0[..]).bind(job.generation).bind(until.0);
            open.run(keep).await?;
        }
        open.commit().await
    }

    async fn settle_pushes(&self, settled: &[SettledPush]) -> Result<()> {
        if settled.is_empty() {
            return Ok(());
        }
        let mut open = self.write().await?;
        pushes::settle(open.connection(), settled).await?;
        for (fingerprint, push) in farewells(settled, |push| &push.job) {
            open.settle_farewell(fingerprint, push).await?;
        }
        open.commit().await
    }

    async fn claim_outcomes(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<OutcomeJob>> {
        if self
            .one(query("SELECT 1 FROM outcomes WHERE claimed_until <= $1 LIMIT 1").bind(now.0))
            .await?
            .is_none()
        {
            return Ok(Vec::new());
        }
        let mut open = self.write().await?;
        let rows = open.all(claim_outcomes(now, until, limit)).await?;
        open.commit().await?;
        let mut jobs = rows.iter().map(outcome).collect::<Result<Vec<_>>>()?;
        jobs.sort_unstable_by_key(|(at, job)| (*at, job.command));
        Ok(jobs.into_iter().map(|(_, job)| job).collect())
    }

    async fn claim_purge(&self, now: Timestamp, until: Timestamp) -> Result<Option<(TenantId, PurgeId)>> {
        let waits = query("SELECT 1 FROM purges WHERE finished_at IS NULL AND claimed_until <= $1 LIMIT 1")
            .bind(now.0);
        if self.one(waits).await?.is_none() {
            return Ok(None);
        }
        let mut open = self.write().await?;
        let row = open.one(query(CLAIM_PURGE).bind(now.0).bind(until.0)).await?;
        open.commit().await?;
        row.map(|row| Ok((TenantId(get(&row, "tenant")?), PurgeId(get(&row, "id")?)))).transpose()
    }

    async fn release_claims(&self, worker: Worker) -> Result<()> {
        if self.has_another_node().await? {
            return Ok(());
        }
        for release in releases(worker) {
            self.change(query(*release)).await?;
        }
        Ok(())
    }

    async fn due_renewals(
        &self,
        before: Timestamp,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, EnrollmentId)>> {
        let select = query(DUE_RENEWALS).bind(before.0).bind(since.0).bind(i64::from(limit));
        let rows = self.all(select).await?;
        rows.iter()
            .map(|row| Ok((TenantId(get(row, "tenant")?), EnrollmentId(get(row, "enrollment")?))))
            .collect()
    }

    async fn sweep_tombstones(&self, now: Timestamp) -> Result<u64> {
        self.change(query("DELETE FROM tombstones WHERE expires_at < $1").bind(now.0)).await
    }

    async fn expire_commands(&self, now: Timestamp, limit: u32) -> Result<u64> {
        self.expire(now, limit).await
    }

    async fn wake_waiting(&self, now: Timestamp, patience: Duration, limit: u32) -> Result<u64> {
        self.wake(now, patience, limit).await
    }

    async fn next_push_due(&self) -> Result<Option<Timestamp>> {
        let select = query(
            "SELECT (SELECT min(due_at) FROM pushes) AS push, (SELECT min(due_at) FROM push_lists) AS list,
                 (SELECT min(due_at) FROM tombstones WHERE due_at IS NOT NULL) AS farewell",
        );
        let Some(row) = self.one(select).await? else { return Ok(None) };
        let due = ["push", "list", "farewell"].map(|column| maybe_time(&row, column));
        Ok(due.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().min())
    }

    async fn backlog(&self) -> Result<(u64, u64, u64)> {
        let select = query(
            "SELECT (SELECT count(*) FROM pushes) + (SELECT COALESCE(sum(length(devices)), 0) / 16 FROM push_lists)
                     + (SELECT count(*) FROM tombstones WHERE due_at IS NOT NULL) AS pushes,
                 (SELECT count(*) FROM outcomes) AS outcomes,
                 (SELECT count(*) FROM purges WHERE finished_at IS NULL) AS purges",
        );
        let Some(row) = self.one(select).await? else { return Ok((0, 0, 0)) };
        let number = |column| u64::try_from(get::<i64>(&row, column)?).map_err(Error::internal);
        Ok((number("pushes")?, number("outcomes")?, number("purges")?))
    }
}

impl Backend {
    /// Pushes to channels, and farewells, as far as either is due.
    async fn claim_rows(
        &self,
        (push, farewell): (bool, bool),
        (now, until): (Timestamp, Timestamp),
        limit: u32,
        except: &[TenantId],
    ) -> Result<Vec<PushJob>> {
        let mut open = self.write().await?;
        let mut jobs = Vec::new();
        if push {
            jobs = open.claim_channels(pushes::claim(now, until, limit, except)).await?;
        }
        let rest = limit.saturating_sub(u32::try_from(jobs.len()).unwrap_or(limit));
        if farewell && rest > 0 {
            let claim = query(CLAIM_FAREWELLS).bind(now.0).bind(until.0).bind(i64::from(rest));
            jobs.extend(open.claim_farewells(claim.bind(pushes::tenants(except))).await?);
        }
        open.commit().await?;
        Ok(jobs)
    }

    /// Whether there is another node, and stays: connections of one that was killed end in a moment.
    async fn has_another_node(&self) -> Result<bool> {
        for _ in 0..LOOKS {
            if self.one(query(ANOTHER_NODE)).await?.is_none() {
                return Ok(false);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(true)
    }
}

impl Open {
    async fn claim_channels(&mut self, claim: Query<'_>) -> Result<Vec<PushJob>> {
        let mut jobs = Vec::new();
        for row in self.all(claim).await? {
            let (device, channel) = (DeviceId(get(&row, "device")?), ChannelKey(get(&row, "channel")?));
            match job(&row, PushTarget::Channel { device, channel: channel.clone() })? {
                Some(job) => jobs.push(job),
                None => self.drop_push(TenantId(get(&row, "tenant")?), device, &channel).await?,
            }
        }
        Ok(jobs)
    }

    async fn claim_farewells(&mut self, claim: Query<'_>) -> Result<Vec<PushJob>> {
        let mut jobs = Vec::new();
        for row in self.all(claim).await? {
            let target = PushTarget::Tombstone(fingerprint(&row, "fingerprint")?);
            jobs.extend(job(&row, target)?);
        }
        Ok(jobs)
    }

    /// Removes a push to a channel that has gone since it was asked for.
    async fn drop_push(&mut self, tenant: TenantId, device: DeviceId, channel: &ChannelKey) -> Result<()> {
        let delete = query("DELETE FROM pushes WHERE tenant = $1 AND device = $2 AND channel = $3")
            .bind(tenant.0)
            .bind(device.0)
            .bind(&channel.0);
        self.run(delete).await?;
        Ok(())
    }

    async fn settle_farewell(&mut self, fingerprint: &Fingerprint, push: &SettledPush) -> Result<()> {
        let retry_at = push.retry_at.filter(|_| !push.token_gone);
        let update = match retry_at {
            Some(at) => query(
                "UPDATE tombstones SET due_at = $3, attempts = attempts + 1, claimed_until = 0
                 WHERE fingerprint = $1 AND generation = $2 AND due_at IS NOT NULL",
            )
            .bind(&fingerprint.0[..])
            .bind(push.job.generation)
            .bind(at.0),
            None => query(
                "UPDATE tombstones SET push_token = NULL, push_magic = NULL, due_at = NULL, claimed_until = 0
                 WHERE fingerprint = $1 AND generation = $2",
            )
            .bind(&fingerprint.0[..])
            .bind(push.job.generation),
        };
        self.run(update).await?;
        Ok(())
    }
}

/// A node that was killed holds its claims until they end, and until then nobody takes up what it was at: it would wait
/// although a server is there again. Where that one is alone, nobody else can be at it.
fn releases(worker: Worker) -> &'static [&'static str] {
    match worker {
        Worker::Pushes => {
            &[release!("pushes", "tenant, device, channel"), release!("tombstones", "fingerprint")]
        }
        Worker::Outcomes => &[release!("outcomes", "tenant, device, command")],
        Worker::Purges => &[release!("purges", "tenant, id")],
        // Other nodes may be in the middle of a call to Google, which must not be made twice: these claims end by themselves.
        Worker::Android | Worker::AndroidNotifications => &[],
        // It does what it takes up in the same transaction.
        Worker::Queue => &[],
    }
}

/// Those to devices that have gone, in the order in which all lock them.
fn farewells<'a, T>(pushes: &'a [T], job: impl Fn(&'a T) -> &'a PushJob) -> Vec<(&'a Fingerprint, &'a T)> {
    let mut farewells: Vec<_> = pushes
        .iter()
        .filter_map(|push| match &job(push).target {
            PushTarget::Tombstone(fingerprint) => Some((fingerprint, push)),
            PushTarget::Channel { .. } => None,
        })
        .collect();
    farewells.sort_unstable_by_key(|(fingerprint, _)| fingerprint.0);
    farewells
}

/// A claimed push; `None` without a live token.
pub(super) fn job(row: &Row, target: PushTarget) -> Result<Option<PushJob>> {
    let (token, magic) = (get::<Option<_>>(row, "push_token")?, get::<Option<_>>(row, "push_magic")?);
    let Some((token, magic)) = token.zip(magic) else { return Ok(None) };
    Ok(Some(PushJob {
        tenant: TenantId(get(row, "tenant")?),
        target,
        token,
        magic,
        attempts: count(row, "attempts")?,
        generation: get(row, "generation")?,
    }))
}

fn outcome(row: &Row) -> Result<(Timestamp, OutcomeJob)> {
    let job = OutcomeJob {
        tenant: TenantId(get(row, "tenant")?),
        device: DeviceId(get(row, "device")?),
        command: CommandId(get(row, "command")?),
    };
    Ok((time(row, "at")?, job))
}
