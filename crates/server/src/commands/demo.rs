//! `remuda demo`: the whole thing in one process, on a temporary folder, with pretend devices.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::{Actor, ApplicationId, DeviceFilter, DeviceView, Mdm, NewLink, Page, Role, TenantId};
use serde_json::json;
use simulator::{
    apns::{PretendApns, PretendApnsSettings, push_certificate},
    apple_device::{AppleDevice, DeviceModel, EnrollOptions, Fleet, Listener, PushService},
    google::PretendGoogle,
};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::serve::stop_signal;
use crate::{
    adapters::SystemClock,
    cli::Context,
    config::{Config, Settings},
    output::say,
    serve::Running,
    wire::{Ground, told},
};

mod android;
mod lines;

/// The topic of the pretend push certificate.
const TOPIC: &str = "com.apple.mgmt.External.remuda-demo";

/// How many devices enroll at the same time.
const AT_ONCE: usize = 8;

/// Arguments of `remuda demo`.
#[derive(Args)]
pub struct Arguments {
    /// How many pretend Apple devices
    #[arg(long, default_value_t = 3)]
    devices: usize,
    /// How many pretend Android devices, behind a pretend Google
    #[arg(long, default_value_t = 2, value_name = "N")]
    android: usize,
    /// File that gets the keys and devices, once all are enrolled and their first inventory is stored
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

/// What the demo hands to whoever plays with it.
struct Keys {
    tenant: TenantId,
    api_key: String,
    application: ApplicationId,
    secret: String,
}

/// Runs until it is told to stop; then nothing is left.
pub async fn run(context: &Context, arguments: Arguments) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let apns = Arc::new(PretendApns::start(PretendApnsSettings::new(TOPIC, clock())).await?);
    let google = android::google(arguments.android).await?;
    let demo = config(context, &folder, &apns, google.as_ref())?;
    let server = Running::start(demo, Ground::default()).await?;
    let keys = furnish(server.mdm()).await?;
    let stopped = stop_signal()?;
    server.tell_ready(context.config.ready_file.as_deref())?;
    lines::keys(&server, &keys);
    let done = tokio::select! {
        done = live(&server, &apns, google.as_ref(), &keys, &arguments) => done,
        () = stopped => Ok(()),
    };
    server.stop().await?;
    done
}

fn clock() -> Arc<dyn Fn() -> std::time::SystemTime + Send + Sync> {
    Arc::new(|| domain::ports::Clock::now(&SystemClock).system_time())
}

fn config(
    context: &Context,
    folder: &TempDir,
    apns: &PretendApns,
    google: Option<&PretendGoogle>,
) -> Result<Config> {
    let root = folder.path().join("apns-root.pem");
    std::fs::write(&root, pki::Certificate::from_der(&apns.root_certificate_der())?.to_pem())?;
    let url = google.map(PretendGoogle::url);
    let demo = Settings {
        data: Some(folder.path().join("data")),
        database: None,
        key_ring: None,
        tls: Some("off".into()),
        allow_http_loopback: Some(true.into()),
        apns_url: Some(apns.url()),
        apns_root: Some(root),
        google_url: url.clone(),
        google_pubsub_url: url,
        google_oauth_url: None,
        google_certificates_url: google.map(PretendGoogle::certificates_url),
        device_url: None,
        api_url: None,
        tls_cert: None,
        tls_key: None,
        ..context.settings.clone()
    };
    let free = Settings {
        device_listen: Some("127.0.0.1:0".into()),
        api_listen: Some("127.0.0.1:0".into()),
        ..Settings::default()
    };
    Ok(Config::new(demo.or(free))?)
}

/// One tenant with everything that both APIs need.
async fn furnish(mdm: &Mdm) -> Result<Keys> {
    let tenant = mdm.add_tenant("Demo").await.map_err(told)?.id;
    let email = "admin@demo.example";
    mdm.add_admin(email, tenant, Role::Owner).await.map_err(told)?;
    let (_, api_key) = mdm.add_api_key(email).await.map_err(told)?;
    let (application, secret) = mdm.add_application(tenant, "Demo").await.map_err(told)?;
    let pretend = push_certificate(TOPIC)?;
    let certificate = pki::Certificate::from_der(&pretend.certificate)?.to_pem();
    let key = pki::PrivateKey::from_pkcs8(pretend.key.secret_der())?;
    mdm.import_push_certificate(&Actor::local(tenant), &certificate, Some(key)).await.map_err(told)?;
    Ok(Keys { tenant, api_key, application, secret })
}

