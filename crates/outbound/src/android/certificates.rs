//! The keys by which Google signs what it pushes: fetched when needed, kept as long as Google says.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use jsonwebtoken::DecodingKey;
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::error::Error;
use super::transport::{QUICK, Reply, Transport};

/// Without a word of Google's.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// However long Google says.
const KEPT_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// An unknown key is looked for at most this often: anybody can send one.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
const MAX_KEYS: usize = 50;

/// A JWK set, fetched from one address.
pub(super) struct Certificates {
    url: Url,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, DecodingKey>,
    good_until: Option<SystemTime>,
    asked: Option<SystemTime>,
}

/// RFC 7517; keys of other kinds lack `n` and `e`.
#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kid: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

impl Certificates {
    pub(super) fn new(url: Url) -> Self {
        Self { url, known: Mutex::default() }
    }

    /// The key of that id; `None` if Google has no such key. While Google cannot be asked, the old keys
    /// serve.
    pub(super) async fn key(
        &self,
        id: &str,
        transport: &Transport,
        now: SystemTime,
    ) -> Result<Option<DecodingKey>, Error> {
        let mut known = self.known.lock().await;
        if !known.serves(id, now) && known.may_ask(now) {
            known.asked = Some(now);
            match self.fetch(transport, now).await {
                Ok((keys, good_until)) => {
                    known.keys = keys;
                    known.good_until = Some(good_until);
                }
                Err(error) if !known.keys.contains_key(id) => return Err(error),
                Err(_) => {}
            }
        }
        match known.good_until {
            Some(_) => Ok(known.keys.get(id).cloned()),
            None => Err(never_had()),
        }
    }

    async fn fetch(
        &self,
        transport: &Transport,
        now: SystemTime,
    ) -> Result<(HashMap<String, DecodingKey>, SystemTime), Error> {
        let reply = transport.exchange(transport.client().get(self.url.clone()).timeout(QUICK)).await?;
        if !reply.status.is_success() {
            return Err(Error::of(&reply, now));
        }
        let set: JwkSet = ::android::decode("Google's keys", &reply.body)?;
        let keys = set.keys.into_iter().take(MAX_KEYS).filter_map(|key| {
            let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
            (!key.kid.is_empty() && !key.n.is_empty()).then_some((key.kid, decoding))
        });
        Ok((keys.collect(), now + kept(&reply)))
    }
}

/// Whether a key is Google's cannot be told before Google's keys were seen once.
fn never_had() -> Error {
    let why = "Google's keys could not be had a moment ago".to_owned();
    Error::TryLater { after: Some(LOOK_AGAIN), maybe_done: false, why }
}

impl Known {
    fn serves(&self, id: &str, now: SystemTime) -> bool {
        self.keys.contains_key(id) && self.good_until.is_some_and(|until| now < until)
    }

    fn may_ask(&self, now: SystemTime) -> bool {
        let Some(asked) = self.asked else { return true };
        now.duration_since(asked).map_or(true, |since| since >= LOOK_AGAIN)
    }
}

/// `max-age` of `Cache-Control` (RFC 9111, 5.2.2.1).
fn kept(reply: &Reply) -> Duration {
    let directives = reply.header("cache-control").unwrap_or_default().split(',');
    let seconds = directives.filter_map(|it| it.trim().strip_prefix("max-age=")?.parse().ok()).next();
    seconds.map_or(KEPT, |seconds| Duration::from_secs(seconds).min(KEPT_AT_MOST))
}
