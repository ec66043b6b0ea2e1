//! Purge jobs, and what is left of the devices.

use async_trait::async_trait;
use domain::{
    Purge, PurgeCounts, PurgeId, Result, Timestamp,
    ports::{Farewell, Purges, Tombstone},
};
use sqlx::{QueryBuilder, query};

use super::{
    Row, Tx,
    rows::{count, get, maybe_time, time},
};

/// Four values each: far below what either database takes in one statement.
const IDS_AT_ONCE: usize = 500;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, asked_by, asked_at, asked, purged, skipped, failed, finished_at FROM purges WHERE tenant = $1 ",
            $rest
        )
    };
}

#[async_trait]
impl Purges for Tx {
    async fn add_purge(&mut self, purge: &Purge, external_ids: &[String], guids: &[String]) -> Result<()> {
        let insert = query(
            "INSERT INTO purges (tenant, id, asked_by, asked_at, asked, purged, skipped, failed, finished_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(self.tenant.0)
        .bind(purge.id.0)
        .bind(&purge.asked_by)
        .bind(purge.asked_at.0)
        .bind(i64::from(purge.asked))
        .bind(i64::from(purge.counts.purged))
        .bind(i64::from(purge.counts.skipped))
        .bind(i64::from(purge.counts.failed))
        .bind(purge.finished_at.map(|at| at.0));
        self.open.run(insert).await?;
        self.add_purge_ids(purge.id, false, external_ids).await?;
        self.add_purge_ids(purge.id, true, guids).await
    }

    async fn purge(&mut self, id: PurgeId) -> Result<Option<Purge>> {
        let select = query(select!("AND id = $2")).bind(self.tenant.0).bind(id.0);
        self.open.one(select).await?.map(|row| purge(&row)).transpose()
    }

    async fn purges(&mut self, limit: u32) -> Result<Vec<Purge>> {
        let newest = query(select!("ORDER BY asked_at DESC, id DESC LIMIT $2"))
            .bind(self.tenant.0)
            .bind(i64::from(limit));
        self.open.all(newest).await?.iter().map(purge).collect()
    }

    async fn open_purge_ids(&mut self, id: PurgeId, limit: u32) -> Result<Vec<(bool, String)>> {
        let select = query(
            "SELECT is_guid, name FROM purge_ids WHERE tenant = $1 AND purge = $2 ORDER BY is_guid, name LIMIT $3",
        )
        .bind(self.tenant.0)
        .bind(id.0)
        .bind(i64::from(limit));
        self.open.all(select).await?.iter().map(|row| Ok((get(row, "is_guid")?, get(row, "name")?))).collect()
    }

    async fn finish_purge_id(
        &mut self,
        id: PurgeId,
        is_guid: bool,
        name: &str,
        counts: PurgeCounts,
        until: Timestamp,
    ) -> Result<()> {
        let delete =
            query("DELETE FROM purge_ids WHERE tenant = $1 AND purge = $2 AND is_guid = $3 AND name = $4")
                .bind(self.tenant.0)
                .bind(id.0)
                .bind(is_guid)
                .bind(name);
        // Another worker, whose claim ran out, was quicker: it has counted.
        if self.open.run(delete).await? == 0 {
            return Ok(());
        }
        let update = query(
            "UPDATE purges SET purged = purged + $3, skipped = skipped + $4, failed = failed + $5,
                 claimed_until = $6 WHERE tenant = $1 AND id = $2",
        )
        .bind(self.tenant.0)
        .bind(id.0)
        .bind(i64::from(counts.purged))
        .bind(i64::from(counts.skipped))
        .bind(i64::from(counts.failed))
        .bind(until.0);
        self.open.set(update, "purge").await
    }

    async fn finish_purge(&mut self, id: PurgeId, at: Timestamp) -> Result<()> {
        let update = query("UPDATE purges SET finished_at = $3 WHERE tenant = $1 AND id = $2")
            .bind(self.tenant.0)
            .bind(id.0)
            .bind(at.0);
        self.open.set(update, "purge").await
    }

    async fn add_tombstone(&mut self, tombstone: &Tombstone, now: Timestamp) -> Result<()> {
        // A token that APNs called dead wakes nobody.
        let farewell = tombstone.farewell.as_ref().filter(|farewell| !farewell.push_token.is_empty());
        let upsert = query(
            "INSERT INTO tombstones
                 (fingerprint, tenant, expires_at, understands_unrecognized, push_token, push_magic, due_at, generation)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (fingerprint) DO UPDATE SET tenant = excluded.tenant, expires_at = excluded.expires_at,
                 understands_unrecognized = excluded.understands_unrecognized, push_token = excluded.push_token,
                 push_magic = excluded.push_magic, due_at = excluded.due_at, generation = excluded.generation,
                 attempts = 0, claimed_until = 0",
        )
        .bind(&tombstone.fingerprint.0[..])
        .bind(tombstone.tenant.0)
        .bind(tombstone.expires_at.0)
        .bind(tombstone.understands_unrecognized)
        .bind(farewell.map(|farewell| &farewell.push_token[..]))
        .bind(farewell.map(|farewell| &farewell.push_magic[..]))
        .bind(farewell.map(|_| now.0))
        .bind(now.0);
        self.open.run(upsert).await?;
        Ok(())
    }
}

impl Tx {
    async fn add_purge_ids(&mut self, purge: PurgeId, is_guid: bool, names: &[String]) -> Result<()> {
        for names in names.chunks(IDS_AT_ONCE) {
            let mut insert = QueryBuilder::new("INSERT INTO purge_ids (tenant, purge, is_guid, name) ");
            insert.push_values(names, |mut row, name| {
                row.push_bind(self.tenant.0).push_bind(purge.0).push_bind(is_guid).push_bind(name);
            });
            insert.push(" ON CONFLICT DO NOTHING");
            self.open.run(insert.build().persistent(false)).await?;
        }
        Ok(())
    }
}

fn purge(row: &Row) -> Result<Purge> {
    Ok(Purge {
        id: PurgeId(get(row, "id")?),
        asked_by: get(row, "asked_by")?,
        asked_at: time(row, "asked_at")?,
        asked: count(row, "asked")?,
        counts: PurgeCounts {
            purged: count(row, "purged")?,
            skipped: count(row, "skipped")?,
            failed: count(row, "failed")?,
        },
        finished_at: maybe_time(row, "finished_at")?,
    })
}

/// A farewell, if there is one.
pub(super) fn farewell(row: &Row) -> Result<Option<Farewell>> {
    let (token, magic) = (get::<Option<_>>(row, "push_token")?, get::<Option<_>>(row, "push_magic")?);
    Ok(token.zip(magic).map(|(push_token, push_magic)| Farewell { push_token, push_magic }))
}
