//! The keys that sign tokens: they rotate, and a token outlives the rotation.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use pki::KeyRing;
use serde::{Deserialize, Serialize};

use super::TOKEN_LIFETIME;
use crate::{
    Error, Mdm, Result, Timestamp,
    ports::{Directory, Random},
};

/// Under which name the keys are stored.
const NAME: &str = "token-keys";

/// How long a key signs before the next one does.
const TERM: Duration = Duration::from_hours(30 * 24);

/// How long before its first use a new key is stored, so that every node has read it by then.
const NOTICE: Duration = Duration::from_mins(5);

/// One key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TokenKey {
    /// Its id: `kid` in a token's header.
    pub(crate) id: String,
    /// 32 random bytes, for HMAC with SHA-256.
    pub(crate) secret: Vec<u8>,
    /// From when on it signs.
    pub(crate) from: Timestamp,
}

/// The keys, oldest first, as this node last read them.
pub(crate) struct TokenKeys {
    keys: RwLock<Vec<TokenKey>>,
}

impl TokenKeys {
    /// Reads the keys, or makes the first one.
    pub(crate) async fn open(
        directory: &dyn Directory,
        ring: &KeyRing,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<Self> {
        let stored = match directory.installation_value(NAME).await? {
            Some(stored) => stored,
            None => {
                let first = sealed(ring, &[TokenKey::new(random, now)])?;
                directory.settle_installation_value(NAME, &first).await?
            }
        };
        Ok(Self { keys: RwLock::new(opened(ring, &stored)?) })
    }

    /// The key that signs at `now`.
    pub(super) fn signing(&self, now: Timestamp) -> Option<TokenKey> {
        let keys = self.read();
        keys.iter().rev().find(|key| key.from <= now).or(keys.first()).cloned()
    }

    /// The key of that id, if its tokens may still be good.
    pub(super) fn named(&self, id: &str) -> Option<TokenKey> {
        self.read().iter().find(|key| key.id == id).cloned()
    }

    fn read(&self) -> Vec<TokenKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, keys: Vec<TokenKey>) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

impl TokenKey {
    fn new(random: &dyn Random, from: Timestamp) -> Self {
        let mut secret = vec![0; 32];
        random.fill(&mut secret);
        Self { id: random.id().simple().to_string(), secret, from }
    }
}

impl Mdm {
    /// Reads the signing keys again, and stores the next one where its time has come; called every minute.
    pub async fn tend_token_keys(&self) -> Result<()> {
        self.change_token_keys(|keys, now| keys.last().is_none_or(|last| last.from.plus(TERM) <= now)).await
    }

    /// Stores a new signing key now. It signs in five minutes, when every node has read it; live tokens stay good.
    pub async fn rotate_token_keys(&self) -> Result<()> {
        self.change_token_keys(|_, _| true).await
    }

    async fn change_token_keys(&self, is_due: impl Fn(&[TokenKey], Timestamp) -> bool + Send) -> Result<()> {
        let ring = self.installation.key_ring();
        let now = self.clock.now();
        let stored = self.directory.installation_value(NAME).await?;
        let stored = stored.ok_or_else(|| Error::internal("the signing keys are gone"))?;
        let mut keys = opened(ring, &stored)?;
        if is_due(&keys, now) {
            keys.push(TokenKey::new(&*self.random, now.plus(NOTICE)));
            retire(&mut keys, now);
            let next = sealed(ring, &keys)?;
            if !self.directory.replace_installation_value(NAME, &stored, &next).await? {
                // Another node was quicker; its key is read in a minute.
                return Ok(());
            }
        }
        self.installation.token_keys().replace(keys);
        Ok(())
    }
}

/// Drops keys whose last token has expired: a later key signs for longer than a token lives.
fn retire(keys: &mut Vec<TokenKey>, now: Timestamp) {
    let over = |next: &TokenKey| next.from.plus(TOKEN_LIFETIME).plus(NOTICE) <= now;
    let current = keys.iter().rposition(over).unwrap_or(0);
    keys.drain(..current);
}

fn sealed(ring: &KeyRing, keys: &[TokenKey]) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(keys).map_err(Error::internal)?;
    ring.seal(&context(), &json).map_err(Error::internal)
}

fn opened(ring: &KeyRing, stored: &[u8]) -> Result<Vec<TokenKey>> {
    let json = ring.open(&context(), stored).map_err(Error::internal)?;
    serde_json::from_slice(&json).map_err(Error::internal)
}

fn context() -> String {
    format!("installation/{NAME}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, minutes: i64) -> TokenKey {
        TokenKey { id: id.into(), secret: vec![0; 32], from: Timestamp(minutes * 60_000) }
    }

    #[test]
    fn a_new_key_signs_when_every_node_has_read_it_and_the_old_one_is_still_known() {
        let keys = TokenKeys { keys: RwLock::new(vec![key("old", 0), key("new", 100)]) };
        let signing = |minute: i64| keys.signing(Timestamp(minute * 60_000)).unwrap().id;
        assert_eq!([signing(50), signing(99), signing(100)], ["old", "old", "new"]);
        assert!(keys.named("old").is_some());
        assert!(keys.named("other").is_none());
    }

    #[test]
    fn a_key_is_dropped_when_its_last_token_has_expired() {
        let mut keys = vec![key("oldest", 0), key("old", 100), key("new", 200)];
        retire(&mut keys, Timestamp(215 * 60_000));
        assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["old", "new"]);
        retire(&mut keys, Timestamp(220 * 60_000));
        assert_eq!(keys.len(), 1);
    }
}
