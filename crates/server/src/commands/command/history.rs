//! `remuda command list`, `show` and `cancel`: what was asked, and how it went.

use anyhow::Result;
use clap::Args;
use domain::{CommandDetails, CommandFilter, CommandId, CommandState, CommandView, TenantId, Timestamp};
use serde_json::{Value, json};

use super::super::{local, on_the_database, table};
use crate::cli::Context;

/// Which commands.
#[derive(Args)]
pub struct List {
    /// The tenant
    #[arg(long)]
    tenant: TenantId,
    /// Of this device: its client id, udid:… or serial:…
    #[arg(long)]
    device: Option<String>,
    /// In this state: queued, handed_over, not_now, done, failed, expired or cancelled
    #[arg(long, value_parser = state)]
    state: Option<CommandState>,
    /// Only those older than this one
    #[arg(long, value_name = "UUID")]
    before: Option<CommandId>,
    /// How many at most, up to 1000
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// Which command.
#[derive(Args)]
pub struct One {
    /// The command's id
    uuid: CommandId,
    /// The tenant
    #[arg(long)]
    tenant: TenantId,
}

fn state(name: &str) -> Result<CommandState, String> {
    let names = CommandState::ALL.map(CommandState::name).join(", ");
    CommandState::named(name).ok_or(format!("one of {names}"))
}

/// Lists commands, the newest first.
pub async fn list(context: &Context, list: List) -> Result<()> {
    let List { tenant, device, state, before, limit } = list;
    let commands = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        let device = match device {
            Some(name) => Some(mdm.device_called(&actor, &name).await?),
            None => None,
        };
        mdm.commands(&actor, &CommandFilter { device, state }, before, limit).await
    })
    .await?;
    let rows: Vec<_> = commands.iter().map(row).collect();
    let value = json!({ "commands": commands.iter().map(value).collect::<Vec<_>>() });
    context.print(&value, &table(&["uuid", "device", "command", "state", "queued at"], &rows));
    Ok(())
}

/// Shows one, with the answer of its device.
pub async fn show(context: &Context, one: One) -> Result<()> {
    let details = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, one.tenant).await?;
        mdm.command(&actor, one.uuid).await
    })
    .await?;
    context.print(&shown(&details), &text(&details));
    Ok(())
}

/// Takes one back that its device does not have.
pub async fn cancel(context: &Context, one: One) -> Result<()> {
    let cancelled = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, one.tenant).await?;
        mdm.cancel_command(&actor, one.uuid).await
    })
    .await?;
    context.print(&value(&cancelled), "cancelled");
    Ok(())
}

/// A command as JSON.
pub fn value(view: &CommandView) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
    json!({
        "uuid": view.id, "device": view.device.client_id(), "channel": view.channel.0,
        "request_type": view.request_type, "action": view.action, "dedupe": view.dedupe, "state": view.state.name(),
        "priority": view.schedule.priority, "not_before": time(view.schedule.not_before),
        "expires": time(view.schedule.expires), "put_off": view.put_off,
        "next_push": time(view.state.is_open().then_some(view.wake_at)), "faults": view.faults,
        "queued_at": view.queued_at.rfc3339(), "handed_over_at": time(view.handed_over_at),
        "finished_at": time(view.finished_at),
    })
}

fn row(view: &CommandView) -> Vec<String> {
    vec![
        view.id.to_string(),
        view.device.client_id(),
        view.request_type.clone(),
        view.state.name().replace('_', " "),
        view.queued_at.rfc3339(),
    ]
}

fn shown(details: &CommandDetails) -> Value {
    let chain = details.error_chain.iter().map(|item| {
        json!({
            "code": item.code, "domain": item.domain, "localized_description": item.localized_description,
            "us_english_description": item.us_english_description,
        })
    });
    let mut value = value(&details.command);
    value["error_chain"] = chain.collect();
    value["result"] = details.result.clone().unwrap_or_default();
    value
}

fn text(details: &CommandDetails) -> String {
    let view = &details.command;
    let mut lines = vec![
        format!(
            "{} for {}: {}",
            view.request_type,
            view.device.client_id(),
            view.state.name().replace('_', " ")
        ),
        format!("queued at       {}", view.queued_at.rfc3339()),
    ];
    if !view.channel.0.is_empty() {
        lines.push(format!("of the user     {}", view.channel.0));
    }
    let times = [
        ("not before", view.schedule.not_before),
        ("expires at", view.schedule.expires),
        ("handed over at", view.handed_over_at),
        ("over at", view.finished_at),
    ];
    lines.extend(times.iter().filter_map(|(what, at)| Some(format!("{what:<15} {}", (*at)?.rfc3339()))));
    lines.extend(view.faults.iter().flat_map(|faults| faults.lines()).map(|fault| format!("fault: {fault}")));
    let chain = details.error_chain.iter();
    lines.extend(chain.map(|item| {
        let said = item.us_english_description.as_ref().unwrap_or(&item.localized_description);
        format!("error {} {}: {said}", item.domain, item.code)
    }));
    if let Some(result) = &details.result {
        lines.push(format!("{result:#}"));
    }
    lines.join("\n")
}
