//! Whom a device trusts and who it is on the TLS layer; connections are shared by devices that trust the same
//! servers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use pki::Certificate;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};

use super::failure::Failure;
use super::identity::Credential;
use super::stranger::Stranger;
use super::wire::Wire;

/// Where a device takes the time of day from. It may be wrong, as those of devices are.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Opens connections for devices that have the same clock. Cloning shares them.
#[derive(Clone)]
pub struct Transport {
    clock: Clock,
    shared: Arc<Mutex<HashMap<Vec<[u8; 32]>, Wire>>>,
}

impl Transport {
    /// Certificates of servers are judged by `clock`.
    pub fn new(clock: Clock) -> Transport {
        Transport { clock, shared: Arc::default() }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The connections of all who trust exactly these roots and show no certificate.
    pub(super) fn trusting(&self, roots: &[Certificate]) -> Result<Wire, Failure> {
        let mut key: Vec<[u8; 32]> = roots.iter().map(|root| root.fingerprint().0).collect();
        key.sort_unstable();
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wire) = shared.get(&key) {
            return Ok(wire.clone());
        }
        let config = self.config()?.with_root_certificates(store(roots)?).with_no_client_auth();
        let wire = open(config)?;
        shared.insert(key, wire.clone());
        Ok(wire)
    }

    /// Connections of one device alone, which shows its certificate.
    pub(super) fn identified(&self, roots: &[Certificate], credential: &Credential) -> Result<Wire, Failure> {
        open(client_config(Arc::clone(&self.clock), roots, credential)?)
    }

    /// Connections to a server that is not trusted yet; the other half knows whom one spoke with.
    pub(super) fn to_stranger(&self) -> Result<(Wire, Arc<Stranger>), Failure> {
        let stranger = Arc::new(Stranger::new(provider()));
        let verifier: Arc<dyn ServerCertVerifier> = stranger.clone();
        let config = self.config()?.dangerous().with_custom_certificate_verifier(verifier);
        Ok((open(config.with_no_client_auth())?, stranger))
    }

    fn config(&self) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Failure> {
        builder(Arc::clone(&self.clock))
    }
}

/// The TLS of a client that trusts `roots` and shows the certificate of `credential`; it offers no protocol.
///
/// # Errors
/// Where the key or a root is of no use to the TLS library.
pub fn client_config(
    clock: Clock,
    roots: &[Certificate],
    credential: &Credential,
) -> Result<ClientConfig, Failure> {
    let chain = vec![CertificateDer::from(credential.certificate.der().to_vec())];
    let key = credential.key.to_pkcs8().map_err(unusable)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
    let config = builder(clock)?.with_root_certificates(store(roots)?);
    config.with_client_auth_cert(chain, key).map_err(unusable)
}

fn builder(clock: Clock) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Failure> {
    let builder = ClientConfig::builder_with_details(provider(), Arc::new(DeviceTime(clock)));
    builder.with_safe_default_protocol_versions().map_err(unusable)
}

pub(super) fn store(roots: &[Certificate]) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(CertificateDer::from(root.der().to_vec())).map_err(unusable)?;
    }
    Ok(store)
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn open(mut config: ClientConfig) -> Result<Wire, Failure> {
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Wire::new(config)
}

fn unusable(error: impl fmt::Display) -> Failure {
    Failure::Unreachable(format!("TLS: {error}"))
}

/// The device's clock, as rustls asks for it.
struct DeviceTime(Clock);

impl TimeProvider for DeviceTime {
    fn current_time(&self) -> Option<UnixTime> {
        (self.0)().duration_since(UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch)
    }
}

impl fmt::Debug for DeviceTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceTime")
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}
