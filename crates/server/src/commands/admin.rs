//! `remuda admin`: people who administer tenants.

use anyhow::{Result, anyhow};
use clap::Subcommand;
use domain::{Admin, Role, TenantId};
use serde_json::{Value, json};

use super::{on_the_database, table};
use crate::cli::Context;

/// What can be done with administrators.
#[derive(Subcommand)]
pub enum Command {
    /// Adds an administrator, or gives one a role in another tenant
    Add {
        /// E-mail address
        email: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// owner, operator or viewer
        #[arg(long, default_value = "owner", value_parser = role)]
        role: Role,
    },
    /// Lists the administrators and their roles
    List,
    /// Gives an administrator a new password; who is logged in as them has to log in again, their API keys stay
    SetPassword {
        /// E-mail address
        email: String,
    },
    /// Takes an administrator's role in a tenant away; their keys and logins open it no longer
    Remove {
        /// E-mail address
        email: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

fn role(name: &str) -> Result<Role> {
    Role::named(name).ok_or_else(|| anyhow!("owner, operator or viewer"))
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Add { email, tenant, role } => add(context, &email, tenant, role).await,
        Command::List => list(context).await,
        Command::SetPassword { email } => {
            let set = on_the_database(context, |mdm| async move { mdm.reset_admin_password(&email).await });
            let password = set.await?;
            let text = format!("password  {password}\n\nIt is shown this once.");
            context.print(&json!({ "password": password }), &text);
            Ok(())
        }
        Command::Remove { email, tenant } => {
            on_the_database(context, |mdm| async move { mdm.remove_admin(&email, tenant).await }).await?;
            context.print(&json!({ "removed": true }), "removed");
            Ok(())
        }
    }
}

async fn add(context: &Context, email: &str, tenant: TenantId, role: Role) -> Result<()> {
    let added = on_the_database(context, |mdm| async move { mdm.add_admin(email, tenant, role).await });
    let (id, password) = added.await?;
    let text = match &password {
        Some(password) => format!("password  {password}\n\nIt is shown this once."),
        None => "The administrator keeps their password, and now has that role there.".to_owned(),
    };
    context.print(&json!({ "id": id, "password": password }), &text);
    Ok(())
}

async fn list(context: &Context) -> Result<()> {
    let admins = on_the_database(context, |mdm| async move { mdm.admins().await }).await?;
    let rows: Vec<_> = admins.iter().flat_map(|(admin, roles)| rows(admin, roles)).collect();
    let value: Vec<_> = admins.iter().map(|(admin, roles)| told(admin, roles)).collect();
    context.print(&json!({ "admins": value }), &table(&["id", "e-mail", "tenant", "role"], &rows));
    Ok(())
}

/// One row for each role, and one for an administrator without any.
fn rows(admin: &Admin, roles: &[(TenantId, Role)]) -> Vec<Vec<String>> {
    let row =
        |tenant: String, role: &str| vec![admin.id.to_string(), admin.email.clone(), tenant, role.into()];
    match roles {
        [] => vec![row(String::new(), "")],
        roles => roles.iter().map(|(tenant, role)| row(tenant.to_string(), role.name())).collect(),
    }
}

fn told(admin: &Admin, roles: &[(TenantId, Role)]) -> Value {
    let roles: Vec<_> =
        roles.iter().map(|(tenant, role)| json!({ "tenant": tenant, "role": role.name() })).collect();
    json!({ "id": admin.id, "email": admin.email, "roles": roles })
}
