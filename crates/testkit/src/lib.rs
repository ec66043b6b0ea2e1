//! What tests of several crates share.
//!
//! Everything but [`postgres`] is behind the feature `server` (on by default), so that the store can test itself without
//! waiting for the server to compile.

pub mod postgres;
#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod server;
