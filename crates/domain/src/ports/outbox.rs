//! Follow-up work, as rows that workers claim: none is lost in a crash.
//!
//! A claim holds until the time that it names; a worker that dies by then loses nothing. Several nodes claim
//! side by side (`FOR UPDATE SKIP LOCKED`).

use std::time::Duration;

use async_trait::async_trait;

use super::{AndroidOutbox, Retention};
use crate::{ChannelKey, CommandId, DeviceId, EnrollmentId, PurgeId, Result, TenantId, Timestamp};

/// The workers' claims, across tenants.
#[async_trait]
pub trait Outbox: AndroidOutbox + Retention + Send + Sync {
    /// Up to `limit` pushes that are due, their tokens joined in, claimed until `until`; those of the tenants in `except` are
    /// passed over, which costs as much as there are of them.
    ///
    /// Tombstones' farewells are among them. A channel without a live token has no row.
    async fn claim_pushes(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
        except: &[TenantId],
    ) -> Result<Vec<PushJob>>;

    /// Claims these until `until`, where they are still claimed: their worker lives, and is not done with them.
    async fn keep_pushes(&self, jobs: &[PushJob], until: Timestamp) -> Result<()>;

    /// What became of pushes, in one transaction. A push that was asked for again meanwhile stays due.
    async fn settle_pushes(&self, settled: &[SettledPush]) -> Result<()>;

    /// Up to `limit` results whose effects are not yet applied, oldest first, claimed until `until`.
    async fn claim_outcomes(&self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<OutcomeJob>>;

    /// The purge that waits longest, claimed until `until`.
    async fn claim_purge(&self, now: Timestamp, until: Timestamp) -> Result<Option<(TenantId, PurgeId)>>;

    /// Ends all claims on the work of `worker`, so that what a server that died had claimed need not wait. While another
    /// node is connected nothing is done: what it is at is its own, and what a dead one was at is free in time.
    async fn release_claims(&self, worker: Worker) -> Result<()>;

    /// Active enrollments by a link whose pinned certificate ends before `before`, the first to end first, without a renewal
    /// command ([`crate::RENEWAL`]) that is open or was queued at `since` or later: a device that fails is asked again then.
    /// Identities of a tenant's own CA came without a link, and that CA renews them.
    async fn due_renewals(
        &self,
        before: Timestamp,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, EnrollmentId)>>;

    /// Removes tombstones of certificates that ended before `now`.
    async fn sweep_tombstones(&self, now: Timestamp) -> Result<u64>;

    /// Ends up to `limit` open commands that expired by `now`, each with an event of its device; how many.
    async fn expire_commands(&self, now: Timestamp, limit: u32) -> Result<u64>;

    /// Asks for pushes to the channels of up to `limit` open commands whose time to be woken for has come, and puts
    /// that of each off by `patience`, doubled every time up to 64-fold; how many commands.
    async fn wake_waiting(&self, now: Timestamp, patience: Duration, limit: u32) -> Result<u64>;

    /// When the next push is due, claimed or not; `None` with an empty outbox.
    async fn next_push_due(&self) -> Result<Option<Timestamp>>;

    /// How much waits: pushes, outcomes and purges.
    async fn backlog(&self) -> Result<(u64, u64, u64)>;
}

/// Tells the workers of this process that there is work; a lost word costs a second, never the work.
pub trait Wake: Send + Sync {
    /// There is work for `worker`.
    fn wake(&self, worker: Worker);
}

/// The workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Sends pushes.
    Pushes,
    /// Applies results.
    Outcomes,
    /// Purges devices.
    Purges,
    /// Makes calls to Google.
    Android,
    /// Applies what Google told.
    AndroidNotifications,
    /// Tends the command queue.
    Queue,
}

/// A push to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushJob {
    /// Whose push certificate.
    pub tenant: TenantId,
    /// Whom it wakes.
    pub target: PushTarget,
    /// `Token`.
    pub token: Vec<u8>,
    /// `PushMagic`.
    pub magic: String,
    /// How often it was tried without success.
    pub attempts: u32,
    /// Tells this request for a push from a later one for the same channel.
    pub generation: i64,
}

/// Whom a push wakes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PushTarget {
    /// A channel of a device.
    Channel {
        /// The device.
        device: DeviceId,
        /// The channel.
        channel: ChannelKey,
    },
    /// A purged device that is to connect once more.
    Tombstone(pki::Fingerprint),
}

/// What became of a push.
#[derive(Clone, Debug)]
pub struct SettledPush {
    /// The push, as it was claimed.
    pub job: PushJob,
    /// When to try again; `None` removes it.
    pub retry_at: Option<Timestamp>,
    /// Whether the token is dead: the channel loses it, and is pushed no more until its next `TokenUpdate`.
    pub token_gone: bool,
    /// When it was settled.
    pub at: Timestamp,
    /// What APNs said, for the diagnosis of the device: `accepted`, or the reason.
    pub said: String,
}

/// A result to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeJob {
    /// Whose.
    pub tenant: TenantId,
    /// Of which device.
    pub device: DeviceId,
    /// Of which command.
    pub command: CommandId,
}
