//! Who may connect: the service's own certificate, and the push certificates of its clients.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName as Subject, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use tokio_rustls::TlsAcceptor;

/// `0.9.2342.19200300.100.1.1`, user id: Apple writes the push topic there.
const USER_ID: &[u64] = &[0, 9, 2342, 19_200_300, 100, 1, 1];

/// A pretend push certificate with its key.
pub struct PushCertificate {
    /// The certificate, self-signed.
    pub certificate: CertificateDer<'static>,
    /// Its P-256 key, as PKCS #8.
    pub key: PrivateKeyDer<'static>,
}

/// A push certificate for `topic` like Apple's, but self-signed and valid from 1975 to 4096.
pub fn push_certificate(topic: &str) -> Result<PushCertificate, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CustomDnType(USER_ID.to_vec()), topic);
    params.distinguished_name.push(DnType::CommonName, format!("APSP:{topic}"));
    params.distinguished_name.push(DnType::CountryName, "US");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().clone();
    Ok(PushCertificate { certificate, key: pkcs8(&key) })
}

/// The service's certificate, issued by a root of its own.
pub(super) struct ServerIdentity {
    pub(super) root: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl ServerIdentity {
    /// For `address`, and for `localhost`.
    pub(super) fn new(address: IpAddr) -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name = common_name("Pretend APNs Root");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_key = KeyPair::generate()?;
        let root = authority.self_signed(&root_key)?.der().clone();

        let mut server = CertificateParams::new(vec!["localhost".to_owned()])?;
        server.distinguished_name = common_name("Pretend APNs");
        server.subject_alt_names.push(SanType::IpAddress(address));
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let leaf = server.signed_by(&key, &Issuer::new(authority, root_key))?.der().clone();
        Ok(Self { root, leaf, key: pkcs8(&key) })
    }

    /// Speaks HTTP/2 only, and only with clients that own some certificate.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let anyone = Arc::new(AnyOwner(provider.signature_verification_algorithms));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(anyone)
            .with_single_cert(vec![self.leaf.clone()], self.key.clone_key())?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// The topic that a client's certificate is for.
pub(super) fn certified_topic(certificate: &CertificateDer<'_>) -> Option<String> {
    pki::Certificate::from_der(certificate).ok()?.subject_user_id().map(str::to_owned)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

fn pkcs8(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

/// Takes a certificate of any issuer from whoever has its key; what it may push is judged for each request.
#[derive(Debug)]
struct AnyOwner(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyOwner {
    fn root_hint_subjects(&self) -> &[Subject] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
