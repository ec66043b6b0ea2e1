//! What is forgotten once nobody needs it any more: a batch at a time, so that nobody waits long for it.

use async_trait::async_trait;

use crate::{DeviceId, EscrowId, Result, TenantId, Timestamp};

/// Removing what is old, across tenants. Each removes up to `limit` rows, the oldest first, and tells how many; several
/// nodes may do so side by side.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Removes commands, with their results, that ended before `before`.
    async fn forget_commands(&self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Removes events of before `before`, but for those of the ends of commands.
    async fn forget_events(&self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Removes events of before `before` that tell how a command ended: done, failed or expired.
    async fn forget_ends_of_commands(&self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Removes purges that were finished before `before`.
    async fn forget_purges(&self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Removes enrollment links that ended before `before`.
    async fn forget_links(&self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Removes certificates that were replaced or taken back, and expired before `before`.
    async fn forget_certificates(&self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Looks at up to `limit` secrets in escrow behind `after`, in the order of their keys, and removes those from before
    /// `before` that their device refused before that, or in whose place it confirmed a newer one of the same kind and
    /// enrollment before that. From where to go on; `None` at the end.
    async fn forget_secrets(
        &self,
        after: Option<EscrowPlace>,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<EscrowPlace>>;

    /// Sets when enrollments that have ended, or that began before `begun` and got nowhere, are to be looked at by
    /// [`Retention::forget_enrollments`]; how many. One that comes to life again loses that time.
    async fn note_ended_enrollments(&self, begun: Timestamp, look_at: Timestamp, limit: u32) -> Result<u64>;

    /// Looks at enrollments that are due to be; how many. One that no device's record names, and whose certificates have
    /// all expired by `expired`, is removed with its certificates, channels, tokens and secrets in escrow; any other is
    /// looked at again at `again`.
    async fn forget_enrollments(&self, due: &DueEnrollments, limit: u32) -> Result<u64>;
}

/// A secret in escrow, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EscrowPlace {
    /// Whose.
    pub tenant: TenantId,
    /// Of which device.
    pub device: DeviceId,
    /// Which one.
    pub id: EscrowId,
}

/// Which enrollments are to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueEnrollments {
    /// Those whose time was set, and has come by then.
    pub by: Timestamp,
    /// And whose certificates expired before then: a certificate that could still be shown must stay known.
    pub expired: Timestamp,
    /// When those that must stay are looked at again.
    pub again: Timestamp,
}
