//! Password hashing.

use async_trait::async_trait;

use crate::Result;

/// Hashes passwords with argon2id, few at a time, and never inside a transaction.
#[async_trait]
pub trait Hashing: Send + Sync {
    /// The hash to store, as a PHC string.
    async fn hash(&self, password: &str) -> Result<String>;

    /// Whether `password` is the one behind `hash`.
    async fn verify(&self, password: &str, hash: &str) -> Result<bool>;
}
