//! The clients for Google, as the settings say.

use std::sync::Arc;

use anyhow::{Context, Result};
use domain::ports::Clock;
use outbound::{GoogleSettings, Googles};

use crate::config::Config;

/// Clients that take the time of day from `clock`; nothing is called yet.
///
/// # Errors
/// What is wrong with Google's addresses.
pub fn clients(config: &Config, clock: Arc<dyn Clock>) -> Result<Googles> {
    let usual = GoogleSettings::default();
    let settings = GoogleSettings {
        management_url: config.google_url.clone().unwrap_or(usual.management_url.clone()),
        pubsub_url: config.google_pubsub_url.clone().unwrap_or(usual.pubsub_url.clone()),
        token_url: config.google_oauth_url.clone(),
        certificates_url: config.google_certificates_url.clone().unwrap_or(usual.certificates_url.clone()),
        ..usual
    };
    let now = Arc::new(move || clock.now().system_time());
    Googles::new(settings, now).context("the settings of Google")
}
