//! `remuda purge`: what the lifecycle API asked for, and how far it got.

use anyhow::Result;
use clap::Subcommand;
use domain::{Actor, Purge, PurgeId, TenantId, Timestamp};
use serde_json::{Value, json};

use super::{local, on_the_database, table};
use crate::cli::Context;

/// What can be done with purges.
#[derive(Subcommand)]
pub enum Command {
    /// Lists the newest purges
    List {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Shows one
    Show {
        /// Its id
        id: PurgeId,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    let (purges, value) = match command {
        Command::List { tenant, limit } => {
            let purges = on_the_database(context, |mdm| async move {
                let actor: Actor = local(&mdm, tenant).await?;
                mdm.purges(&actor, limit).await
            })
            .await?;
            let value = json!({ "purges": purges.iter().map(value).collect::<Vec<_>>() });
            (purges, value)
        }
        Command::Show { id, tenant } => {
            let purge = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.purge(&actor, id).await
            })
            .await?;
            let value = value(&purge);
            (vec![purge], value)
        }
    };
    let rows: Vec<_> = purges.iter().map(row).collect();
    let head = ["id", "asked at", "by", "asked", "purged", "skipped", "failed", "finished at"];
    context.print(&value, &table(&head, &rows));
    Ok(())
}

fn value(purge: &Purge) -> Value {
    json!({
        "id": purge.id, "asked_at": purge.asked_at.rfc3339(), "asked_by": purge.asked_by, "asked": purge.asked,
        "purged": purge.counts.purged, "skipped": purge.counts.skipped, "failed": purge.counts.failed,
        "finished_at": purge.finished_at.map(Timestamp::rfc3339),
    })
}

fn row(purge: &Purge) -> Vec<String> {
    vec![
        purge.id.to_string(),
        purge.asked_at.rfc3339(),
        purge.asked_by.clone(),
        purge.asked.to_string(),
        purge.counts.purged.to_string(),
        purge.counts.skipped.to_string(),
        purge.counts.failed.to_string(),
        purge.finished_at.map(Timestamp::rfc3339).unwrap_or_default(),
    ]
}
