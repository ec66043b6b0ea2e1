//! What devices and the server say to each other over real HTTP, with the strict pretend devices of `simulator`.
//!
//! Each module is a part of the road; read `check_in.rs` first. Numbers at the beginning of comments are those of the list
//! of subtleties that `domain` cites too (`protocol-subtleties`). What both databases must do alike is written once and run
//! on both: see `testkit::on_both`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to end")]

mod check_in;
mod claims;
mod commands;
mod enrollment;
mod hostile;
mod identity;
mod log;
mod push;
mod renewal;
mod scep;
mod secrets;
mod speaker;
