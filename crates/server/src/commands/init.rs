//! `remuda init`: the first tenant, administrator and API key.

use anyhow::Result;
use clap::Args;
use domain::{Error, Role};
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
    let (tenant, password, api_key) = on_the_database(context, |mdm| async move {
        if !mdm.tenants().await?.is_empty() {
            return Err(Error::Conflict(
                "there is a tenant already; add more with `remuda tenant add`".into(),
            ));
        }
        let tenant = mdm.add_tenant(&arguments.name).await?;
        let (_, password) = mdm.add_admin(&arguments.email, tenant.id, Role::Owner).await?;
        let (_, key) = mdm.add_api_key(&arguments.email).await?;
        Ok(((tenant, arguments.email), password, key))
    })
    .await?;
    let (tenant, email) = tenant;
    let value = json!({ "tenant": tenant.id, "admin": email, "password": password, "api_key": api_key });
    let password = password.unwrap_or_default();
    let text = format!(
        "tenant    {}  {}\nadmin     {email}\npassword  {password}\nAPI key   {api_key}\n\n\
         Password and key are shown this once.",
        tenant.id, tenant.name
    );
    context.print(&value, &text);
    Ok(())
}
