//! Access tokens: asked for with the service account's assertion, kept, and renewed before they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::account::ServiceAccount;
use super::error::{Error, short};
use super::pace::Pace;
use super::transport::{QUICK, Reply, Transport};

/// How long before its end a token is renewed.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// No token is believed to live longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A smaller difference of clocks cannot be why an assertion was refused.
const NOTABLE_OFFSET: i64 = 30;
/// The longest token that is used, in bytes.
const MAX_TOKEN: usize = 8192;
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";

/// The one access token of an account.
pub(super) struct AccessTokens {
    account: Arc<ServiceAccount>,
    url: Url,
    held: Mutex<Option<Held>>,
    pace: Pace,
    /// Seconds by which Google's clock is ahead of ours.
    offset: AtomicI64,
}

struct Held {
    token: Arc<str>,
    since: SystemTime,
    renew: SystemTime,
    end: SystemTime,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

/// RFC 6749, 5.2.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Denied {
    error: String,
    error_description: String,
}

impl AccessTokens {
    pub(super) fn new(account: Arc<ServiceAccount>, url: Url) -> Self {
        Self { account, url, held: Mutex::default(), pace: Pace::default(), offset: AtomicI64::new(0) }
    }

    pub(super) fn clock_offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// A token that is good now. Whoever comes first asks for it, the others wait for the same one. While no
    /// new one can be had, the old one serves until its very end.
    pub(super) async fn token(&self, transport: &Transport, now: SystemTime) -> Result<Arc<str>, Error> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| held.since <= now && now < held.renew) {
            return Ok(Arc::clone(&held.token));
        }
        match self.ask(transport, now).await {
            Ok(fresh) => Ok(Arc::clone(&held.insert(fresh).token)),
            Err(error) if error.is_passing() => {
                let old = held.as_ref().filter(|held| held.since <= now && now < held.end);
                old.map(|held| Arc::clone(&held.token)).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Google took the token for a bad one: the next call asks for another.
    pub(super) async fn discard(&self, token: &str) {
        let mut held = self.held.lock().await;
        held.take_if(|held| held.token.as_ref() == token);
    }

    /// If Google's clock says something else than ours, it is asked again by its own.
    async fn ask(&self, transport: &Transport, now: SystemTime) -> Result<Held, Error> {
        self.pace.check(now)?;
        let reply = self.send(transport, now).await?;
        if reply.status.is_success() {
            return self.granted(&reply, now);
        }
        let ahead = reply.date().map_or(0, |date| seconds_between(now, date));
        if reply.status == 400 && (ahead - self.clock_offset()).abs() >= NOTABLE_OFFSET {
            self.offset.store(ahead, Ordering::Relaxed);
            let reply = self.send(transport, now).await?;
            if reply.status.is_success() {
                return self.granted(&reply, now);
            }
        }
        Err(self.denied(&reply, now))
    }

    async fn send(&self, transport: &Transport, now: SystemTime) -> Result<Reply, Error> {
        let theirs = shifted(now, self.clock_offset());
        let assertion = self.account.assertion(theirs).ok_or_else(|| Error::Unauthenticated {
            why: "no assertion can be signed at this time of day".to_owned(),
        })?;
        let request = transport
            .client()
            .post(self.url.clone())
            .timeout(QUICK)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{GRANT}{assertion}"));
        let reply = transport.exchange(request).await;
        reply.inspect_err(|error| self.pace.failed(error.retry_after(), now))
    }

    fn granted(&self, reply: &Reply, now: SystemTime) -> Result<Held, Error> {
        let granted: Granted = ::android::decode("an access token", &reply.body)?;
        let token = granted.access_token;
        if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(::android::Malformed::Missing("access_token").into());
        }
        self.pace.succeeded();
        let life = Duration::from_secs(granted.expires_in).min(LONGEST);
        let early = EARLY.min(life / 2);
        Ok(Held { token: token.into(), since: now, renew: now + (life - early), end: now + life })
    }

    fn denied(&self, reply: &Reply, now: SystemTime) -> Error {
        let status = reply.status.as_u16();
        let denied: Denied = serde_json::from_slice(&reply.body).unwrap_or_default();
        let why = short(&format!("{status} {} {}", denied.error, denied.error_description));
        if status != 429 && (400..500).contains(&status) {
            return Error::Unauthenticated { why };
        }
        let after = reply.retry_after(now);
        self.pace.failed(after, now);
        if status == 429 {
            Error::Quota { after, why }
        } else {
            Error::TryLater { after, maybe_done: false, why }
        }
    }
}

fn seconds_between(ours: SystemTime, theirs: SystemTime) -> i64 {
    let whole = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    match theirs.duration_since(ours) {
        Ok(ahead) => whole(ahead),
        Err(behind) => -whole(behind.duration()),
    }
}

fn shifted(now: SystemTime, seconds: i64) -> SystemTime {
    let span = Duration::from_secs(seconds.unsigned_abs());
    let moved = if seconds < 0 { now.checked_sub(span) } else { now.checked_add(span) };
    moved.unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_both_ways() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        for seconds in [-900, -1, 0, 1, 900] {
            assert_eq!(seconds_between(now, shifted(now, seconds)), seconds);
        }
    }
}
