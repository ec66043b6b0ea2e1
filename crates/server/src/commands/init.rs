//! `remuda init`: the first tenant, administrator and API key.

use anyhow::Result;
use clap::Args;
use domain::FirstSteps;
use serde_json::json;

use super::on_the_database;
use crate::cli::Context;

/// Arguments of `remuda init`.
#[derive(Args)]
pub struct Arguments {
    /// Name of the tenant
    #[arg(long, default_value = "Default")]
    name: String,
    /// E-mail address of the administrator
    #[arg(long, default_value = "admin@localhost")]
    email: String,
}

/// Makes the three, unless there is a tenant already.
pub async fn run(context: &Context, arguments: Arguments) -> Result<()> {
    let Arguments { name, email } = arguments;
    let FirstSteps { tenant, email, password, api_key } =
        on_the_database(context, |mdm| async move { mdm.set_up(&name, &email).await }).await?;
    let value = json!({ "tenant": tenant.id, "admin": email, "password": password, "api_key": api_key });
    let text = format!(
        "tenant    {}  {}\nadmin     {email}\npassword  {password}\nAPI key   {api_key}\n\n\
         Password and key are shown this once.",
        tenant.id, tenant.name
    );
    context.print(&value, &text);
    Ok(())
}
