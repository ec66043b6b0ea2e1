//! `remuda tenant`: the customers of this server.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::{on_the_database, table};
use crate::cli::Context;

/// What can be done with tenants.
#[derive(Subcommand)]
pub enum Command {
    /// Adds a tenant
    Add {
        /// Its name
        name: String,
    },
    /// Lists the tenants
    List,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Add { name } => {
            let tenant = on_the_database(context, |mdm| async move { mdm.add_tenant(&name).await }).await?;
            context.print(&json!({ "id": tenant.id, "name": tenant.name }), &tenant.id.to_string());
        }
        Command::List => {
            let tenants = on_the_database(context, |mdm| async move { mdm.tenants().await }).await?;
            let value: Vec<_> =
                tenants.iter().map(|tenant| json!({ "id": tenant.id, "name": tenant.name })).collect();
            let rows: Vec<_> =
                tenants.iter().map(|tenant| vec![tenant.id.to_string(), tenant.name.clone()]).collect();
            context.print(&json!({ "tenants": value }), &table(&["id", "name"], &rows));
        }
    }
    Ok(())
}
