//! `remuda enrollment`: links that enroll devices.

use std::{io::IsTerminal, time::Duration};

use anyhow::{Result, anyhow};
use clap::{Subcommand, ValueEnum};
use domain::{DeviceId, NewLink, TenantId};
use serde_json::json;

use super::{local, on_the_database};
use crate::{cli::Context, output::say};

mod android;
mod code;

/// What can be done with links.
#[derive(Subcommand)]
pub enum Command {
    /// Makes a link
    Add {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// E-mail address of the user whose devices it enrolls
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// The one device that is to enroll again and may take its own record over
        #[arg(long, value_name = "CLIENTID")]
        device: Option<DeviceId>,
        /// How many devices may use it
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// How long it lives: a number and s, m, h or d
        #[arg(long, default_value = "7d", value_parser = lifetime)]
        ttl: Duration,
        /// For which devices
        #[arg(long, default_value = "apple")]
        platform: Platform,
        /// What matters for Android devices only
        #[command(flatten)]
        android: android::Arguments,
    },
}

fn lifetime(text: &str) -> Result<Duration> {
    let wrong = || anyhow!("a number and s, m, h or d, such as 7d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.checked_mul(seconds).ok_or_else(wrong)?))
}

/// Whose devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// A link for iPhones, iPads and Macs
    Apple,
    /// A token of Google's, as a QR code or a link
    Android,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    let Command::Add { tenant, user, device, uses, ttl, platform, android } = command;
    if platform == Platform::Android {
        anyhow::ensure!(
            device.is_none(),
            "--device is for Apple devices: Google knows the same hardware again"
        );
        return android::run(context, android, android::Wish { tenant, user, many: uses > 1, ttl }).await;
    }
    let url = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.add_link(&actor, &NewLink { user, device, uses, lifetime: ttl }).await
    })
    .await?;
    context.print(&json!({ "url": url }), &url);
    if !context.json && std::io::stdout().is_terminal() {
        say!("{}", code::on_a_terminal(&code::of(&url)?));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_and_a_unit() {
        assert_eq!(lifetime("7d").unwrap().as_secs(), 7 * 86_400);
        assert_eq!(lifetime("90s").unwrap().as_secs(), 90);
        for wrong in ["", "7", "d", "7w", "-1d", "99999999999999999999d", "7ü"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
