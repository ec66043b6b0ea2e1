//! Where devices take their keys from: each makes its own, or thousands share a few.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pki::{PrivateKey, keys::KeyKind};

use super::failure::Failure;

/// A source of keys: RSA of 2048 bits, or P-256. Cloning shares the pool.
#[derive(Clone)]
pub struct KeyPool {
    kind: KeyKind,
    size: Option<usize>,
    keys: Arc<Mutex<Vec<Arc<PrivateKey>>>>,
    next: Arc<AtomicUsize>,
}

impl KeyPool {
    /// Every device makes its own key, as real ones do: some 50 ms of one core each.
    pub fn fresh() -> KeyPool {
        KeyPool { kind: KeyKind::Rsa, size: None, keys: Arc::default(), next: Arc::default() }
    }

    /// At most `size` keys (at least 1), made when first needed and given out in turns.
    pub fn shared(size: usize) -> KeyPool {
        KeyPool { size: Some(size.max(1)), ..KeyPool::fresh() }
    }

    /// The same keys on P-256. An answer of SCEP cannot be sealed for one: a device gets its first certificate for an RSA key,
    /// and one for such a key by [`renew_by_request`](super::AppleDevice::renew_by_request).
    #[must_use]
    pub fn on_p256(self) -> KeyPool {
        KeyPool { kind: KeyKind::P256, size: self.size, ..KeyPool::fresh() }
    }

    /// A key other than `old`.
    pub(super) async fn key(&self, old: Option<&PrivateKey>) -> Result<Arc<PrivateKey>, Failure> {
        let Some(size) = self.size else { return generate(self.kind).await };
        let place = self.next.fetch_add(1, Ordering::Relaxed) % size;
        let known = self.lock().get(place).cloned();
        let key = match known {
            Some(key) => key,
            None => self.add(size, generate(self.kind).await?),
        };
        match old {
            Some(old) if std::ptr::eq(old, key.as_ref()) => generate(self.kind).await,
            _ => Ok(key),
        }
    }

    fn add(&self, size: usize, key: Arc<PrivateKey>) -> Arc<PrivateKey> {
        let mut keys = self.lock();
        if keys.len() < size {
            keys.push(Arc::clone(&key));
        }
        key
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<PrivateKey>>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KeyPool { kind, size, .. } = self;
        f.debug_struct("KeyPool").field("kind", kind).field("size", size).finish_non_exhaustive()
    }
}

/// Makes a key where it blocks nobody else.
async fn generate(kind: KeyKind) -> Result<Arc<PrivateKey>, Failure> {
    let generate = match kind {
        KeyKind::Rsa => PrivateKey::generate_rsa_2048,
        KeyKind::P256 => PrivateKey::generate_p256,
    };
    let generated = tokio::task::spawn_blocking(generate).await;
    let key = generated.map_err(|error| Failure::Impossible(error.to_string()))?;
    key.map(Arc::new).map_err(|error| Failure::Impossible(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pool_gives_few_keys_to_many_devices() {
        let pool = KeyPool::shared(2);
        let mut distinct = Vec::new();
        for _ in 0..6 {
            let key = pool.key(None).await.unwrap();
            if !distinct.iter().any(|known| Arc::ptr_eq(known, &key)) {
                distinct.push(key);
            }
        }
        assert_eq!(distinct.len(), 2);
    }

    #[tokio::test]
    async fn a_pool_on_p256_has_no_other_keys() {
        let pool = KeyPool::shared(2).on_p256();
        for _ in 0..3 {
            assert!(matches!(*pool.key(None).await.unwrap(), PrivateKey::P256(_)));
        }
        assert_eq!(pool.lock().len(), 2);
    }

    #[tokio::test]
    async fn a_renewal_never_gets_the_old_key() {
        let pool = KeyPool::shared(1);
        let old = pool.key(None).await.unwrap();
        let new = pool.key(Some(&old)).await.unwrap();
        assert!(!Arc::ptr_eq(&old, &new));
    }
}
