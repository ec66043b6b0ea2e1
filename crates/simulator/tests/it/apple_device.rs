//! The pretend device against a server that does everything right but the one thing that a test names.

mod actions;
mod conversation;
mod declarations;
mod departure;
mod desk;
mod enrollment;
mod fleet;
mod issuing;
mod renewal;
mod server;
mod tls;
