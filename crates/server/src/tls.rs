//! TLS: whose certificate the listeners show, and what they ask of devices.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use domain::Mdm;
use pki::{Certificate, PrivateKey, TlsAuthority};
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::ResolvesServerCert,
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};

use crate::config::{Config, Tls};
use tickets::Tickets;

mod possession;
mod resolver;
mod tickets;

pub use resolver::Shown;

/// How long before its end our own certificate is renewed.
const RENEW_BEFORE: Duration = Duration::from_hours(30 * 24);

/// What the TLS of a server needs: the certificate that is shown, which may be replaced while it runs.
pub struct ServerTls {
    shown: Arc<Shown>,
    names: Vec<String>,
    tickets: Option<Arc<Mdm>>,
}

impl ServerTls {
    /// Makes or reads the certificate; `None` without TLS.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn open(
        config: &Config,
        authority: &TlsAuthority,
        now: std::time::SystemTime,
    ) -> Result<Option<Self>> {
        let names = names(config);
        let certified = match &config.tls {
            Tls::Off => return Ok(None),
            Tls::SelfSigned => made(authority, &names, now)?,
            Tls::Files { .. } => from_files(&config.tls)?,
        };
        Ok(Some(Self { shown: Arc::new(Shown::new(certified)), names, tickets: None }))
    }

    /// The same with tickets by which sessions are resumed at any node, under keys that `mdm` derives.
    #[must_use]
    pub fn with_tickets_of(self, mdm: &Arc<Mdm>) -> Self {
        Self { tickets: Some(mdm.clone()), ..self }
    }

    /// For the device listener: asks for a client certificate and only makes sure that the device has its key. Chain, dates and
    /// enrollment are judged later, since an expired identity must still be able to fetch its renewal.
    ///
    /// # Errors
    /// None that depends on what is configured.
    pub fn for_devices(&self) -> Result<Arc<ServerConfig>> {
        let provider = provider();
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let verifier = Arc::new(possession::Possession::new(&provider));
        Ok(self.finished(builder.with_client_cert_verifier(verifier), "devices"))
    }

    /// For the API listener: no client certificates.
    ///
    /// # Errors
    /// None that depends on what is configured.
    pub fn for_people(&self) -> Result<Arc<ServerConfig>> {
        let builder =
            ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        Ok(self.finished(builder.with_no_client_auth(), "people"))
    }

    fn finished(
        &self,
        builder: rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>,
        listener: &'static str,
    ) -> Arc<ServerConfig> {
        let resolver: Arc<dyn ResolvesServerCert> = self.shown.clone();
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if let Some(mdm) = &self.tickets {
            config.ticketer = Arc::new(Tickets::new(mdm.clone(), listener));
        }
        Arc::new(config)
    }

    /// Whether the certificate is one that others may trust, as far as can be told: from files, and not signed by its own key.
    pub fn may_be_trusted(&self, config: &Config) -> bool {
        let leaf = Certificate::from_der(&self.shown.leaf());
        matches!(config.tls, Tls::Files { .. }) && leaf.is_ok_and(|leaf| !leaf.is_issued_by(&leaf))
    }

    /// Replaces the certificate where its time has come: files that have changed, or one of ours that will end.
    ///
    /// # Errors
    /// What is wrong with the files; the certificate of before is still shown.
    pub fn refresh(
        &self,
        config: &Config,
        authority: &TlsAuthority,
        now: std::time::SystemTime,
    ) -> Result<bool> {
        let fresh = match &config.tls {
            Tls::Off => return Ok(false),
            Tls::Files { .. } => from_files(&config.tls)?,
            Tls::SelfSigned => {
                let leaf = Certificate::from_der(&self.shown.leaf())?;
                if leaf.not_after() > now + RENEW_BEFORE {
                    return Ok(false);
                }
                made(authority, &self.names, now)?
            }
        };
        Ok(self.shown.replace(fresh))
    }
}

/// The only provider of cryptography in this program; never the process-wide default, which a library may change.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Certificate, chain and key of `--tls files`, for signing profiles with them.
///
/// # Errors
/// What is wrong with the files; a key of a kind that cannot sign profiles.
pub fn signer_from_files(config: &Tls) -> Result<Option<(Vec<Certificate>, PrivateKey)>> {
    let Tls::Files { certificate, key } = config else { return Ok(None) };
    let chain = std::fs::read_to_string(certificate).with_context(|| certificate.display().to_string())?;
    let key = std::fs::read_to_string(key).with_context(|| key.display().to_string())?;
    Ok(Some((Certificate::all_from_pem(&chain)?, PrivateKey::from_pem(&key)?)))
}

fn from_files(config: &Tls) -> Result<CertifiedKey> {
    let Tls::Files { certificate, key } = config else { bail!("TLS does not come from files") };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("--tls-cert {}", certificate.display()))?;
    if chain.is_empty() {
        bail!("--tls-cert {}: there is no certificate in it", certificate.display());
    }
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("--tls-key {}", key.display()))?;
    certified(chain, key)
}

fn made(authority: &TlsAuthority, names: &[String], now: std::time::SystemTime) -> Result<CertifiedKey> {
    let (leaf, key) = authority.issue_server(names, now)?;
    let chain =
        [&leaf, authority.certificate()].map(|certificate| CertificateDer::from(certificate.der().to_vec()));
    let key = PrivatePkcs8KeyDer::from(key.to_pkcs8()?.to_vec());
    certified(chain.to_vec(), key.into())
}

fn certified(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<CertifiedKey> {
    let certified =
        CertifiedKey::from_der(chain, key, &provider()).context("the TLS certificate and its key")?;
    Ok(certified)
}

/// Every name under which this server may be reached.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend([&config.device_url, &config.api_url].into_iter().flatten().filter_map(|url| host(url)));
    for address in [config.device_listen, config.api_listen] {
        if !address.ip().is_unspecified() {
            names.push(address.ip().to_string());
        }
    }
    names.sort();
    names.dedup();
    names
}

fn host(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1.split('/').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_what_the_certificate_names() {
        assert_eq!(host("https://mdm.example.com:8443/x").as_deref(), Some("mdm.example.com"));
        assert_eq!(host("https://[2001:db8::1]:443").as_deref(), Some("2001:db8::1"));
        assert_eq!(host("https://mdm.example.com").as_deref(), Some("mdm.example.com"));
    }
}
