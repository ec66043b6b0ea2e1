//! TLS towards APNs: whom we trust, and how we prove who we are.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use tokio_rustls::TlsConnector;

use super::Credentials;

/// The compiled-in roots of Mozilla's programme and `extra` ones.
///
/// Compiled in, not the machine's: a container without `ca-certificates` can still push, every node of a cluster
/// trusts the same, and an intercepting proxy that the machine trusts cannot sit between us and Apple unless the
/// operator names its root.
pub(super) fn trusted_roots(extra: Vec<CertificateDer<'static>>) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra {
        roots.add(root)?;
    }
    Ok(roots)
}

/// Speaks HTTP/2 and nothing else, as the owner of `credentials`; fails if key and certificate do not match.
pub(super) fn connector(
    roots: &Arc<RootCertStore>,
    credentials: &Credentials<'_>,
) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = credentials.certificate_chain.iter().cloned().map(CertificateDer::into_owned).collect();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(Arc::clone(roots))
        .with_client_auth_cert(chain, credentials.key.clone_key())?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
