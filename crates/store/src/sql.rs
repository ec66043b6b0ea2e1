//! The ordinary queries, for whichever database includes them.

/// Locks several enrollments in the order in which everyone does: that of tenant, device and id. Who may need more
/// than one takes all of them with one statement, the first of its transaction that locks any, or else two could wait
/// for each other in a circle.
///
/// For PostgreSQL alone. `$1` is the tenant; the statement inside gives `device` and `id`. One after the other is
/// looked up by its key and locked, whatever the server believes of its tables.
macro_rules! lock_in_order {
    ($($which:tt)*) => {
        concat!(
            "SELECT held.id FROM (",
            $($which)*,
            " ORDER BY device, id) meant CROSS JOIN LATERAL (
                SELECT id FROM enrollments WHERE tenant = $1 AND id = meant.id",
            for_update!(),
            ") held"
        )
    };
}

#[path = "sql/accounts.rs"]
mod accounts;
#[path = "sql/android.rs"]
mod android;
#[path = "sql/android_outbox.rs"]
mod android_outbox;
#[path = "sql/apps.rs"]
mod apps;
#[path = "sql/audit.rs"]
mod audit;
#[path = "sql/certificates.rs"]
mod certificates;
#[path = "sql/commands.rs"]
mod commands;
#[path = "sql/comparisons.rs"]
mod comparisons;
#[path = "sql/devices.rs"]
mod devices;
#[path = "sql/directory.rs"]
mod directory;
#[path = "sql/enrollments.rs"]
mod enrollments;
#[path = "sql/escrow.rs"]
mod escrow;
#[path = "sql/faults.rs"]
mod faults;
#[path = "sql/finding.rs"]
mod finding;
#[path = "sql/groups.rs"]
mod groups;
#[path = "sql/history.rs"]
mod history;
#[path = "sql/left_tokens.rs"]
mod left_tokens;
#[path = "sql/links.rs"]
mod links;
#[path = "sql/outbox.rs"]
mod outbox;
#[cfg(test)]
#[path = "sql/plans.rs"]
mod plans;
#[path = "sql/purges.rs"]
mod purges;
#[path = "sql/push_certificates.rs"]
mod push_certificates;
#[path = "sql/push_lists.rs"]
mod push_lists;
#[path = "sql/queue.rs"]
mod queue;
#[path = "sql/rate_limits.rs"]
mod rate_limits;
#[path = "sql/removal.rs"]
mod removal;
#[path = "sql/retention.rs"]
mod retention;
#[path = "sql/rows.rs"]
mod rows;
#[path = "sql/seals.rs"]
mod seals;
#[path = "sql/size.rs"]
mod size;
#[path = "sql/tenants.rs"]
mod tenants;
#[path = "sql/users.rs"]
mod users;

use async_trait::async_trait;
use domain::{Error, Result, TenantId, ports};
use sqlx::{Database, Executor, Pool, Transaction};

use super::{BEGIN_READ, BEGIN_WRITE, Db};
use crate::{
    error::{failed, taken},
    gate::{Gate, Pass},
};

type Row = <Db as Database>::Row;
type Connection = <Db as Database>::Connection;
type Query<'q> = sqlx::query::Query<'q, Db, <Db as Database>::Arguments>;

/// A database, open.
pub struct Backend {
    /// For what only reads.
    pub(super) readers: Pool<Db>,
    /// For what writes.
    pub(super) writers: Pool<Db>,
    /// Where writers queue.
    pub(super) gate: Gate,
}

/// A transaction that sees one tenant.
struct Tx {
    tenant: TenantId,
    open: Open,
}

/// A transaction, and the right to write that it holds until it ends.
struct Open {
    inner: Transaction<'static, Db>,
    pass: Pass,
}

impl Backend {
    /// Closes every connection, once its transaction is over.
    pub(crate) async fn close(&self) {
        self.writers.close().await;
        self.readers.close().await;
        self.gate.close().await;
    }

    async fn write(&self) -> Result<Open> {
        let pass = self.gate.enter().await?;
        let inner = self.writers.begin_with(BEGIN_WRITE).await.map_err(failed)?;
        Ok(Open { inner, pass })
    }

    async fn look(&self) -> Result<Open> {
        let inner = self.readers.begin_with(BEGIN_READ).await.map_err(failed)?;
        Ok(Open { inner, pass: Pass::default() })
    }

    /// A statement in a transaction of its own; how many rows it changed.
    async fn change(&self, query: Query<'_>) -> Result<u64> {
        let mut open = self.write().await?;
        let changed = open.run(query).await?;
        open.commit().await?;
        Ok(changed)
    }

    /// The same; a row that clashes with another is a conflict, in these words.
    async fn add(&self, query: Query<'_>, if_taken: &'static str) -> Result<()> {
        let mut open = self.write().await?;
        open.add(query, if_taken).await?;
        open.commit().await
    }

    async fn one(&self, query: Query<'_>) -> Result<Option<Row>> {
        query.fetch_optional(&self.readers).await.map_err(failed)
    }

    async fn all(&self, query: Query<'_>) -> Result<Vec<Row>> {
        query.fetch_all(&self.readers).await.map_err(failed)
    }
}

impl Open {
    /// Returns once it is durable.
    async fn commit(self) -> Result<()> {
        self.inner.commit().await.map_err(failed)?;
        self.pass.leave().await
    }

    /// Runs a statement; how many rows it changed.
    async fn run(&mut self, query: Query<'_>) -> Result<u64> {
        let done = self.inner.execute(query).await.map_err(failed)?;
        Ok(done.rows_affected())
    }

    /// The same; a row that clashes with another is a conflict, in these words.
    async fn add(&mut self, query: Query<'_>, if_taken: &'static str) -> Result<u64> {
        let done = self.inner.execute(query).await.map_err(taken(if_taken))?;
        Ok(done.rows_affected())
    }

    /// Runs a statement that changes a row that must be there.
    async fn set(&mut self, query: Query<'_>, what: &'static str) -> Result<()> {
        match self.run(query).await? {
            0 => Err(Error::internal(format!("there is no such {what}"))),
            _ => Ok(()),
        }
    }

    async fn one(&mut self, query: Query<'_>) -> Result<Option<Row>> {
        self.inner.fetch_optional(query).await.map_err(failed)
    }

    async fn all(&mut self, query: Query<'_>) -> Result<Vec<Row>> {
        self.inner.fetch_all(query).await.map_err(failed)
    }

    fn connection(&mut self) -> &mut Connection {
        &mut self.inner
    }
}

#[async_trait]
impl ports::Store for Backend {
    async fn begin(&self, tenant: TenantId) -> Result<Box<dyn ports::Tx>> {
        Ok(Box::new(Tx { tenant, open: self.write().await? }))
    }

    async fn read(&self, tenant: TenantId) -> Result<Box<dyn ports::Tx>> {
        Ok(Box::new(Tx { tenant, open: self.look().await? }))
    }
}

#[async_trait]
impl ports::Tx for Tx {
    async fn commit(self: Box<Self>) -> Result<()> {
        self.open.commit().await
    }
}
