//! `remuda device`: what an administrator decides about one device.

use anyhow::{Context as _, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::{Subcommand, builder::PossibleValuesParser};
use domain::{ActionKind, DeviceFilter, DeviceId, DeviceSecret, DeviceView, Page, TenantId};
use serde_json::{Value, json};

use super::{local, on_the_database, table};
use crate::cli::Context;

mod diagnose;

/// What can be done with devices.
#[derive(Subcommand)]
pub enum Command {
    /// Lists devices, in the order of their ids
    List {
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
        /// Only those behind this one
        #[arg(long, value_name = "CLIENTID")]
        after: Option<DeviceId>,
        /// How many at most, up to 1000
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Gives a device the id under which the lifecycle API finds it
    SetExternalId {
        /// The device
        device: DeviceId,
        /// The id; without one it is taken away
        external_id: Option<String>,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Lets a quarantined device take the record whose identity it claims
    Approve {
        /// The quarantined device
        device: DeviceId,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Ends the enrollment of a quarantined device
    Reject {
        /// The quarantined device
        device: DeviceId,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Shows a secret that is kept of a device: tokens and keys in base64, PINs and codes as they are; leaves an audit
    /// event
    Reveal {
        /// The device
        device: DeviceId,
        /// Which one
        #[arg(long, value_parser = PossibleValuesParser::new(DeviceSecret::ALL.map(DeviceSecret::name)))]
        secret: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Tells why a device does not do what it is asked, and what to do about it
    Diagnose {
        /// The device: its client id, udid:… or serial:…
        device: String,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
    /// Shows the newest PIN that opens a locked or erased Mac, and which of the two; leaves an audit event
    RevealPin {
        /// The device
        device: DeviceId,
        /// The tenant
        #[arg(long)]
        tenant: TenantId,
    },
}

/// Does it.
pub async fn run(context: &Context, command: Command) -> Result<()> {
    match command {
        Command::List { tenant, after, limit } => list(context, tenant, Page { after, skip: 0, limit }).await,
        Command::SetExternalId { device, external_id, tenant } => {
            on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.set_external_id(&actor, device, external_id.as_deref()).await
            })
            .await?;
            context.print(&json!({ "clientid": device.client_id() }), "done");
            Ok(())
        }
        Command::Approve { device, tenant } => {
            let id = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.approve_device(&actor, device).await
            })
            .await?;
            context.print(&json!({ "clientid": id.client_id() }), &id.client_id());
            Ok(())
        }
        Command::Reject { device, tenant } => {
            on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.reject_device(&actor, device).await
            })
            .await?;
            context.print(&json!({ "clientid": device.client_id(), "rejected": true }), "rejected");
            Ok(())
        }
        Command::Reveal { device, secret, tenant } => reveal(context, device, &secret, tenant).await,
        Command::Diagnose { device, tenant } => diagnose::run(context, tenant, device).await,
        Command::RevealPin { device, tenant } => {
            let pin = on_the_database(context, |mdm| async move {
                let actor = local(&mdm, tenant).await?;
                mdm.reveal_pin(&actor, device).await
            })
            .await?;
            let (what, at) = (opens(pin.action), pin.kept_at.rfc3339());
            let value = json!({
                "clientid": device.client_id(), "pin": pin.pin, "action": pin.action.name(), "asked_at": at,
            });
            context.print(&value, &format!("{} ({what}, asked {at})", pin.pin));
            Ok(())
        }
    }
}

/// After what a PIN opens a Mac.
fn opens(action: ActionKind) -> &'static str {
    if action == ActionKind::WipeFull { "opens the Mac after it was erased" } else { "unlocks the Mac" }
}

async fn reveal(context: &Context, device: DeviceId, secret: &str, tenant: TenantId) -> Result<()> {
    let known = DeviceSecret::ALL.into_iter().find(|known| known.name() == secret);
    let known = known.with_context(|| format!("--secret {secret}: there is no such kind of secret"))?;
    let plain = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.reveal(&actor, device, known).await
    })
    .await?;
    let text = if known.is_text() { String::from_utf8(plain)? } else { STANDARD.encode(plain) };
    context.print(&json!({ "clientid": device.client_id(), "secret": secret, "value": text }), &text);
    Ok(())
}

async fn list(context: &Context, tenant: TenantId, page: Page) -> Result<()> {
    let found = on_the_database(context, |mdm| async move {
        let actor = local(&mdm, tenant).await?;
        mdm.device_page(&actor, &DeviceFilter::default(), page).await
    })
    .await?;
    let rows: Vec<_> = found.devices.iter().map(row).collect();
    let value =
        json!({ "devices": found.devices.iter().map(value).collect::<Vec<_>>(), "total": found.total });
    context.print(&value, &table(&["clientid", "serial number", "product", "state", "last contact"], &rows));
    Ok(())
}

fn state(view: &DeviceView) -> &'static str {
    let device = &view.device;
    match (device.quarantined, device.wiped, device.managed) {
        (true, _, _) => "quarantined",
        (_, true, _) => "wiped",
        (_, _, true) => "managed",
        _ => "not managed",
    }
}

fn value(view: &DeviceView) -> Value {
    let device = &view.device;
    json!({
        "clientid": device.id.client_id(), "serialnumber": device.facts.serial_number,
        "product": device.facts.product_name, "state": state(view), "external_id": device.external_id,
        "last_contact": device.last_contact.map(domain::Timestamp::rfc3339), "pending": view.pending,
    })
}

fn row(view: &DeviceView) -> Vec<String> {
    let facts = &view.device.facts;
    vec![
        view.device.id.client_id(),
        facts.serial_number.clone().unwrap_or_default(),
        facts.product_name.clone().unwrap_or_default(),
        state(view).to_owned(),
        view.device.last_contact.map(domain::Timestamp::rfc3339).unwrap_or_default(),
    ]
}
