//! Passwords, by argon2id.

use std::sync::Arc;

use argon2::{Argon2 as Algorithm, PasswordHash, PasswordHasher, PasswordVerifier};
use async_trait::async_trait;
use domain::{Error, Result, ports::Hashing};
use tokio::sync::Semaphore;

/// Hashes with argon2id's defaults (19 MiB, two passes), at most two at a time: each takes some 30 ms of a core.
#[derive(Clone)]
pub struct Argon2 {
    places: Arc<Semaphore>,
}

impl Default for Argon2 {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(2)) }
    }
}

#[async_trait]
impl Hashing for Argon2 {
    async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.on_a_thread(move || {
            let hash = Algorithm::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| Error::internal(error.to_string()))
        })
        .await?
    }

    async fn verify(&self, password: &str, hash: &str) -> Result<bool> {
        let (password, hash) = (password.to_owned(), hash.to_owned());
        self.on_a_thread(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| Error::internal(error.to_string()))?;
            Ok(Algorithm::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await?
    }
}

impl Argon2 {
    async fn on_a_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let place = self.places.clone().acquire_owned().await.map_err(Error::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_another_is_not() {
        let hashing = Argon2::default();
        let hash = hashing.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(hashing.verify("correct horse", &hash).await.unwrap());
        assert!(!hashing.verify("battery staple", &hash).await.unwrap());
    }
}
