//! How a pretend Google is started.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Where the pretend Google takes the time of day from.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How much may be asked.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// This many calls of the Android Management API …
    pub queries: usize,
    /// … within this time.
    pub window: Duration,
    /// What `Retry-After` says when they are used up; Google mostly says nothing.
    pub retry_after: Option<Duration>,
}

/// [`PretendGoogleSettings::new`] has what most want.
#[derive(Clone)]
pub struct PretendGoogleSettings {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// The project that owns everything.
    pub project_id: String,
    /// Judges tokens, quota, and commands that nobody fetched.
    pub clock: Clock,
    /// Google's own is 1,000 in 100 seconds.
    pub quota: Quota,
    /// Of an access token; Google's own is an hour.
    pub token_lifetime: Duration,
    /// How long a pull waits for a message; Google's own is up to a minute and a half.
    pub pull_wait: Duration,
    /// How soon a push that was not taken is sent again; Google's own grows from ten seconds on.
    pub push_retry: Duration,
}

impl PretendGoogleSettings {
    /// A free port of 127.0.0.1, Google's own quota and lifetime, and pulls that wait for 100 ms.
    pub fn new(clock: Clock) -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            project_id: "pretend-project".to_owned(),
            clock,
            quota: Quota { queries: 1000, window: Duration::from_secs(100), retry_after: None },
            token_lifetime: Duration::from_secs(3599),
            pull_wait: Duration::from_millis(100),
            push_retry: Duration::from_millis(50),
        }
    }
}
