//! The listeners and the workers of a running server.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, Tls},
    output::say,
    wire::{Ground, Parts},
    workers,
};

mod accept;

pub use accept::Listener;

/// How long open connections have to end at a stop: the whole of it takes less than ten seconds.
const DRAIN: Duration = Duration::from_secs(8);

/// A server that runs in this process.
pub struct Running {
    device_url: String,
    api_url: String,
    parts: Arc<Parts>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    /// Opens everything and begins to serve.
    ///
    /// # Errors
    /// What cannot be opened.
    pub async fn start(mut config: Config, ground: Ground) -> Result<Self> {
        let device = bind("--device-listen", config.device_listen).await?;
        let api = bind("--api-listen", config.api_listen).await?;
        let device_url = reached_at(&config, config.device_url.as_deref(), &device)?;
        let api_url = reached_at(&config, config.api_url.as_deref(), &api)?;
        if config.allow_http_loopback && config.device_url.is_none() {
            config.device_url = Some(device_url.clone());
        }
        let parts = Arc::new(Parts::open(&config, ground).await?);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let config = Arc::new(config);
        let [device_tls, api_tls] = match &parts.tls {
            Some(tls) => [Some(tls.for_devices()?), Some(tls.for_people()?)],
            None => [None, None],
        };
        let [devices, people] = routers(&parts, &config);
        let device = Listener::new(device, device_tls, devices, config.max_connections);
        let api = Listener::new(api, api_tls, people, config.max_connections);
        tasks.spawn(device.run(stop.clone(), DRAIN));
        tasks.spawn(api.run(stop.clone(), DRAIN));
        workers::start(&mut tasks, &parts, &config, &stop)?;
        Ok(Self { device_url, api_url, parts, stop, tasks })
    }

    /// Where devices reach it.
    pub fn device_url(&self) -> &str {
        &self.device_url
    }

    /// Where people and other systems reach it.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// Its operations.
    pub fn mdm(&self) -> &Arc<domain::Mdm> {
        &self.parts.mdm
    }

    /// Writes the file that says that both listeners are open, then prints the line that does.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn tell_ready(&self, file: Option<&Path>) -> Result<()> {
        if let Some(file) = file {
            let told = serde_json::json!({
                "device_url": self.device_url, "api_url": self.api_url, "pid": std::process::id(),
            });
            let half = file.with_extension("tmp");
            std::fs::write(&half, told.to_string()).with_context(|| half.display().to_string())?;
            std::fs::rename(&half, file).with_context(|| file.display().to_string())?;
        }
        say!("ready device={} api={}", self.device_url, self.api_url);
        Ok(())
    }

    /// Takes no new connections, lets the open ones end for some seconds, and closes the database.
    ///
    /// # Errors
    /// Where the last writes fail.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.cancel();
        let ended = tokio::time::timeout(DRAIN + Duration::from_secs(1), async {
            while self.tasks.join_next().await.is_some() {}
        });
        if ended.await.is_err() {
            tracing::warn!("some tasks did not end in time");
            self.tasks.shutdown().await;
        }
        self.parts.mdm.flush().await.map_err(crate::wire::told)?;
        match Arc::try_unwrap(self.parts) {
            Ok(parts) => parts.close().await,
            Err(_) => Ok(()),
        }
    }
}

async fn bind(flag: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{flag} {address}"))
}

/// What people type: what was set, or for local use the listener itself.
fn reached_at(config: &Config, set: Option<&str>, listener: &TcpListener) -> Result<String> {
    if let Some(url) = set {
        return Ok(url.to_owned());
    }
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip([127, 0, 0, 1].into());
    }
    let scheme = if config.tls == Tls::Off { "http" } else { "https" };
    Ok(format!("{scheme}://{address}"))
}

/// What each listener answers; the requests of both are counted in the same metrics.
fn routers(parts: &Parts, config: &Config) -> [web::Router; 2] {
    let metrics = web::HttpMetrics::default();
    let devices = web::DeviceSettings {
        trusted_proxies: config.trusted_proxies.clone(),
        client_cert_header: config.client_cert_header.clone(),
        metrics: metrics.clone(),
    };
    let people = web::ApiSettings {
        metrics_open: config.metrics_open,
        trusted_proxies: config.trusted_proxies.clone(),
        hsts: parts.tls.as_ref().is_some_and(|tls| tls.may_be_trusted(config)),
        metrics,
        ..web::ApiSettings::default()
    };
    [web::device_router(parts.mdm.clone(), devices), web::api_router(parts.mdm.clone(), people)]
}
