//! `remuda application`: programs that use the lifecycle API.

use anyhow::Result;
use clap::Subcommand;
use domain::{Application, ApplicationId, TenantId, Timestamp};
use serde_json::json;

use super::{on_the_database, table};
use crate::cli::Context;

/// What can be done with applications.
#[derive(Subcommand)]
pub enum Command {
    /// Adds an application
    Add {
        /// The tenant whose devices it may delete
        #[arg(long)]
        tenant: TenantId,
        /// Its name
        #[arg(long)]
        name: String,
    },
    /// Lists the applications
    List {
        /// Those of this tenant only
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Revokes an application; its tokens stop at once
    Revoke {
        /// Its id
        id: ApplicationId,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Add { tenant, name } => {
            let added =
                on_the_database(context, |mdm| async move { mdm.add_application(tenant, &name).await });
            let (id, secret) = added.await?;
            let value = json!({ "id": id, "secret": secret, "customer_id": tenant });
            let text = format!(
                "Application ID      {id}\nApplication secret  {secret}\ncustomer id         {tenant}\n\n\
                 The secret is shown this once."
            );
            context.print(&value, &text);
        }
        Command::List { tenant } => {
            let all = on_the_database(context, |mdm| async move { mdm.applications(tenant).await }).await?;
            let rows: Vec<_> = all.iter().map(row).collect();
            let value: Vec<_> = all.iter().map(value).collect();
            context.print(
                &json!({ "applications": value }),
                &table(&["id", "name", "tenant", "revoked"], &rows),
            );
        }
        Command::Revoke { id } => {
            on_the_database(context, |mdm| async move { mdm.revoke_application(id).await }).await?;
            context.print(&json!({ "id": id, "revoked": true }), "revoked");
        }
    }
    Ok(())
}

fn value(application: &Application) -> serde_json::Value {
    json!({
        "id": application.id, "name": application.name, "customer_id": application.tenant,
        "created": application.created_at.rfc3339(), "revoked": application.revoked_at.map(Timestamp::rfc3339),
    })
}

fn row(application: &Application) -> Vec<String> {
    let revoked = application.revoked_at.map(Timestamp::rfc3339).unwrap_or_default();
    vec![application.id.to_string(), application.name.clone(), application.tenant.to_string(), revoked]
}
