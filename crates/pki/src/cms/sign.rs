//! Makes signed messages: profiles, SCEP messages, and the requests of pretend devices.

use std::time::SystemTime;

use super::Attribute;
use crate::asn1::{self, write};
use crate::certificate::Certificate;
use crate::keys::{self, Signer};
use crate::{Hash, Result, oid};

/// A signature in the making: SHA-256, no claimed time, and the signer's own certificate only, until told
/// otherwise.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cms::{verify_attached, verify_detached};
    use crate::fixtures::{DAY, now, p256_stranger, rsa_stranger, streamed};

    #[test]
    fn what_is_signed_is_verified() {
        for (key, certificate) in [rsa_stranger(), p256_stranger()] {
            for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
                let signing = || Signing::new(&certificate, &key).with_hash(hash).at(now());
                let signed = verify_attached(&signing().attached(b"content").unwrap()).unwrap();
                assert_eq!(signed.content, b"content");
                let signed = verify_detached(&signing().detached(b"content").unwrap(), b"content").unwrap();
                assert_eq!(
                    (&signed.signer, signed.signing_time, signed.hash),
                    (&certificate, Some(now()), hash)
                );
            }
        }
    }

    #[test]
    fn the_chain_comes_along_once() {
        let (key, certificate) = p256_stranger();
        let (_, link) = p256_stranger();
        let chain = [link.clone(), certificate.clone(), link.clone()];
        let message = Signing::new(&certificate, &key).with_chain(&chain).attached(b"x").unwrap();
        let signed = verify_attached(&message).unwrap();
        assert_eq!(signed.certificates.len(), 2);
        assert!(signed.certificates.contains(&link));
    }

    #[test]
    fn further_attributes_are_signed_too() {
        let (key, certificate) = p256_stranger();
        let attribute = Attribute::printable(oid::SCEP_TRANSACTION_ID, "id");
        let signing = Signing::new(&certificate, &key).with_attributes([attribute]).at(now() + DAY);
        let signed = verify_attached(&signing.attached(b"").unwrap()).unwrap();
        assert_eq!(signed.attributes.value(oid::SCEP_TRANSACTION_ID), Ok(Some(&[0x13u8, 2, b'i', b'd'][..])));
        assert_eq!(signed.signing_time, Some(now() + DAY));
    }

    #[test]
    fn a_streamed_message_is_the_same_message() {
        let (key, certificate) = rsa_stranger();
        let message = Signing::new(&certificate, &key).at(now()).attached(&[7; 5000]).unwrap();
        let streamed = streamed(&message);
        assert_ne!(streamed, message);
        assert_eq!(crate::ber::to_der(&streamed).unwrap(), message);
        assert_eq!(verify_attached(&streamed).unwrap().content, [7; 5000]);
    }
}
