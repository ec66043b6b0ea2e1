//! Manages Android devices: the client of the Android Management API, and of Pub/Sub, by which Google tells
//! what happens.
//!
//! The way of a call through this folder: `devices`, `enterprises`, `enrollment`, `policies`, `operations`
//! and `pubsub` know what to say; `call` carries it with an access token of `token`, which an `account` signs
//! for; `pace` holds back while Google asks for patience, `transport` speaks HTTP, and `error` sorts what
//! went wrong. `push_token` is for the other direction: it judges who pushes a notification to us.
//!
//! A method is one query of Google's quota (1,000 in 100 seconds for a project), unless it says otherwise.
//! Nothing here sleeps or tries again by itself: what cannot be done now is handed back with how long to
//! wait.

mod account;
mod call;
mod certificates;
mod devices;
mod enrollment;
mod enterprises;
mod error;
mod operations;
mod pace;
mod policies;
mod pubsub;
mod push_token;
mod settings;
mod token;
mod transport;

use std::sync::Arc;
use std::time::SystemTime;

pub use account::{BadAccount, MAX_ACCOUNT_FILE, ServiceAccount};
pub use enterprises::SignupRequest;
pub use error::Error;
pub use pubsub::{Delivery, MAX_PULL};
pub use push_token::{PushTokens, Refused};
pub use settings::{BadSettings, GoogleSettings};

use pace::Pace;
use pubsub::PullSize;
use settings::Endpoints;
use token::AccessTokens;
use transport::Transport;

/// Where the client takes the time of day from.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The client, for one service account. Cheap to keep, dear to make: share one.
pub struct Google {
    account: Arc<ServiceAccount>,
    endpoints: Endpoints,
    transport: Transport,
    tokens: AccessTokens,
    management: Pace,
    pubsub: Pace,
    pull_size: PullSize,
    call_timeout: std::time::Duration,
    clock: Clock,
}

impl Google {
    /// A client that has not connected to anything yet. Its calls need a tokio runtime.
    pub fn new(
        account: ServiceAccount,
        settings: &GoogleSettings,
        clock: Clock,
    ) -> Result<Self, BadSettings> {
        let account = Arc::new(account);
        let endpoints = Endpoints::read(settings, account.token_uri())?;
        let transport = Transport::new(settings)?;
        let tokens = AccessTokens::new(Arc::clone(&account), endpoints.token.clone());
        Ok(Self {
            account,
            endpoints,
            transport,
            tokens,
            management: Pace::default(),
            pubsub: Pace::default(),
            pull_size: PullSize::default(),
            call_timeout: settings.call_timeout,
            clock,
        })
    }

    /// The project of the service account: to it belong quota and enterprises.
    pub fn project_id(&self) -> &str {
        self.account.project_id()
    }

    /// The e-mail address of the service account.
    pub fn service_account(&self) -> &str {
        self.account.client_email()
    }

    /// How far Google's clock was ahead of ours, in seconds, when it last refused ours; 0 if it never did.
    /// More than a minute is worth an alarm.
    pub fn clock_offset(&self) -> i64 {
        self.tokens.clock_offset()
    }

    /// Gets an access token, if there is none that is good: tells whether key and clock are right, without a
    /// query of the quota.
    pub async fn authenticate(&self) -> Result<(), Error> {
        self.tokens.token(&self.transport, self.now()).await.map(drop)
    }

    fn now(&self) -> SystemTime {
        (self.clock)()
    }
}
