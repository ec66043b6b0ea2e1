//! The keys that sign tokens: they rotate, and a token outlives the rotation.

use std::{
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use pki::KeyRing;
use serde::{Deserialize, Serialize};

use super::tokens::TOKEN_LIFETIME;
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

/// How often, at most, a token of an unknown key makes this node read the keys again.
const PAUSE: Duration = Duration::from_secs(1);

/// What may be told of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKeyState {
    /// Its id: `kid` in a token's header.
    pub id: String,
    /// From when on it signs, until the next one does.
    pub from: Timestamp,
    /// Whether it is the one that signs now.
    pub signs: bool,
}

/// One key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// When a token of an unknown key last made this node read them.
    looked_at: AtomicI64,
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
        Ok(Self::of(opened(ring, &stored)?))
    }

    fn of(keys: Vec<TokenKey>) -> Self {
        Self { keys: RwLock::new(keys), looked_at: AtomicI64::new(i64::MIN) }
    }

    /// The key that signs at `now`.
    pub(super) fn signing(&self, now: Timestamp) -> Option<TokenKey> {
        let keys = self.read();
        keys.iter().rev().find(|key| key.from <= now).or(keys.first()).cloned()
    }

    /// The key of that id, if its tokens may still be good.
    fn named(&self, id: &str) -> Option<TokenKey> {
        self.read().iter().find(|key| key.id == id).cloned()
    }

    /// Whether an unknown key's token may make this node read the keys now; says so once in each [`PAUSE`].
    fn may_look(&self, now: Timestamp) -> bool {
        let last = self.looked_at.load(Ordering::Relaxed);
        let rested = last > now.0 || Timestamp(last.max(0)).plus(PAUSE) <= now;
        rested && self.looked_at.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
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
    /// Reads the signing keys again, stores the next one where its time has come, and drops those whose last token has
    /// expired; called every minute.
    pub async fn tend_token_keys(&self) -> Result<()> {
        self.change_token_keys(|keys, now| {
            let is_due = keys.last().is_none_or(|last| last.from.plus(TERM) <= now);
            if is_due {
                keys.push(TokenKey::new(&*self.random, now.plus(NOTICE)));
            }
            Ok(())
        })
        .await
    }

    /// Stores a new signing key now. It signs in five minutes, when every node has read it; live tokens stay good.
    ///
    /// # Errors
    /// [`Error::Conflict`] while the last new key does not sign yet.
    pub async fn rotate_token_keys(&self) -> Result<()> {
        self.change_token_keys(|keys, now| {
            if keys.last().is_some_and(|last| last.from > now) {
                return Err(Error::Conflict("the last new key does not sign yet".into()));
            }
            keys.push(TokenKey::new(&*self.random, now.plus(NOTICE)));
            Ok(())
        })
        .await
    }

    /// The signing keys, oldest first, as this node knows them.
    pub fn token_keys(&self) -> Vec<TokenKeyState> {
        let known = self.installation.token_keys();
        let signing = known.signing(self.clock.now()).map(|key| key.id);
        let state = |key: TokenKey| TokenKeyState {
            signs: signing.as_ref() == Some(&key.id),
            id: key.id,
            from: key.from,
        };
        known.read().into_iter().map(state).collect()
    }

    /// The key of that id. Another node may have made one that this node has not read yet: then it reads them once more.
    pub(super) async fn token_key(&self, id: &str) -> Result<Option<TokenKey>> {
        let known = self.installation.token_keys();
        if let Some(key) = known.named(id) {
            return Ok(Some(key));
        }
        if known.may_look(self.clock.now()) {
            let (_, keys) = self.stored_token_keys().await?;
            known.replace(keys);
        }
        Ok(known.named(id))
    }

    /// Changes the stored keys, again where another node was quicker, and reads them.
    async fn change_token_keys(
        &self,
        change: impl Fn(&mut Vec<TokenKey>, Timestamp) -> Result<()> + Send,
    ) -> Result<()> {
        loop {
            let now = self.clock.now();
            let (stored, before) = self.stored_token_keys().await?;
            let mut keys = before.clone();
            change(&mut keys, now)?;
            retire(&mut keys, now);
            if keys == before || self.replace_token_keys(&stored, &keys).await? {
                self.installation.token_keys().replace(keys);
                return Ok(());
            }
        }
    }

    /// As they are stored, sealed and opened.
    async fn stored_token_keys(&self) -> Result<(Vec<u8>, Vec<TokenKey>)> {
        let stored = self.directory.installation_value(NAME).await?;
        let stored = stored.ok_or_else(|| Error::internal("the signing keys are gone"))?;
        let keys = opened(&self.installation.key_ring(), &stored)?;
        Ok((stored, keys))
    }

    /// Whether nobody had changed them.
    async fn replace_token_keys(&self, stored: &[u8], keys: &[TokenKey]) -> Result<bool> {
        let next = sealed(&self.installation.key_ring(), keys)?;
        self.directory.replace_installation_value(NAME, stored, &next).await
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
        let keys = TokenKeys::of(vec![key("old", 0), key("new", 100)]);
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

    #[test]
    fn unknown_keys_make_a_node_look_once_a_second() {
        let keys = TokenKeys::of(vec![]);
        let looks = [5000, 5000, 5999, 6000, 6999, 7000].map(|at| keys.may_look(Timestamp(at)));
        assert_eq!(looks, [true, false, false, true, false, true]);
        assert!(keys.may_look(Timestamp(10)), "the clock was set back");
    }
}
