//! What Remuda calls: Apple's push service and Google's device management API, later webhooks.
//!
//! Every client here answers with what the caller can do next (done, never again, later), so that a worker needs
//! no knowledge of HTTP, and takes the time of day from its caller. Read [`apns`] first, then [`mod@android`].

pub mod android;
pub mod apns;
mod deliver;
mod manage;

pub use self::android::{Google, GoogleSettings, PushTokens, ServiceAccount};
pub use apns::{Apns, ApnsSettings};
pub use manage::Googles;