/// Enrolls the devices, hears what they are, and lets them live on their pushes; ends only with an error.
async fn live(
    server: &Running,
    apns: &Arc<PretendApns>,
    google: Option<&PretendGoogle>,
    keys: &Keys,
    arguments: &Arguments,
) -> Result<()> {
    let mut living = JoinSet::new();
    for device in enroll(server, apns, keys, arguments.devices).await? {
        living.spawn(until_unenrolled(device, apns.clone()));
    }
    let android = async {
        match google {
            Some(google) => android::live(server.mdm(), keys.tenant, google, arguments.android).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = android => ended,
        ended = serve(server, keys, arguments) => ended,
    }
}

/// Tells what there is once all have said what they are; ends only with an error.
async fn serve(server: &Running, keys: &Keys, arguments: &Arguments) -> Result<()> {
    let devices = first_inventory(server.mdm(), keys.tenant, arguments).await?;
    lines::curl(server, keys, &devices);
    if let Some(file) = &arguments.export {
        lines::export(file, server, keys, &devices)?;
    }
    std::future::pending::<()>().await;
    Ok(())
}

/// Devices that have enrolled, and have said what they are.
async fn enroll(
    server: &Running,
    apns: &Arc<PretendApns>,
    keys: &Keys,
    devices: usize,
) -> Result<Vec<AppleDevice>> {
    if devices == 0 {
        return Ok(Vec::new());
    }
    let uses = u32::try_from(devices).context("--devices: that is too many")?;
    let link = NewLink { user: None, device: None, uses, lifetime: Duration::from_hours(24) };
    let url = server.mdm().add_link(&Actor::local(keys.tenant), &link).await.map_err(told)?;
    let options =
        EnrollOptions::new(url, DeviceModel::nth(0), clock()).listener(speaker()).push_service(issuer(apns));
    let mut fleet = Fleet::enroll(&options, 0, devices, AT_ONCE, Arc::new(|_, _| {})).await;
    if let Some((serial_number, error)) = fleet.enrollment.failures.first() {
        bail!("device {serial_number} could not enroll: {error}");
    }
    let (_, inventory) = fleet.connect(AT_ONCE, Arc::new(|_, _| {})).await;
    if let Some((serial_number, error)) = inventory.failures.first() {
        bail!("device {serial_number} could not say what it is: {error}");
    }
    Ok(fleet.devices)
}

/// Makes the pretend push service know a token before the server does; pushes are kept until the device comes online.
fn issuer(apns: &Arc<PretendApns>) -> PushService {
    let apns = apns.clone();
    Arc::new(move |address| drop(apns.register(&address.token, &address.magic)))
}

/// Prints what a device does.
fn speaker() -> Listener {
    Arc::new(|event| say!("{event}"))
}

async fn until_unenrolled(mut device: AppleDevice, apns: Arc<PretendApns>) {
    device.live(|address| apns.register(&address.token, &address.magic)).await;
}

/// Waits until what the devices have said of themselves is stored.
async fn first_inventory(mdm: &Mdm, tenant: TenantId, arguments: &Arguments) -> Result<Vec<DeviceView>> {
    loop {
        if mdm.health().await.map_err(told)?.outcomes == 0 {
            let devices = all(mdm, tenant).await?;
            if devices.iter().filter(|view| android::is_known(view)).count() >= arguments.android {
                return Ok(devices);
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn all(mdm: &Mdm, tenant: TenantId) -> Result<Vec<DeviceView>> {
    let (actor, filter) = (Actor::local(tenant), DeviceFilter::default());
    let mut all: Vec<DeviceView> = Vec::new();
    loop {
        let after = all.last().map(|view| view.device.id);
        let page = Page { after, skip: 0, limit: domain::PAGE_LIMIT };
        let more = mdm.devices(&actor, &filter, page).await.map_err(told)?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

fn exported(server: &Running, keys: &Keys, devices: &[DeviceView]) -> serde_json::Value {
    let devices: Vec<_> = devices
        .iter()
        .map(|view| {
            json!({
                "clientid": view.device.id.client_id(),
                "serialnumber": view.device.facts.serial_number,
                "platform": view.device.facts.platform,
            })
        })
        .collect();
    json!({
        "device_url": server.device_url(), "api_url": server.api_url(), "api_key": keys.api_key,
        "tenant": keys.tenant, "customer_id": keys.tenant,
        "application": { "id": keys.application, "secret": keys.secret }, "devices": devices,
    })
}
