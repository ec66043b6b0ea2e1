//! `remuda device-ca`: CAs whose identities are trusted beside our own.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use domain::TenantId;
use serde_json::json;

use super::{local, on_the_database};
use crate::cli::Context;

/// What can be done with device CAs.
#[derive(Subcommand)]
pub enum Command {
    /// Trusts the identities of a CA; their devices join the tenant
    Add {
        /// The CA's certificate, PEM
        file: PathBuf,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// Only subjects like this one, `*` standing for any text: 'CN=*,O=Example'
        #[arg(long, value_name = "PATTERN")]
        subject: Option<String>,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    let Command::Add { file, tenant, subject } = command;
    let pem = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let fingerprint = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.add_device_ca(&actor, &pem, subject.as_deref()).await
    })
    .await?;
    context.print(&json!({ "fingerprint": fingerprint.to_string() }), &fingerprint.to_string());
    Ok(())
}
