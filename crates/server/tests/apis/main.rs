//! What other systems and operators see: both published APIs over real HTTP, and the program `remuda` itself.
//!
//! `device_api` and `lifecycle_api` call a server in this process, `program` starts the real binary. `routes` asks every
//! documented route with every kind of credentials.

#![allow(clippy::unwrap_used, reason = "in tests, and in what only they use")]

mod admin_api;
mod device_api;
mod docs;
mod lifecycle_api;
mod operations;
mod program;
mod routes;
mod scripts;
mod shown;
