//! A server wired like the real one, on a temporary folder, with its clock in hand and a pretend APNs.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use domain::{Actor, DeviceId, Mdm, NewLink, Role, TenantId};
use server::{
    adapters::SystemRandom,
    config::{Config, Settings},
    serve::Running,
    wire::Ground,
};
use simulator::{
    apns::{PretendApns, PretendApnsSettings, push_certificate},
    apple_device::KeyPool,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{clock::HandClock, postgres::TestDatabase};

mod api;
mod devices;
mod nodes;
mod people;
mod records;
mod waiting;

pub use api::{Answer, Api};
pub use devices::Device;
pub use records::record;

/// The topic of every test server.
pub const TOPIC: &str = "com.apple.mgmt.External.remuda-test";

/// How a test server is to be.
#[derive(Default)]
pub struct Options {
    /// PostgreSQL instead of SQLite.
    pub postgres: bool,
    /// `self-signed` instead of plain HTTP.
    pub tls: bool,
    /// Anything else.
    pub settings: Settings,
    /// The clock, where something else shares it that has to be there first.
    pub clock: HandClock,
}

/// A server in this process, and all that a test needs to speak with it.
pub struct TestServer {
    running: Option<Running>,
    config: Config,
    apns: Arc<PretendApns>,
    keys: KeyPool,
    clock: HandClock,
    tenant: TenantId,
    api_key: String,
    seeds: AtomicU64,
    looks: OnceCell<store::Opened>,
    // Dropped last, in this order.
    database: Option<TestDatabase>,
    folder: TempDir,
}

impl TestServer {
    /// On SQLite, by plain HTTP on loopback.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// On PostgreSQL, by plain HTTP on loopback.
    pub async fn on_postgres() -> Self {
        Self::with(Options { postgres: true, ..Options::default() }).await
    }

    /// As `options` say.
    pub async fn with(options: Options) -> Self {
        let folder = folder();
        let clock = options.clock.clone();
        let apns = PretendApns::start(PretendApnsSettings::new(TOPIC, clock.as_closure())).await;
        let apns = Arc::new(apns.expect("a pretend APNs"));
        let database = if options.postgres { Some(TestDatabase::new().await) } else { None };
        let config = config(&folder, &apns, database.as_ref(), options);
        let running = Running::start(config.clone(), ground(&clock)).await.expect("the server starts");
        let (tenant, api_key) = furnish(running.mdm()).await;
        let seeds = AtomicU64::new(1);
        let keys = devices::keys();
        Self {
            running: Some(running),
            config,
            apns,
            keys,
            clock,
            tenant,
            api_key,
            seeds,
            looks: OnceCell::new(),
            database,
            folder,
        }
    }

    /// Stops the server and starts it again on what it left, at the same addresses: those of devices never change.
    pub async fn restart(&mut self) {
        self.restart_as(|_| ()).await;
    }

    /// The same, with other settings; `change` is called while the server is down.
    pub async fn restart_as(&mut self, change: impl FnOnce(&mut Config)) {
        if let Some(running) = self.running.take() {
            self.config.device_listen = address(running.device_url()).unwrap_or(self.config.device_listen);
            self.config.api_listen = address(running.api_url()).unwrap_or(self.config.api_listen);
            running.stop().await.expect("the server stops");
        }
        change(&mut self.config);
        let running = Running::start(self.config.clone(), ground(&self.clock)).await;
        self.running = Some(running.expect("the server starts again"));
    }

    /// Its operations.
    pub fn mdm(&self) -> &Arc<Mdm> {
        self.running().mdm()
    }

    /// Where devices reach it.
    pub fn device_url(&self) -> &str {
        self.running().device_url()
    }

    /// Where other systems reach it.
    pub fn api_url(&self) -> &str {
        self.running().api_url()
    }

    /// The pretend APNs.
    pub fn apns(&self) -> &PretendApns {
        &self.apns
    }

    /// The clock of the server, of the pretend APNs and of its devices.
    pub fn clock(&self) -> &HandClock {
        &self.clock
    }

    /// The tenant that every test server has.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The data folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The tenant's owner, at the machine itself.
    pub fn owner(&self) -> Actor {
        Actor::local(self.tenant)
    }

    /// The published APIs, with the key of the tenant's owner.
    pub fn api(&self) -> Api {
        Api::new(self.api_url(), &self.api_key)
    }

    /// A link for one device of nobody.
    pub async fn link(&self) -> String {
        self.link_for(None, None, 1).await
    }

    /// A link for the devices of a user, or for one device.
    pub async fn link_for(&self, user: Option<&str>, device: Option<DeviceId>, uses: u32) -> String {
        let new = NewLink { user: user.map(str::to_owned), device, uses, lifetime: Duration::from_hours(24) };
        self.mdm().add_link(&self.owner(), &new).await.expect("a link")
    }

    /// Another tenant with a push certificate of its own, and a key of its owner.
    pub async fn another_tenant(&self, name: &str) -> (TenantId, String) {
        furnish_as(self.mdm(), name, &format!("{name}@example.com")).await
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the server runs")
    }
}

/// In memory, where there is such a place: no test here cuts the power, and SQLite waits for the disk at every commit.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

fn config(folder: &TempDir, apns: &PretendApns, database: Option<&TestDatabase>, options: Options) -> Config {
    let root = folder.path().join("apns-root.pem");
    let certificate =
        pki::Certificate::from_der(&apns.root_certificate_der()).expect("the root of the pretend APNs");
    std::fs::write(&root, certificate.to_pem()).expect("a file in the temporary folder");
    let usual = Settings {
        data: Some(folder.path().join("data")),
        database: database.map(|database| database.url().to_owned()),
        device_listen: Some("127.0.0.1:0".into()),
        api_listen: Some("127.0.0.1:0".into()),
        tls: Some(if options.tls { "self-signed" } else { "off" }.into()),
        allow_http_loopback: Some(true.into()),
        apns_url: Some(apns.url()),
        apns_root: Some(root),
        ..Settings::default()
    };
    Config::new(options.settings.or(usual)).expect("sound settings")
}

/// Where a server listens whose URL nobody has set.
fn address(url: &str) -> Option<SocketAddr> {
    url.split_once("://")?.1.parse().ok()
}

fn ground(clock: &HandClock) -> Ground {
    Ground { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom::default()) }
}

async fn furnish(mdm: &Mdm) -> (TenantId, String) {
    furnish_as(mdm, "Test", "owner@example.com").await
}

async fn furnish_as(mdm: &Mdm, name: &str, email: &str) -> (TenantId, String) {
    let tenant = mdm.add_tenant(name).await.expect("a tenant").id;
    mdm.add_admin(email, tenant, Role::Owner).await.expect("an administrator");
    let (_, key) = mdm.add_api_key(email).await.expect("an API key");
    let pretend = push_certificate(TOPIC).expect("a pretend push certificate");
    let certificate = pki::Certificate::from_der(&pretend.certificate).expect("a certificate");
    let private = pki::PrivateKey::from_pkcs8(pretend.key.secret_der()).expect("a key");
    let actor = Actor::local(tenant);
    mdm.import_push_certificate(&actor, &certificate.to_pem(), Some(private))
        .await
        .expect("a push certificate");
    (tenant, key)
}
