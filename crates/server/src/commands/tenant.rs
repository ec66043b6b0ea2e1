//! `remuda tenant`: the customers of this server.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use domain::TenantId;
use serde_json::json;

use super::{local, on_the_database, table};
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
    /// Takes the key that signs tokens for the access management of Managed Apple Accounts
    SetMaidKey {
        /// Private key, RSA, PEM: that of the certificate which Apple has of this server
        file: PathBuf,
        /// The id that Apple gave this server: server_uuid of its account
        #[arg(long, value_name = "UUID")]
        server_uuid: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Add { name } => {
            let tenant = on_the_database(context, |mdm| async move { mdm.add_tenant(&name).await }).await?;
            context.print(&json!({ "id": tenant.id, "name": tenant.name }), &tenant.id.to_string());
        }
        Command::SetMaidKey { file, server_uuid, tenant } => {
            let pem = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let key = pki::PrivateKey::from_pem(&pem)?;
            on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.set_maid_key(&actor, &server_uuid, &key).await
            })
            .await?;
            context.print(&json!({ "tenant": tenant }), "done");
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
