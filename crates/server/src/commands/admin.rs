//! `remuda admin`: people who administer tenants.

use anyhow::{Result, anyhow};
use clap::Subcommand;
use domain::{Role, TenantId};
use serde_json::json;

use super::on_the_database;
use crate::cli::Context;

/// What can be done with administrators.
#[derive(Subcommand)]
pub enum Command {
    /// Adds an administrator, or gives one a role in another tenant
    Add {
        /// E-mail address
        email: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// owner, operator or viewer
        #[arg(long, default_value = "owner", value_parser = role)]
        role: Role,
    },
}

fn role(name: &str) -> Result<Role> {
    Role::named(name).ok_or_else(|| anyhow!("owner, operator or viewer"))
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    let Command::Add { email, tenant, role } = command;
    let added = on_the_database(context, |mdm| async move { mdm.add_admin(&email, tenant, role).await });
    let (id, password) = added.await?;
    let text = match &password {
        Some(password) => format!("password  {password}\n\nIt is shown this once."),
        None => "The administrator keeps their password, and now has that role there.".to_owned(),
    };
    context.print(&json!({ "id": id, "password": password }), &text);
    Ok(())
}
