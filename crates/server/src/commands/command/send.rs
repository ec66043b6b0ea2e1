//! `remuda command send`: asks devices to carry a command out.

use std::{io::Read, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use apple::command::RawCommand;
use clap::Args;
use domain::{NewCommand, Schedule, TenantId, Timestamp};
use serde_json::json;

use super::super::{local, on_the_database};
use crate::cli::Context;

/// What to send, and to whom.
#[derive(Args)]
pub struct Send {
    /// The command, its keys as in Apple's schema: a property list, or JSON with data in base64; - reads standard input
    file: PathBuf,
    /// The tenant
    #[arg(long)]
    tenant: TenantId,
    /// A device: its client id, udid:… or serial:…; may be repeated
    #[arg(long = "device", value_name = "DEVICE")]
    devices: Vec<String>,
    /// File with a device on each line
    #[arg(long, value_name = "FILE")]
    devices_from: Option<PathBuf>,
    /// Not for the devices themselves, but for this user of each: id or short name, as the device tells it
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Not earlier than this, such as 2026-12-24T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    not_before: Option<Timestamp>,
    /// Over from this time on
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Timestamp>,
    /// From -100 to 100; higher ones go first
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    priority: i16,
    /// Takes the place of a command with the same key that its device does not have yet
    #[arg(long, value_name = "KEY")]
    dedupe: Option<String>,
}

/// Does it.
pub async fn run(context: &Context, send: Send) -> Result<()> {
    let devices = send.names()?;
    let Send { tenant, user, not_before, expires, priority, dedupe, file, .. } = send;
    let request = read(&file)?;
    let schedule = Schedule { priority, not_before, expires };
    let command = NewCommand { request, schedule, dedupe, user };
    let names = devices.clone();
    let sent = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.send_command(&actor, &command, &names).await
    })
    .await?;
    let (mut commands, mut failed, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for (device, sent) in devices.iter().zip(sent) {
        match sent {
            Ok(id) => {
                lines.push(format!("{device}  {id}"));
                commands.push(json!({ "device": device, "uuid": id }));
            }
            Err(why) => {
                lines.push(format!("{device}  not sent: {why}"));
                failed.push(json!({ "device": device, "error": why.to_string() }));
            }
        }
    }
    context.print(&json!({ "commands": commands, "failed": failed }), &lines.join("\n"));
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{} of {} devices were not sent it", failed.len(), devices.len())
    }
}

impl Send {
    fn names(&self) -> Result<Vec<String>> {
        let mut names = self.devices.clone();
        if let Some(file) = &self.devices_from {
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            names.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        }
        if names.is_empty() {
            bail!("no device: name some with --device or --devices-from");
        }
        Ok(names)
    }
}

fn read(file: &PathBuf) -> Result<RawCommand> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    let command = if bytes.trim_ascii_start().starts_with(b"{") {
        RawCommand::from_json(&serde_json::from_slice(&bytes).context("the command is no JSON")?)
    } else {
        RawCommand::from_plist(&bytes)
    };
    command.context("this is no command")
}

fn time(text: &str) -> Result<Timestamp> {
    let at: jiff::Timestamp = text.parse().context("a time such as 2026-12-24T18:00:00Z")?;
    Ok(Timestamp(at.as_millisecond()))
}
