//! How a device proves who it is: with its certificate and key, by one of three ways.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::cms::Signing;
use pki::{Certificate, Hash, PrivateKey};

use super::failure::Failure;
use super::wire::{Request, escaped};

/// Apple's header for the detached signature over the exact body.
pub const SIGNATURE_HEADER: &str = "Mdm-Signature";

/// The way by which a device proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The `Mdm-Signature` header, made with this digest. The cryptographic library makes no RSA signatures
    /// with SHA-1, so that one needs a P-256 key.
    Signature(Hash),
    /// A TLS client certificate: each device has connections of its own.
    TlsClientCertificate,
    /// As if behind a proxy that ends TLS: the certificate in a header.
    Header {
        /// The header's name: `Client-Cert`, or what the server was told.
        name: String,
        /// How the certificate is written.
        form: HeaderForm,
    },
}

/// How a proxy writes a certificate into a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderForm {
    /// RFC 9440: the DER in base64 between colons.
    Rfc9440,
    /// PEM, percent-encoded, as nginx does.
    EscapedPem,
}

/// A certificate and its key. Cloning shares both; `Debug` shows no key.
#[derive(Clone)]
pub struct Credential {
    /// Who it is.
    pub certificate: Certificate,
    /// Its private half.
    pub key: Arc<PrivateKey>,
}

impl Credential {
    /// The value of an `Mdm-Signature` header over `body`, said to be made at `time`.
    ///
    /// # Errors
    /// [`Failure::Impossible`] for a digest that the key cannot sign with.
    pub fn signature(&self, body: &[u8], hash: Hash, time: SystemTime) -> Result<String, Failure> {
        let signing = Signing::new(&self.certificate, self.key.as_ref()).with_hash(hash).at(time);
        let message = signing.detached(body).map_err(|error| Failure::Impossible(error.to_string()))?;
        Ok(STANDARD.encode(message))
    }
}

impl Identity {
    /// Adds the header by which `credential` shows itself, if it does so by a header.
    pub(super) fn apply(
        &self,
        request: Request,
        credential: &Credential,
        signed_body: Option<&[u8]>,
        time: SystemTime,
    ) -> Result<Request, Failure> {
        match self {
            Identity::Signature(hash) => {
                let signature = credential.signature(signed_body.unwrap_or(&request.body), *hash, time)?;
                Ok(request.header(SIGNATURE_HEADER, signature))
            }
            Identity::TlsClientCertificate => Ok(request),
            Identity::Header { name, form } => Ok(request.header(name, form.write(&credential.certificate))),
        }
    }
}

impl HeaderForm {
    /// The header's value.
    pub fn write(self, certificate: &Certificate) -> String {
        match self {
            HeaderForm::Rfc9440 => format!(":{}:", STANDARD.encode(certificate.der())),
            HeaderForm::EscapedPem => escaped(certificate.to_pem().as_bytes()),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?})", self.certificate)
    }
}
