//! The clients against the pretend services of the simulator, over real sockets and real TLS.

#![allow(clippy::unwrap_used, reason = "also outside the functions marked as tests")]

mod apns;
mod google;
