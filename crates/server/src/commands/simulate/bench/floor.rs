//! What the server is compared with: the same HTTP stack with a handler that only verifies who speaks and parses what is said.

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::Context,
    commands::serve::stop_signal,
    config::Tls,
    serve::Listener,
    wire::{Ground, Parts},
};

/// Serves until it is told to stop; says where in the ready file.
pub async fn run(context: &Context) -> Result<()> {
    let config = &context.config;
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let address = socket.local_addr()?;
    let tls = match config.tls {
        Tls::Off => None,
        _ => {
            let parts = Parts::open(config, Ground::default()).await?;
            let tls = parts.tls.as_ref().map(crate::tls::ServerTls::for_devices).transpose()?;
            parts.close().await?;
            tls
        }
    };
    let router = web::floor_router(web::DeviceSettings {
        trusted_proxies: config.trusted_proxies.clone(),
        client_cert_header: config.client_cert_header.clone(),
        ..web::DeviceSettings::default()
    });
    let stop = CancellationToken::new();
    let serving = tokio::spawn(
        Listener::new(socket, tls, router, config.max_connections)
            .run(stop.clone(), std::time::Duration::from_secs(1)),
    );
    let stopped = stop_signal()?;
    if let Some(file) = &config.ready_file {
        let half = file.with_extension("tmp");
        std::fs::write(&half, serde_json::json!({ "address": address.to_string() }).to_string())?;
        std::fs::rename(&half, file).with_context(|| file.display().to_string())?;
    }
    stopped.await;
    stop.cancel();
    Ok(serving.await?)
}
