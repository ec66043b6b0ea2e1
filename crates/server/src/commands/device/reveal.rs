//! `remuda device reveal` and `reveal-pin`: secrets that are kept of a device.

use anyhow::{Context as _, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    ActionKind, DeviceId, DeviceSecret, Revealed, RevealedPin, SecretStanding, TenantId, Timestamp,
};
use serde_json::{Value, json};

use super::super::{local, on_the_database};
use crate::cli::Context;

/// Shows the secret that the device most likely has, and what else it may be.
pub async fn run(context: &Context, device: DeviceId, secret: &str, tenant: TenantId) -> Result<()> {
    let known = DeviceSecret::named(secret);
    let known = known.with_context(|| format!("--secret {secret}: there is no such kind of secret"))?;
    let found = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.reveal(&actor, device, known).await
    })
    .await?;
    let mut shown = value(&found);
    shown["clientid"] = device.client_id().into();
    shown["others"] = found.others.iter().map(value).collect();
    context.print(&shown, &text(&found));
    Ok(())
}

/// Shows the PIN that most likely opens a Mac.
pub async fn pin(context: &Context, device: DeviceId, tenant: TenantId) -> Result<()> {
    let found = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.reveal_pin(&actor, device).await
    })
    .await?;
    let mut shown = pin_value(&found.revealed);
    shown["clientid"] = device.client_id().into();
    shown["others"] = found.revealed.others.iter().map(pin_value).collect();
    context.print(&shown, &pin_text(&found));
    Ok(())
}

fn value(found: &Revealed) -> Value {
    json!({
        "secret": found.secret.name(), "value": plain(found), "state": found.standing.name(),
        "enrollment": found.enrollment, "current": found.is_current,
        "kept_at": found.kept_at.map(Timestamp::rfc3339), "command": found.command,
    })
}

fn pin_value(found: &Revealed) -> Value {
    json!({
        "pin": plain(found), "action": action(found).name(), "state": found.standing.name(),
        "current": found.is_current, "asked_at": found.kept_at.map(Timestamp::rfc3339),
    })
}

/// The first line is the secret alone.
fn text(found: &Revealed) -> String {
    let mut lines = vec![plain(found), format!("  {}", about(found))];
    for other in &found.others {
        lines.push(format!("or {}\n  {}", plain(other), about(other)));
    }
    lines.join("\n")
}

fn pin_text(found: &RevealedPin) -> String {
    let line = |found: &Revealed| {
        let opens = match action(found) {
            ActionKind::WipeFull => "opens the Mac after it was erased",
            _ => "unlocks the Mac",
        };
        format!("{} ({opens}; {})", plain(found), about(found))
    };
    let others = found.revealed.others.iter().map(|other| format!("or {}", line(other)));
    std::iter::once(line(&found.revealed)).chain(others).collect::<Vec<_>>().join("\n")
}

/// Tokens and keys in base64, texts as they are.
fn plain(found: &Revealed) -> String {
    match std::str::from_utf8(&found.value) {
        Ok(text) if found.secret.is_text() => text.to_owned(),
        _ => STANDARD.encode(&found.value),
    }
}

fn about(found: &Revealed) -> String {
    let kept = found.kept_at.map_or("kept".into(), |at| format!("kept {}", at.rfc3339()));
    let cleared = if found.value.is_empty() { "none: it was taken away; " } else { "" };
    let archived = if found.is_current { "" } else { "; of an enrollment before" };
    format!("{cleared}{kept}; {}{archived}", meaning(found.standing))
}

fn meaning(standing: SecretStanding) -> &'static str {
    match standing {
        SecretStanding::Confirmed => "the device has it",
        SecretStanding::Unanswered => "the device was sent it and has not answered",
        SecretStanding::Waiting => "the device does not have it yet",
        SecretStanding::Refused => "the device answered that it did not take it",
        SecretStanding::TakenBack => "it was taken back before the device had it",
    }
}

fn action(found: &Revealed) -> ActionKind {
    match found.secret {
        DeviceSecret::ErasePin => ActionKind::WipeFull,
        _ => ActionKind::LockScreen,
    }
}
