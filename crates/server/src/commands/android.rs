//! `remuda android`: the tenant's place at Google.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use domain::{AndroidState, TenantId};
use serde_json::json;

use super::{local, on_the_database};
use crate::cli::Context;

/// What can be done at Google.
#[derive(Subcommand)]
pub enum Command {
    /// Keeps a service account, and tells where an administrator signs up
    Signup {
        /// The service account's file, as Google hands it out
        #[arg(long, value_name = "FILE")]
        account: PathBuf,
        /// Where Google sends the administrator back to, with enterpriseToken in the query; https
        #[arg(long, value_name = "URL")]
        callback: String,
        /// E-mail address of the administrator
        #[arg(long)]
        email: Option<String>,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Makes the enterprise, its policy and its notifications; or takes one that there is
    Enterprise {
        /// What came back as enterpriseToken from the sign-up
        #[arg(long, required_unless_present = "name", conflicts_with = "name")]
        token: Option<String>,
        /// An enterprise that the service account has already, such as enterprises/LC01
        #[arg(long, requires = "account")]
        name: Option<String>,
        /// The service account's file, with --name
        #[arg(long, value_name = "FILE", requires = "name")]
        account: Option<PathBuf>,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Shows how the tenant stands at Google, and what waits
    Status {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Signup { account, callback, email, tenant } => {
            let file = read(&account)?;
            let url = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.sign_up_for_android(&actor, &file, &callback, email.as_deref()).await
            })
            .await?;
            context.print(&json!({ "url": url }), &url);
        }
        Command::Enterprise { token, name, account, tenant } => {
            let file = account.as_deref().map(read).transpose()?;
            let name = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                match (token, name, file) {
                    (_, Some(name), Some(file)) => mdm.adopt_android_enterprise(&actor, &file, &name).await,
                    (token, ..) => mdm.create_android_enterprise(&actor, &token.unwrap_or_default()).await,
                }
            })
            .await?;
            context.print(&json!({ "enterprise": name }), &name);
        }
        Command::Status { tenant } => {
            let state = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.android_state(&actor).await
            });
            show(context, state.await?);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

fn show(context: &Context, state: Option<AndroidState>) {
    let Some(state) = state else {
        context.print(&json!({ "project": null }), "not set up: see `remuda android signup --help`");
        return;
    };
    let pulled = state.pulled_at.map(domain::Timestamp::rfc3339);
    let value = json!({
        "project": state.project, "enterprise": state.enterprise, "subscription": state.subscription,
        "pushed_to": state.pushed_to, "pulled": pulled, "trouble": state.trouble, "waiting_calls": state.waiting_calls,
        "waiting_notifications": state.waiting_notifications,
    });
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    let text = format!(
        "project        {}\nenterprise     {}\nsubscription   {}\npushed to      {}\nlast taken     {}\ntrouble        {}\n\
         waiting calls  {}\nnotifications  {}",
        state.project,
        said(&state.enterprise),
        said(&state.subscription),
        state.pushed_to.as_deref().unwrap_or("nobody: they are pulled"),
        said(&pulled),
        said(&state.trouble),
        state.waiting_calls,
        state.waiting_notifications,
    );
    context.print(&value, &text);
}
