//! `remuda token-key`: the keys that sign the tokens of the lifecycle API.

use anyhow::Result;
use clap::Subcommand;
use domain::TokenKeyState;
use serde_json::json;

use super::{on_the_database, table};
use crate::cli::Context;

/// What can be done with signing keys.
#[derive(Subcommand)]
pub enum Command {
    /// Lists the keys, oldest first; never the secrets
    List,
    /// Makes the next key now, not after thirty days: it signs in five minutes, and live tokens stay good
    Rotate,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    let keys = on_the_database(context, |mdm| async move {
        if matches!(command, Command::Rotate) {
            mdm.rotate_token_keys().await?;
        }
        Ok(mdm.token_keys())
    })
    .await?;
    let value: Vec<_> = keys.iter().map(value).collect();
    let rows: Vec<_> = keys.iter().map(row).collect();
    context.print(&json!({ "keys": value }), &table(&["id", "from", "signs"], &rows));
    Ok(())
}

fn value(key: &TokenKeyState) -> serde_json::Value {
    json!({ "id": key.id, "from": key.from.rfc3339(), "signs": key.signs })
}

fn row(key: &TokenKeyState) -> Vec<String> {
    let signs = if key.signs { "now" } else { "" };
    vec![key.id.clone(), key.from.rfc3339(), signs.to_owned()]
}
