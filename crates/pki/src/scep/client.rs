//! The device's side of SCEP, as strict as a real device: for pretend devices and tests.

use std::time::SystemTime;

use super::{FailInfo, Kind, message_type, pki_status};
use crate::certificate::Certificate;
use crate::cms::envelope::{self, Cipher};
use crate::cms::{self, Attribute, Signed, Signing};
use crate::csr::Csr;
use crate::extensions::{self, write as extension};
use crate::keys::{PrivateKey, Signer};
use crate::name::Name;
use crate::template::{self, Template};
use crate::{Error, Hash, Result, oid, random};

/// One question and its answer.
#[derive(Debug, Clone)]
pub struct Exchange<'a> {
    /// The CA's certificate, from `GetCACert`, its fingerprint already compared.
    pub ca: &'a Certificate,
    /// Who asks: a [`self_signed`] certificate, or for a renewal the old one.
    pub signer: &'a Certificate,
    /// Printable, at most 255 characters; the same for a request that is sent again.
    pub transaction_id: &'a str,
    /// Fresh for each request.
    pub nonce: [u8; 16],
}

/// Which algorithms a client uses: today's, or those of long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientOptions {
    /// How the request is encrypted.
    pub cipher: Cipher,
    /// How it is signed.
    pub digest: Hash,
}

impl Default for ClientOptions {
    /// AES-256 and SHA-256.
    fn default() -> Self {
        ClientOptions { cipher: Cipher::Aes256, digest: Hash::Sha256 }
    }
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The CA says no.
    #[error("the CA refuses: {0:?}")]
    Refused(FailInfo),
    /// The CA says later.
    #[error("the CA wants to be asked again later")]
    Pending,
    /// The answer is not one that a device accepts.
    #[error("the answer is wrong: {0}")]
    Invalid(#[from] Error),
}

impl Exchange<'_> {
    /// Asks for what `csr` says, signed with `key`, which is the signer's.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a digest that `key` cannot sign with, or a CA whose key is not RSA.
    pub fn request(
        &self,
        kind: Kind,
        csr: &Csr,
        key: &dyn Signer,
        options: ClientOptions,
    ) -> Result<Vec<u8>> {
        let message_type = match kind {
            Kind::PkcsReq => message_type::PKCS_REQ,
            Kind::RenewalReq => message_type::RENEWAL_REQ,
        };
        self.message(message_type, csr.der(), key, options)
    }

    /// A message of any type about any content: for tests of what a server refuses.
    ///
    /// # Errors
    /// As [`Exchange::request`].
    pub fn message(
        &self,
        message_type: u8,
        content: &[u8],
        key: &dyn Signer,
        options: ClientOptions,
    ) -> Result<Vec<u8>> {
        let sealed = envelope::seal(content, self.ca, options.cipher)?;
        Signing::new(self.signer, key)
            .with_hash(options.digest)
            .with_attributes([
                Attribute::printable(oid::SCEP_MESSAGE_TYPE, &message_type.to_string()),
                Attribute::printable(oid::SCEP_TRANSACTION_ID, self.transaction_id),
                Attribute::octets(oid::SCEP_SENDER_NONCE, &self.nonce),
            ])
            .attached(&sealed)
    }

    /// Opens the answer with the signer's `key`: it must come from the CA, belong to this exchange, and hold
    /// a certificate of the CA for the key that `csr` is about.
    ///
    /// # Errors
    /// A [`Failure`]; everything that is not exactly as it should be is [`Failure::Invalid`].
    pub fn open_reply(&self, reply: &[u8], csr: &Csr, key: &PrivateKey) -> Result<Certificate, Failure> {
        let signed = cms::verify_attached(reply)?;
        self.check_reply(&signed)?;
        let (status, _) = super::text(&signed.attributes, oid::SCEP_PKI_STATUS)?;
        match status.as_str() {
            pki_status::SUCCESS => Ok(self.certificate(&signed.content, csr, key)?),
            pki_status::FAILURE => {
                let (code, _) = super::text(&signed.attributes, oid::SCEP_FAIL_INFO)?;
                Err(Failure::Refused(FailInfo::from_code(&code)?))
            }
            pki_status::PENDING => Err(Failure::Pending),
            _ => Err(Failure::Invalid(Error::Malformed("SCEP status"))),
        }
    }

    fn check_reply(&self, signed: &Signed) -> Result<()> {
        let attributes = &signed.attributes;
        if signed.signer != *self.ca {
            return Err(Error::Refused("the answer is not signed by the CA"));
        }
        if super::message_type(attributes)? != message_type::CERT_REP {
            return Err(Error::Refused("the answer is of another message type"));
        }
        if super::text(attributes, oid::SCEP_TRANSACTION_ID)?.0 != self.transaction_id {
            return Err(Error::Refused("the answer belongs to another transaction"));
        }
        if super::nonce(attributes, oid::SCEP_RECIPIENT_NONCE)? != self.nonce {
            return Err(Error::Refused("the answer has another nonce"));
        }
        super::nonce(attributes, oid::SCEP_SENDER_NONCE)?;
        Ok(())
    }

    fn certificate(&self, content: &[u8], csr: &Csr, key: &PrivateKey) -> Result<Certificate> {
        let opened = envelope::open(content, key, self.signer, true)?;
        let certificates = cms::certificates(&opened.content)?;
        let mine = certificates.into_iter().find(|certificate| certificate.public_key_spki() == csr.spki());
        let mine =
            mine.ok_or(Error::Refused("the answer has no certificate for the key that was asked about"))?;
        if mine.is_issued_by(self.ca) {
            Ok(mine)
        } else {
            Err(Error::Refused("the certificate is not the CA's"))
        }
    }
}

/// A certificate that only answers for itself, to sign a first request with (RFC 8894, 2.3). Valid for a
/// week.
///
/// # Errors
/// [`Error::Crypto`] where the library fails.
pub fn self_signed(key: &dyn Signer, common_name: &str, now: SystemTime) -> Result<Certificate> {
    let (not_before, not_after) = template::validity(now, 7)?;
    let usage = extensions::DIGITAL_SIGNATURE | extensions::KEY_ENCIPHERMENT;
    Template {
        serial: random::serial()?,
        subject: &Name::new(&template::clipped(common_name)),
        not_before,
        not_after,
        spki: key.public_spki(),
        extensions: vec![extension::leaf_constraints(), extension::key_usage(usage)],
    }
    .self_sign(key)
}
