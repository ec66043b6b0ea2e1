//! The parts of the program, put together.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use domain::{
    Installation, Mdm, World,
    ports::{Clock, Random},
};
use pki::KeyRing;

use crate::{
    adapters::{Argon2, SystemClock, SystemRandom, Wakes, google},
    config::{Config, Tls},
    tls,
};

pub mod key_ring;

/// What may be put in the place of the real world; tests hold the clock in hand.
pub struct Ground {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl Default for Ground {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom::default()) }
    }
}

/// A program that is put together, and serves nothing yet.
pub struct Parts {
    /// The operations.
    pub mdm: Arc<Mdm>,
    /// The bells of its workers.
    pub wakes: Arc<Wakes>,
    /// The TLS of its listeners; `None` without.
    pub tls: Option<tls::ServerTls>,
    /// The database, to be closed at the end.
    pub database: store::Opened,
}

impl Parts {
    /// Opens the data folder, the key ring and the database, and puts the domain on top.
    ///
    /// # Errors
    /// What cannot be opened, and what to do about it.
    pub async fn open(config: &Config, ground: Ground) -> Result<Self> {
        private_folder(&config.data)?;
        private_file(&config.database)?;
        let database = store::open(&store::StoreSettings::new(&config.database)).await.map_err(told)?;
        let key_ring = ring(config, &database).await?;
        let Ground { clock, random } = ground;
        let now = clock.now();
        let installation =
            Installation::open(&*database.directory, key_ring, &*random, now).await.map_err(told)?;
        let tls = tls::ServerTls::open(config, installation.tls_ca(), now.system_time())?;
        let installation = dressed(installation, config)?;
        let wakes = Arc::new(Wakes::default());
        let world = World {
            store: database.store.clone(),
            directory: database.directory.clone(),
            road: database.road.clone(),
            outbox: database.outbox.clone(),
            wake: wakes.clone(),
            google: Arc::new(google::clients(config, clock.clone())?),
            clock,
            random,
            hashing: Arc::new(Argon2::default()),
        };
        let mdm = Arc::new(Mdm::new(world, installation, settings(config)));
        let tls = tls.map(|tls| tls.with_tickets_of(&mdm));
        Ok(Self { mdm, wakes, tls, database })
    }

    /// Replaces the TLS certificate where its time has come; whether it did.
    ///
    /// # Errors
    /// What is wrong with the files; the certificate of before is still shown.
    pub fn refresh_tls(&self, config: &Config) -> Result<bool> {
        let now = self.mdm.now().system_time();
        self.tls.as_ref().map_or(Ok(false), |tls| tls.refresh(config, self.mdm.tls_ca(), now))
    }

    /// Uses the key ring as it now is in its file; whether it is another one.
    ///
    /// # Errors
    /// Where it cannot be read, or lacks a key; the one of before is still used.
    pub fn refresh_key_ring(&self, config: &Config) -> Result<bool> {
        self.mdm.use_key_ring(key_ring::open(&config.key_ring, false)?).map_err(told)
    }

    /// Writes down what is gathered in memory and closes the database.
    ///
    /// # Errors
    /// Where the database does not take it.
    pub async fn close(self) -> Result<()> {
        self.database.close().await.map_err(told)
    }
}

/// A key ring is made with a database that has no secrets yet; later it must be the one of before.
async fn ring(config: &Config, database: &store::Opened) -> Result<KeyRing> {
    let is_new = database.directory.installation_value("device-ca").await.map_err(told)?.is_none();
    key_ring::open(&config.key_ring, is_new)
}

/// Profiles are signed by the server's own certificate where a public CA issued it; a CA of our own goes into them.
fn dressed(installation: Installation, config: &Config) -> Result<Installation> {
    match &config.tls {
        Tls::SelfSigned => Ok(installation.handing_out_the_tls_root()),
        Tls::Off => Ok(installation),
        Tls::Files { .. } => match tls::signer_from_files(&config.tls) {
            Ok(Some((chain, key))) => Ok(installation.signing_profiles_with(&chain, key)),
            Ok(None) => Ok(installation),
            Err(error) => {
                tracing::warn!(%error, "profiles are not signed with the TLS certificate");
                Ok(installation)
            }
        },
    }
}

fn settings(config: &Config) -> domain::Settings {
    domain::Settings {
        device_url: config.device_url.clone(),
        allow_http_loopback: config.allow_http_loopback,
        scep_allow_des: config.scep_allow_des,
        manage_directory_users: config.manage_directory_users,
        android_push: config.google_push,
        history: config.history,
        audit: config.audit,
        archive: config.archive,
        ..domain::Settings::default()
    }
}

fn private_folder(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("the data folder {} cannot be made", path.display()))
}

/// Makes the file of an SQLite database, for its owner only; SQLite gives the files beside it the same mode.
fn private_file(database: &str) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let Some(path) = database.strip_prefix("sqlite:") else { return Ok(()) };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with(":memory:") {
        // The store says what is wrong with these.
        return Ok(());
    }
    let made = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    made.map(drop).with_context(|| format!("the database {path} cannot be made"))
}

/// A domain error as it is told to the person at the command line: with its causes.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub fn told(error: domain::Error) -> anyhow::Error {
    anyhow!(error.chain())
}
