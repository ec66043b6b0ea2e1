//! Our messages and certificates against the `openssl` command line, in both directions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod certificates;
mod envelopes;
mod openssl;
mod requests;
mod scep;
mod signatures;
