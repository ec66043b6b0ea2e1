//! The keys of this installation: made once, sealed in the database, opened by the key ring that is not in it.

use std::sync::{Arc, PoisonError, RwLock};

use pki::{Authority, Certificate, Issued, KeyRing, PrivateKey, TlsAuthority};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Mdm, Result, Timestamp,
    lifecycle::TokenKeys,
    ports::{Directory, Random},
};

/// Who the device CA is, on certificates.
const DEVICE_CA_NAME: &str = "Remuda device CA";

/// Who the TLS CA is, on certificates.
const TLS_CA_NAME: &str = "Remuda server CA";

/// What a server needs to seal, to issue and to sign.
pub struct Installation {
    /// May be replaced while the server runs.
    key_ring: RwLock<Arc<KeyRing>>,
    device_ca: Authority,
    /// Which certificates are known to be the device CA's.
    issued: Issued,
    tls_ca: TlsAuthority,
    token_keys: TokenKeys,
    profile_signer: ProfileSigner,
    tls_root: Option<Vec<u8>>,
}

/// Who signs enrollment profiles: the server's own TLS certificate where a public CA issued it, else one of ours.
struct ProfileSigner {
    certificate: Certificate,
    chain: Vec<Certificate>,
    key: PrivateKey,
}

/// A certificate with its key, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Installation {
    /// Opens the installation's keys, or makes them at the first start.
    ///
    /// Several nodes that start at once on one database end up with the same keys.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the key ring is not the one with which they were sealed.
    pub async fn open(
        directory: &dyn Directory,
        key_ring: KeyRing,
        random: &dyn Random,
        now: Timestamp,
    ) -> Result<Self> {
        let at = now.system_time();
        let sealed = settled(directory, &key_ring, "device-ca", || {
            let ca = Authority::generate(DEVICE_CA_NAME, at).map_err(Error::internal)?;
            pair(ca.certificate(), ca.key())
        });
        let (certificate, key) = decoded(&sealed.await?)?;
        let device_ca = Authority::load(certificate, key).map_err(Error::internal)?;
        let sealed = settled(directory, &key_ring, "tls-ca", || {
            let ca = TlsAuthority::generate(TLS_CA_NAME, at).map_err(Error::internal)?;
            pair(ca.certificate(), ca.key())
        });
        let (certificate, key) = decoded(&sealed.await?)?;
        let tls_ca = TlsAuthority::load(certificate, key).map_err(Error::internal)?;
        let token_keys = TokenKeys::open(directory, &key_ring, random, now).await?;
        let (certificate, key) = tls_ca.issue_signer("Remuda enrollment", at).map_err(Error::internal)?;
        let profile_signer = ProfileSigner { certificate, chain: vec![tls_ca.certificate().clone()], key };
        let key_ring = RwLock::new(Arc::new(key_ring));
        let issued = Issued::by(device_ca.certificate().clone());
        Ok(Self { key_ring, device_ca, issued, tls_ca, token_keys, profile_signer, tls_root: None })
    }

    /// Signs profiles with the server's own TLS certificate, so that devices show them as verified.
    #[must_use]
    pub fn signing_profiles_with(mut self, chain: &[Certificate], key: PrivateKey) -> Self {
        if let Some((leaf, rest)) = chain.split_first() {
            self.profile_signer = ProfileSigner { certificate: leaf.clone(), chain: rest.to_vec(), key };
        }
        self
    }

    /// Puts the root of the server's own TLS CA into enrollment profiles.
    #[must_use]
    pub fn handing_out_the_tls_root(mut self) -> Self {
        self.tls_root = Some(self.tls_ca.certificate().der().to_vec());
        self
    }

    /// The CA of device identities; also SCEP's RA, and nothing else.
    pub fn device_ca(&self) -> &Authority {
        &self.device_ca
    }

    /// Judges identities of the device CA.
    pub(crate) fn issued(&self) -> &Issued {
        &self.issued
    }

    /// The CA of the server's own TLS certificates.
    pub fn tls_ca(&self) -> &TlsAuthority {
        &self.tls_ca
    }

    pub(crate) fn tls_root(&self) -> Option<&[u8]> {
        self.tls_root.as_deref()
    }

    pub(crate) fn token_keys(&self) -> &TokenKeys {
        &self.token_keys
    }

    /// Signs an enrollment profile: CMS, the profile inside.
    pub(crate) fn sign_profile(&self, profile: &[u8], now: Timestamp) -> Result<Vec<u8>> {
        let ProfileSigner { certificate, chain, key } = &self.profile_signer;
        let signing = pki::cms::Signing::new(certificate, key).with_chain(chain).at(now.system_time());
        signing.attached(profile).map_err(Error::internal)
    }

    /// Seals a secret for the one place that `context` names.
    pub(crate) fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>> {
        self.key_ring().seal(context, secret).map_err(Error::internal)
    }

    /// Opens what was sealed for the same place.
    pub(crate) fn open_sealed(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        self.key_ring().open(context, sealed).map(|secret| secret.to_vec()).map_err(Error::internal)
    }

    /// The key ring in use.
    pub(crate) fn key_ring(&self) -> Arc<KeyRing> {
        self.key_ring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn replace_key_ring(&self, ring: KeyRing) {
        *self.key_ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}

impl Mdm {
    /// Keeps a value of the installation, sealed, in place of any before.
    pub(crate) async fn keep_value(&self, name: &str, value: &[u8]) -> Result<()> {
        let sealed = self.installation.seal(&value_context(name), value)?;
        let mut before = match self.directory.installation_value(name).await? {
            Some(before) => before,
            None => self.directory.settle_installation_value(name, &sealed).await?,
        };
        while before != sealed && !self.directory.replace_installation_value(name, &before, &sealed).await? {
            let now = self.directory.installation_value(name).await?;
            before = now.ok_or_else(|| Error::internal("a value of the installation is gone"))?;
        }
        Ok(())
    }

    /// Such a value, opened.
    pub(crate) async fn kept_value(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let sealed = self.directory.installation_value(name).await?;
        sealed.map(|sealed| self.installation.open_sealed(&value_context(name), &sealed)).transpose()
    }
}

/// Where a value of the installation is sealed.
pub(crate) fn value_context(name: &str) -> String {
    format!("installation/{name}")
}

async fn settled(
    directory: &dyn Directory,
    key_ring: &KeyRing,
    name: &str,
    make: impl FnOnce() -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    let context = value_context(name);
    let sealed = match directory.installation_value(name).await? {
        Some(sealed) => sealed,
        None => {
            let sealed = key_ring.seal(&context, &make()?).map_err(Error::internal)?;
            directory.settle_installation_value(name, &sealed).await?
        }
    };
    let opened = key_ring.open(&context, &sealed).map_err(|error| {
        Error::Conflict(format!("the key ring does not open this database's keys ({error}): restore the key ring of the same backup"))
    })?;
    Ok(opened.to_vec())
}

fn pair(certificate: &Certificate, key: &PrivateKey) -> Result<Vec<u8>> {
    let key = key.to_pkcs8().map_err(Error::internal)?.to_vec();
    serde_json::to_vec(&Pair { certificate: certificate.der().to_vec(), key }).map_err(Error::internal)
}

fn decoded(pair: &[u8]) -> Result<(Certificate, PrivateKey)> {
    let Pair { certificate, key } = serde_json::from_slice(pair).map_err(Error::internal)?;
    let certificate = Certificate::from_der(&certificate).map_err(Error::internal)?;
    Ok((certificate, PrivateKey::from_pkcs8(&key).map_err(Error::internal)?))
}
