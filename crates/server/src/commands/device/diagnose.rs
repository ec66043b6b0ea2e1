//! `remuda device diagnose`: why a device is stuck, and what to do about it.

use anyhow::Result;
use domain::{Diagnosis, PushState, TenantId, Timestamp};
use serde_json::{Value, json};

use super::super::{command, local, on_the_database};
use crate::cli::Context;

/// Looks at a device by any of the names that commands take.
pub async fn run(context: &Context, tenant: TenantId, name: String) -> Result<()> {
    let found = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        let device = mdm.device_called(&actor, &name).await?;
        mdm.diagnose(&actor, device).await
    })
    .await?;
    context.print(&value(&found), &text(&found));
    Ok(())
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::rfc3339)
}

fn value(found: &Diagnosis) -> Value {
    let waiting = found.waiting.iter().map(|(view, why)| {
        let mut value = command::value(view);
        value["why"] = why.as_str().into();
        value
    });
    let users = found
        .users
        .iter()
        .map(|user| json!({ "channel": user.key.0, "name": user.user_name, "push": push(&user.push) }));
    json!({
        "device": found.device.id.client_id(), "managed": found.device.managed,
        "last_seen": time(found.device.last_contact), "push": found.push.as_ref().map(push),
        "users": users.collect::<Vec<_>>(),
        "waiting": waiting.collect::<Vec<_>>(), "certificate_expires": time(found.certificate_ends),
        "push_certificate_expires": time(found.push_certificate_ends), "advice": found.advice,
    })
}

fn push(state: &PushState) -> Value {
    let (last_push, said) = state.last.as_ref().map(|(at, said)| (at.rfc3339(), said)).unzip();
    json!({
        "token": state.has_token, "told_at": state.told_at.rfc3339(), "last_push": last_push, "said": said,
        "next_push": state.due.map(|(due, _)| due.rfc3339()), "tries": state.due.map_or(0, |(_, tries)| tries),
    })
}

fn text(found: &Diagnosis) -> String {
    let or_never = |at: Option<Timestamp>| time(at).unwrap_or_else(|| "never".into());
    let mut lines = vec![
        format!("last seen                 {}", or_never(found.device.last_contact)),
        format!("last push                 {}", pushed(found.push.as_ref())),
        format!("identity expires          {}", or_never(found.certificate_ends)),
        format!("push certificate expires  {}", or_never(found.push_certificate_ends)),
    ];
    for user in &found.users {
        let name = user.user_name.as_ref().unwrap_or(&user.key.0);
        lines.push(format!("last push for {name}: {}", pushed(Some(&user.push))));
    }
    for (view, why) in &found.waiting {
        let channel = &view.channel.0;
        let whose = if channel.is_empty() { String::new() } else { format!(" of the user {channel}") };
        lines.push(format!("waits since {}: {}{whose} ({why})", view.queued_at.rfc3339(), view.request_type));
    }
    lines.extend(found.advice.iter().map(|advice| format!("→ {advice}")));
    if found.advice.is_empty() {
        lines.push("nothing is wrong with it".into());
    }
    lines.join("\n")
}

/// When a channel was last pushed to, and what APNs said.
fn pushed(state: Option<&PushState>) -> String {
    let last = state.and_then(|state| state.last.as_ref());
    last.map_or("never".into(), |(at, said)| format!("{} ({said})", at.rfc3339()))
}
