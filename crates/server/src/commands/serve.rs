//! `remuda serve`: the server.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

use crate::{cli::Context, commands::doctor, serve::Running, wire::Ground};

/// Serves until it is told to stop (`SIGTERM`, `SIGINT`).
pub async fn run(context: &Context) -> Result<()> {
    let server = Running::start(context.config.clone(), Ground::default()).await?;
    for finding in doctor::findings(server.mdm(), server.mdm().now()).await? {
        tracing::warn!(what_to_do = finding.advice, "{}", finding.problem);
    }
    server.tell_ready(context.config.ready_file.as_deref())?;
    stop_signal().await?;
    tracing::info!("stopping: open requests have some seconds to end");
    server.stop().await
}

/// Waits until someone wants the program to stop.
pub async fn stop_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}
