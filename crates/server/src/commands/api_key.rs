//! `remuda api-key`: keys that act for administrators.

use anyhow::Result;
use clap::Subcommand;
use domain::ApiKeyId;
use serde_json::json;

use super::{on_the_database, table};
use crate::cli::Context;

/// What can be done with API keys.
#[derive(Subcommand)]
pub enum Command {
    /// Makes a key
    Add {
        /// E-mail address of the administrator for whom it acts
        #[arg(long)]
        admin: String,
    },
    /// Lists the keys, which nobody can read any more
    List,
    /// Takes a key back
    Revoke {
        /// Its id
        id: ApiKeyId,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Add { admin } => {
            let (id, key) =
                on_the_database(context, |mdm| async move { mdm.add_api_key(&admin).await }).await?;
            context.print(&json!({ "id": id, "key": key }), &format!("{key}\n\nIt is shown this once."));
        }
        Command::List => list(context).await?,
        Command::Revoke { id } => {
            on_the_database(context, |mdm| async move { mdm.revoke_api_key(id).await }).await?;
            context.print(&json!({ "id": id, "revoked": true }), "revoked");
        }
    }
    Ok(())
}

async fn list(context: &Context) -> Result<()> {
    let keys = on_the_database(context, |mdm| async move { mdm.api_keys().await }).await?;
    let told =
        |key: &domain::ApiKey| (key.created_at.rfc3339(), key.revoked_at.map(domain::Timestamp::rfc3339));
    let value: Vec<_> = keys
        .iter()
        .map(|key| (key, told(key)))
        .map(|(key, (created, revoked))| json!({ "id": key.id, "admin": key.admin, "created": created, "revoked": revoked }))
        .collect();
    let row = |key: &domain::ApiKey| {
        let (created, revoked) = told(key);
        vec![key.id.to_string(), key.admin.to_string(), created, revoked.unwrap_or_default()]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    context.print(&json!({ "api_keys": value }), &table(&["id", "admin", "created", "revoked"], &rows));
    Ok(())
}
