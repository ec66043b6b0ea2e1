//! Makes signed messages: profiles, SCEP messages, and the requests of pretend devices.

use std::time::SystemTime;

use super::Attribute;
use crate::asn1::{self, write};
use crate::certificate::Certificate;
use crate::keys::{self, Signer};
use crate::{Hash, Result, oid};

/// A signature in the making: SHA-256, no claimed time, and the signer's own certificate only, until told otherwise.
pub struct Signing<'a> {
    signer: &'a Certificate,
    key: &'a dyn Signer,
    chain: &'a [Certificate],
    hash: Hash,
    signing_time: Option<SystemTime>,
    attributes: Vec<Attribute>,
}

impl<'a> Signing<'a> {
    /// Signs as the owner of a certificate, whose private half `key` must be.
    pub fn new(signer: &'a Certificate, key: &'a dyn Signer) -> Self {
        Signing { signer, key, chain: &[], hash: Hash::Sha256, signing_time: None, attributes: Vec::new() }
    }

    /// Puts further certificates into the message, beside the signer's own.
    #[must_use]
    pub fn with_chain(mut self, chain: &'a [Certificate]) -> Self {
        self.chain = chain;
        self
    }

    /// Uses this digest.
    #[must_use]
    pub fn with_hash(mut self, hash: Hash) -> Self {
        self.hash = hash;
        self
    }

    /// Says when it was signed.
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Self {
        self.signing_time = Some(time);
        self
    }

    /// Signs this too.
    #[must_use]
    pub fn with_attributes(mut self, attributes: impl IntoIterator<Item = Attribute>) -> Self {
        self.attributes.extend(attributes);
        self
    }

    /// A message that carries its content, in DER.
    ///
    /// # Errors
    /// [`crate::Error::Unsupported`] where the key cannot sign with the digest.
    pub fn attached(self, content: &[u8]) -> Result<Vec<u8>> {
        let inside = write::wrap(asn1::constructed(0), &[&write::octets(content)]);
        self.message(content, &inside)
    }

    /// A signature without the content, in DER.
    ///
    /// # Errors
    /// As [`Signing::attached`].
    pub fn detached(self, content: &[u8]) -> Result<Vec<u8>> {
        self.message(content, &[])
    }

    fn message(self, content: &[u8], attached: &[u8]) -> Result<Vec<u8>> {
        let mut certificates: Vec<_> = self.chain.iter().map(|link| link.der().to_vec()).collect();
        certificates.push(self.signer.der().to_vec());
        certificates.sort();
        certificates.dedup();
        let signed_data = write::sequence(&[
            &write::unsigned(&[1]),
            &write::set(vec![self.hash.to_der()]),
            &write::sequence(&[&write::oid(&oid::DATA), attached]),
            &write::sorted(asn1::constructed(0), certificates),
            &write::set(vec![self.signer_info(content)?]),
        ]);
        Ok(super::content_info(&oid::SIGNED_DATA, &signed_data))
    }

    fn signer_info(&self, content: &[u8]) -> Result<Vec<u8>> {
        let mut attributes = self.signed_attributes(content)?;
        let signature = self.key.sign(self.hash, &attributes)?;
        attributes[0] = asn1::constructed(0);
        Ok(write::sequence(&[
            &write::unsigned(&[1]),
            &super::issuer_and_serial(self.signer),
            &self.hash.to_der(),
            &attributes,
            &keys::signature_algorithm(self.key.kind(), self.hash),
            &write::octets(&signature),
        ]))
    }

    /// The SET that is signed; in the message its tag is `[0]` (RFC 5652, 5.4).
    fn signed_attributes(&self, content: &[u8]) -> Result<Vec<u8>> {
        let mut attributes = vec![
            Attribute::new(oid::CONTENT_TYPE, write::oid(&oid::DATA)).to_der(),
            Attribute::octets(oid::MESSAGE_DIGEST, self.hash.digest(content).as_ref()).to_der(),
        ];
        if let Some(time) = self.signing_time {
            attributes.push(Attribute::new(oid::SIGNING_TIME, asn1::time::to_der(time)?).to_der());
        }
        attributes.extend(self.attributes.iter().map(Attribute::to_der));
        Ok(write::set(attributes))
    }
}
