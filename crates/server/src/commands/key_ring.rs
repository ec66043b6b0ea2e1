//! `remuda key-ring`: the keys under which secrets are sealed in the database.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::on_the_database;
use crate::{
    cli::Context,
    wire::{Ground, Parts, key_ring, told},
};

/// What can be done with the key ring.
#[derive(Subcommand)]
pub enum Command {
    /// Shows the versions of its keys; never the keys
    Show,
    /// Adds a key that seals nothing yet, so that every server can have it before one uses it
    Prepare,
    /// Seals with a new key from now on, the prepared one if there is one; the old keys stay on the ring
    Rotate,
    /// Seals everything in the database anew that is sealed with an older key; servers may run meanwhile
    Reseal,
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::Show => show(context).await,
        Command::Prepare => change(context, pki::KeyRing::prepare).await,
        Command::Rotate => change(context, pki::KeyRing::rotate).await,
        Command::Reseal => reseal(context).await,
    }
}

async fn show(context: &Context) -> Result<()> {
    let (current, versions) = on_the_database(context, |mdm| async move { Ok(mdm.key_versions()) }).await?;
    print(context, current, &versions, "");
    Ok(())
}

/// Changes the file, but only if it is the key ring of this database.
async fn change(context: &Context, change: impl FnOnce(&mut pki::KeyRing) -> pki::Result<()>) -> Result<()> {
    Parts::open(&context.config, Ground::default()).await?.close().await?;
    let file = &context.config.key_ring;
    let mut ring = key_ring::open(file, false)?;
    change(&mut ring)?;
    key_ring::replace(file, &ring)?;
    let next = "\nA running server takes it up within a minute; copy the file to every other server.";
    print(context, ring.current_version(), &ring.versions(), next);
    Ok(())
}

async fn reseal(context: &Context) -> Result<()> {
    let done = on_the_database(context, |mdm| async move { mdm.reseal().await }).await?;
    let value = json!({ "resealed": done.resealed, "unreadable": done.unreadable });
    context.print(&value, &format!("{} sealed anew", done.resealed));
    if done.unreadable > 0 {
        let why =
            format!("{} secrets could not be opened and stay as they are; see the log", done.unreadable);
        return Err(told(domain::Error::Conflict(why)));
    }
    Ok(())
}

fn print(context: &Context, current: u32, versions: &[u32], next: &str) {
    let list: Vec<_> = versions.iter().map(ToString::to_string).collect();
    let text = format!("seals with  {current}\nopens       {}{next}", list.join(", "));
    context.print(&json!({ "current": current, "versions": versions }), &text);
}
