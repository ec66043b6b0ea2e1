//! `remuda user`: people whose devices are managed.

use anyhow::Result;
use clap::Subcommand;
use domain::TenantId;
use serde_json::json;

use super::{local, on_the_database};
use crate::cli::Context;

/// What can be done with users.
#[derive(Subcommand)]
pub enum Command {
    /// Adds a user
    Add {
        /// E-mail address, unique in the installation
        email: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    let Command::Add { email, tenant } = command;
    let (id, password) = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.add_user(&actor, &email).await
    })
    .await?;
    let text = format!("password  {password}\n\nIt is shown this once.");
    context.print(&json!({ "id": id, "password": password }), &text);
    Ok(())
}
