//! Randomness.

use uuid::Uuid;

/// Makes up ids and secrets.
pub trait Random: Send + Sync {
    /// A random id (version 4).
    fn id(&self) -> Uuid;

    /// An id that sorts behind every one made before by this process (version 7).
    fn ordered_id(&self) -> Uuid;

    /// Fills `bytes` from a cryptographic source.
    fn fill(&self, bytes: &mut [u8]);
}
