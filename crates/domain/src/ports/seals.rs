//! Everything that is sealed, wherever it is kept: to seal it anew with another key.

use async_trait::async_trait;
use uuid::Uuid;

use crate::Result;

/// Where sealed values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SealedPlace {
    /// Unlock tokens of channels; the name is the channel.
    UnlockTokens,
    /// Bootstrap tokens of device channels.
    BootstrapTokens,
    /// Secrets in escrow.
    Escrow,
    /// Payloads of commands that hold secrets.
    Commands,
    /// Results of commands that tell secrets.
    Results,
    /// Keys of push certificates.
    PushCertificates,
    /// Keys of requests for push certificates.
    PushRequests,
    /// Service accounts of Google's.
    AndroidAccounts,
    /// Values of the installation, by their names.
    Installation,
}

impl SealedPlace {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::UnlockTokens,
        Self::BootstrapTokens,
        Self::Escrow,
        Self::Commands,
        Self::Results,
        Self::PushCertificates,
        Self::PushRequests,
        Self::AndroidAccounts,
        Self::Installation,
    ];
}

/// The key of a sealed value in its place; what a place does not need is nil or empty. Values come in the order of
/// their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedKey {
    /// Whose.
    pub tenant: Uuid,
    /// Of which device.
    pub device: Uuid,
    /// Of which enrollment, or which secret or command.
    pub id: Uuid,
    /// The channel, or the installation's name for it.
    pub name: String,
}

/// A sealed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedValue {
    /// Its key.
    pub key: SealedKey,
    /// The value as it is kept.
    pub sealed: Vec<u8>,
}

/// Sealed values, across tenants.
#[async_trait]
pub trait Seals: Send + Sync {
    /// Up to `limit` values of `place` behind `after` that were sealed with another key than `version`.
    async fn sealed_otherwise(
        &self,
        place: SealedPlace,
        version: u32,
        after: &SealedKey,
        limit: u32,
    ) -> Result<Vec<SealedValue>>;

    /// Replaces values in one transaction, each by the bytes beside it; one that is another by now stays as it is. How many
    /// were replaced.
    async fn replace_sealed(&self, place: SealedPlace, values: &[(SealedValue, Vec<u8>)]) -> Result<u64>;
}
