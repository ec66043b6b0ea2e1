//! `remuda device`: what an administrator decides about one device.

use anyhow::Result;
use clap::{Subcommand, builder::PossibleValuesParser};
use domain::{DeviceFilter, DeviceId, DeviceSecret, DeviceView, Page, TenantId};
use serde_json::{Value, json};

use super::{local, on_the_database, table};
use crate::cli::Context;

mod diagnose;
mod reveal;

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
    /// Shows a secret that is kept of a device: the newest that the device confirmed, and which others it may be; tokens and
    /// keys in base64, PINs and codes as they are; leaves an audit event
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
    /// Shows the PIN that opens a locked or erased Mac, which of the two, and whether the Mac confirmed it; leaves an audit
    /// event
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
        Command::Reveal { device, secret, tenant } => reveal::run(context, device, &secret, tenant).await,
        Command::Diagnose { device, tenant } => diagnose::run(context, tenant, device).await,
        Command::RevealPin { device, tenant } => reveal::pin(context, device, tenant).await,
    }
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
