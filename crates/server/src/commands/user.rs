//! `remuda user`: people whose devices are managed.

use anyhow::Result;
use clap::{Args, Subcommand};
use domain::{Actor, Mdm, PAGE_LIMIT, Page, TenantId, User, UserChange};
use serde_json::{Value, json};

use super::{local, on_the_database, table};
use crate::cli::Context;

/// What can be done with users.
#[derive(Subcommand)]
pub enum Command {
    /// Adds a user
    Add {
        /// E-mail address, unique in the installation
        email: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Lists the users
    List {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Changes what is known of a user; an empty text takes a field away
    Set(Set),
    /// Gives a user a new password; who is logged in as the user has to log in again
    SetPassword {
        /// E-mail address
        email: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Removes a user; the user's devices stay under management and are nobody's
    Remove {
        /// E-mail address
        email: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

/// What is to change of a user.
#[derive(Args)]
pub struct Set {
    /// E-mail address
    email: String,
    /// The tenant
    #[arg(long)]
    tenant: TenantId,
    /// Given name
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// Family name
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    /// Telephone number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// Managed Apple Account
    #[arg(long, value_name = "ACCOUNT")]
    managed_apple_id: Option<String>,
    /// Whether the user may log in
    #[arg(long, value_name = "true|false")]
    enabled: Option<bool>,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Add { email, tenant } => add(context, &email, tenant).await,
        Command::List { tenant } => list(context, tenant).await,
        Command::Set(set) => change(context, set).await,
        Command::SetPassword { email, tenant } => set_password(context, &email, tenant).await,
        Command::Remove { email, tenant } => remove(context, &email, tenant).await,
    }
}

async fn add(context: &Context, email: &str, tenant: TenantId) -> Result<()> {
    let (id, password) = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.add_user(&actor, email).await
    })
    .await?;
    let text = format!("password  {password}\n\nIt is shown this once.");
    context.print(&json!({ "id": id, "password": password }), &text);
    Ok(())
}

async fn list(context: &Context, tenant: TenantId) -> Result<()> {
    let users = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        every_user(&mdm, &actor).await
    })
    .await?;
    let row = |user: &User| {
        let name = user.person.name().unwrap_or_default();
        vec![user.id.to_string(), user.email.clone(), name, user.enabled.to_string()]
    };
    let rows: Vec<_> = users.iter().map(row).collect();
    let value: Vec<_> = users.iter().map(told).collect();
    context.print(&json!({ "users": value }), &table(&["id", "e-mail", "name", "enabled"], &rows));
    Ok(())
}

async fn every_user(mdm: &Mdm, actor: &Actor) -> domain::Result<Vec<User>> {
    let mut users: Vec<User> = Vec::new();
    loop {
        let after = users.last().map(|user| user.id);
        let page = mdm.users(actor, Page { after, skip: 0, limit: PAGE_LIMIT }).await?;
        let is_last = page.len() < PAGE_LIMIT as usize;
        users.extend(page);
        if is_last {
            return Ok(users);
        }
    }
}

async fn change(context: &Context, set: Set) -> Result<()> {
    let Set { email, tenant, first_name, last_name, phone, managed_apple_id, enabled } = set;
    let change = UserChange { first_name, last_name, phone, managed_apple_id, enabled };
    let user = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.change_user(&actor, &email, change).await
    })
    .await?;
    context.print(&told(&user), "changed");
    Ok(())
}

async fn set_password(context: &Context, email: &str, tenant: TenantId) -> Result<()> {
    let password = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.reset_user_password(&actor, email).await
    })
    .await?;
    let text = format!("password  {password}\n\nIt is shown this once.");
    context.print(&json!({ "password": password }), &text);
    Ok(())
}

async fn remove(context: &Context, email: &str, tenant: TenantId) -> Result<()> {
    let id = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        let user = mdm.user_by_email(&actor, email).await?;
        mdm.delete_user(&actor, user.id).await?;
        Ok(user.id)
    })
    .await?;
    context.print(&json!({ "id": id, "removed": true }), "removed");
    Ok(())
}

fn told(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "first_name": user.person.first_name,
        "last_name": user.person.last_name,
        "phone": user.person.phone,
        "managed_apple_id": user.person.managed_apple_id,
        "enabled": user.enabled,
        "has_password": user.password_hash.is_some(),
    })
}
