//! `remuda group`: groups of a tenant, as the Device API lists them.

use anyhow::Result;
use clap::Subcommand;
use domain::{Group, GroupId, TenantId};
use serde_json::{Value, json};

use super::{local, on_the_database, table};
use crate::cli::Context;

/// What can be done with groups.
#[derive(Subcommand)]
pub enum Command {
    /// Adds a group
    Add {
        /// Its name
        name: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Lists the groups
    List {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Removes a group
    Remove {
        /// Its id
        id: GroupId,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Add { name, tenant, description } => {
            let group = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.add_group(&actor, &name, description.as_deref()).await
            })
            .await?;
            context.print(&told(&group), &group.id.to_string());
        }
        Command::List { tenant } => list(context, tenant).await?,
        Command::Remove { id, tenant } => {
            on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.remove_group(&actor, id).await
            })
            .await?;
            context.print(&json!({ "id": id, "removed": true }), "removed");
        }
    }
    Ok(())
}

async fn list(context: &Context, tenant: TenantId) -> Result<()> {
    let groups = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.groups(&actor).await
    })
    .await?;
    let row = |group: &Group| {
        vec![group.id.to_string(), group.name.clone(), group.description.clone().unwrap_or_default()]
    };
    let rows: Vec<_> = groups.iter().map(row).collect();
    let value: Vec<_> = groups.iter().map(told).collect();
    context.print(&json!({ "groups": value }), &table(&["id", "name", "description"], &rows));
    Ok(())
}

fn told(group: &Group) -> Value {
    json!({ "id": group.id, "name": group.name, "description": group.description })
}
