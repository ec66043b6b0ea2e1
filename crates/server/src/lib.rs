//! The program `remuda`: command line, settings, wiring and workers.
//!
//! [`cli`] reads what was typed and calls one file of [`commands`]; [`config`] turns flags, variables and `remuda.toml`
//! into settings; [`wire`] puts the parts together; [`serve`] opens the listeners. Tests start a [`serve::Running`] of
//! their own.

pub mod adapters;
pub mod cli;
pub mod commands;
pub mod config;
mod logging;
mod output;
pub mod serve;
mod tls;
pub mod wire;
mod workers;
