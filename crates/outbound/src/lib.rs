//! What Remuda calls: Apple's push service, and later Google's device management API and webhooks.
//!
//! Every client here answers with what the caller can do next (done, never again, later), so that a worker needs
//! no knowledge of HTTP, and takes the time of day as an argument. Read [`apns`] first.

pub mod apns;
mod deliver;

pub use apns::{Apns, ApnsSettings};
