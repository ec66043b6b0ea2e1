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
    let stopped = stop_signal()?;
    server.tell_ready(context.config.ready_file.as_deref())?;
    stopped.await;
    tracing::info!("stopping: open requests have some seconds to end");
    server.stop().await
}

/// Waits until someone wants the program to stop. Who does is heard from this call on, and not only once it is awaited: before,
/// the signals end the process at once.
///
/// # Errors
/// Where the signals cannot be heard.
pub fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
