//! `remuda doctor`: what is wrong or will expire, and what to do about it.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use domain::{Mdm, PushCertificateHealth, Timestamp};
use serde_json::json;

use super::on_the_database;
use crate::{cli::Context, wire::told};

/// How long before its end a push certificate is spoken of.
const SOON: Duration = Duration::from_hours(45 * 24);

/// Something that needs a person.
pub struct Finding {
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

/// Looks, tells, and fails if there is something to do.
pub async fn run(context: &Context) -> Result<ExitCode> {
    let findings = on_the_database(context, |mdm| async move { found(&mdm, mdm.now()).await }).await?;
    let value: Vec<_> =
        findings.iter().map(|it| json!({ "problem": it.problem, "advice": it.advice })).collect();
    let lines: Vec<_> = findings.iter().map(|it| format!("{}\n  → {}", it.problem, it.advice)).collect();
    let text = if lines.is_empty() { "all is well".to_owned() } else { lines.join("\n") };
    context.print(&json!({ "findings": value }), &text);
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything that needs a person at `now`.
pub async fn findings(mdm: &Mdm, now: Timestamp) -> Result<Vec<Finding>> {
    found(mdm, now).await.map_err(told)
}

async fn found(mdm: &Mdm, now: Timestamp) -> domain::Result<Vec<Finding>> {
    let health = mdm.health().await?;
    let mut findings = Vec::new();
    if health.push_certificates.is_empty() {
        findings.push(Finding { problem: "there is no tenant".into(), advice: "remuda init".into() });
    }
    if let Some(problem) = health.device_url {
        findings.push(Finding { problem: "no enrollment links can be made".into(), advice: problem });
    }
    findings.extend(health.push_certificates.iter().filter_map(|tenant| push_certificate(tenant, now)));
    Ok(findings)
}

fn push_certificate(tenant: &PushCertificateHealth, now: Timestamp) -> Option<Finding> {
    let PushCertificateHealth { tenant: id, name, certificate } = tenant;
    let Some((topic, expires)) = certificate else {
        return Some(Finding {
            problem: format!("the tenant {name} has no push certificate, so its devices cannot enroll"),
            advice: format!("remuda push-certificate request --tenant {id}"),
        });
    };
    let when = match *expires {
        expires if expires <= now => format!("expired on {}", expires.rfc3339()),
        expires if expires <= now.plus(SOON) => format!("expires on {}", expires.rfc3339()),
        _ => return None,
    };
    Some(Finding {
        problem: format!("the push certificate of the tenant {name} {when}; then no device can be woken"),
        advice: format!(
            "renew it for the same topic ({topic}) in Apple's portal, by the same Apple Account, then: remuda \
             push-certificate import --tenant {id}"
        ),
    })
}
