//! Who signed a message, and what.

use std::time::SystemTime;

use super::Attributes;
use crate::asn1::{self, Element, ObjectIdentifier, Reader};
use crate::certificate::Certificate;
use crate::public_key::{SignatureAlgorithm, Strength};
use crate::{Error, Hash, Result, ber, oid};

const SIGNED_ATTRIBUTES: u8 = asn1::constructed(0);

/// A message whose signature fits its signer's key.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The certificate whose key signed. It is not yet believed: see [`crate::chain::judge`].
    pub signer: Certificate,
    /// What was signed; for a detached signature the content that the caller brought.
    pub content: Vec<u8>,
    /// What the signer says beside the content.
    pub attributes: Attributes,
    /// When the signer claims to have signed.
    pub signing_time: Option<SystemTime>,
    /// All certificates of the message that could be read (at most [`super::MAX_CERTIFICATES`]), the signer's
    /// included.
    pub certificates: Vec<Certificate>,
    /// The digest that was signed with.
    pub hash: Hash,
}

/// Verifies a signature that came apart from its content, such as Apple's `Mdm-Signature`.
///
/// A copy of the content in the message, which some clients send, is not looked at.
///
/// # Errors
/// [`Error::Malformed`] or [`Error::Unsupported`] for what cannot be read or has not exactly one signer,
/// [`Error::Signature`] for what does not fit.
pub fn verify_detached(message: &[u8], content: &[u8]) -> Result<Signed> {
    let message = ber::to_der(message)?;
    Parsed::read(&message)?.verify(content)
}

/// Verifies a message that carries its content.
///
/// # Errors
/// As [`verify_detached`].
pub fn verify_attached(message: &[u8]) -> Result<Signed> {
    let message = ber::to_der(message)?;
    let parsed = Parsed::read(&message)?;
    let content = parsed.content.ok_or(Error::Malformed("message: it has no content"))?;
    parsed.verify(content)
}

/// The parts of a SignedData with one signer, all within the received bytes.
struct Parsed<'a> {
    content_type: ObjectIdentifier,
    content: Option<&'a [u8]>,
    certificates: Vec<Certificate>,
    signer: SignerInfo<'a>,
}

struct SignerInfo<'a> {
    identifier: Element<'a>,
    hash: Hash,
    attributes: Option<Element<'a>>,
    algorithm: SignatureAlgorithm,
    signature: &'a [u8],
}

impl<'a> Parsed<'a> {
    fn read(message: &'a [u8]) -> Result<Self> {
        let mut fields = super::content(message, oid::SIGNED_DATA)?.children();
        fields.take(asn1::INTEGER)?;
        fields.take(asn1::SET)?;
        let (content_type, content) = read_content(fields.enter(asn1::SEQUENCE)?)?;
        let certificates = super::read_certificates(fields.optional(asn1::constructed(0))?);
        fields.optional(asn1::constructed(1))?;
        let mut signers = fields.enter(asn1::SET)?;
        fields.finish()?;
        let signer = SignerInfo::read(signers.enter(asn1::SEQUENCE)?)?;
        signers.finish().map_err(|_| Error::Unsupported("message with several signers"))?;
        Ok(Parsed { content_type, content, certificates, signer })
    }

    fn verify(self, content: &[u8]) -> Result<Signed> {
        let info = &self.signer;
        let signer = self.certificates.iter().find(|certificate| super::names(info.identifier, certificate));
        let signer =
            signer.ok_or(Error::Malformed("message: the signer's certificate is not in it"))?.clone();
        let attributes = self.check_signature(&signer, content)?;
        let signing_time =
            attributes.element(oid::SIGNING_TIME)?.and_then(|time| asn1::time::read(time).ok());
        Ok(Signed {
            signer,
            content: content.to_vec(),
            attributes,
            signing_time,
            hash: info.hash,
            certificates: self.certificates,
        })
    }

    fn check_signature(&self, signer: &Certificate, content: &[u8]) -> Result<Attributes> {
        let SignerInfo { hash, algorithm, signature, .. } = self.signer;
        let key = signer.public_key()?;
        let Some(received) = self.signer.attributes else {
            self.check_no_attributes(content)?;
            key.verify((algorithm, hash), Strength::Legacy, content, signature)?;
            return Ok(Attributes::default());
        };
        let attributes = Attributes::read(received)?;
        self.check_attributes(&attributes, content)?;
        // Signed is the SET as it was sent, sorted or not, under its universal tag (RFC 5652, 5.4).
        let mut signed = received.raw.to_vec();
        signed[0] = asn1::SET;
        key.verify((algorithm, hash), Strength::Legacy, &signed, signature)?;
        Ok(attributes)
    }

    /// Content other than plain data needs attributes. Content that is itself a set of attributes could be
    /// the signed part of quite another message, shown as if it had been the content.
    fn check_no_attributes(&self, content: &[u8]) -> Result<()> {
        let could_be_attributes = asn1::only(content, asn1::SET).is_ok();
        if self.content_type != oid::DATA || could_be_attributes { Err(Error::Signature) } else { Ok(()) }
    }

    fn check_attributes(&self, attributes: &Attributes, content: &[u8]) -> Result<()> {
        let content_type =
            attributes.element(oid::CONTENT_TYPE)?.ok_or(Error::Signature)?.object_identifier()?;
        let digest = attributes.element(oid::MESSAGE_DIGEST)?.ok_or(Error::Signature)?;
        let fits = content_type == self.content_type
            && digest.tag == asn1::OCTET_STRING
            && digest.value == self.signer.hash.digest(content).as_ref();
        if fits { Ok(()) } else { Err(Error::Signature) }
    }
}

impl<'a> SignerInfo<'a> {
    fn read(mut fields: Reader<'a>) -> Result<Self> {
        fields.take(asn1::INTEGER)?;
        let identifier = fields.any()?;
        let hash = Hash::from_oid(&fields.enter(asn1::SEQUENCE)?.object_identifier()?)?;
        let attributes = fields.optional(SIGNED_ATTRIBUTES)?;
        let algorithm = SignatureAlgorithm::read(fields.take(asn1::SEQUENCE)?)?;
        let signature = fields.take(asn1::OCTET_STRING)?.value;
        fields.optional(asn1::constructed(1))?;
        fields.finish()?;
        if algorithm.hash.is_some_and(|named| named != hash) {
            return Err(Error::Malformed("message: it names two digests"));
        }
        Ok(SignerInfo { identifier, hash, attributes, algorithm, signature })
    }
}

/// `EncapsulatedContentInfo`: the type of the content, and the content where it is attached.
fn read_content(mut info: Reader<'_>) -> Result<(ObjectIdentifier, Option<&[u8]>)> {
    let content_type = info.object_identifier()?;
    let content = match info.optional(asn1::constructed(0))? {
        Some(explicit) => Some(asn1::only(explicit.value, asn1::OCTET_STRING)?.value),
        None => None,
    };
    info.finish()?;
    Ok((content_type, content))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::asn1::write;
    use crate::cms::{Attribute, Signing, content_info, issuer_and_serial};
    use crate::fixtures::{change, changes, flipped, now, p256_stranger, truncated};
    use crate::keys::{self, PrivateKey, Signer};

    const CONTENT: &[u8] = b"<plist/>";

    fn message(key: &PrivateKey, certificate: &Certificate) -> Vec<u8> {
        Signing::new(certificate, key).at(now()).attached(CONTENT).unwrap()
    }

    /// A SignedData with these signers' infos, whatever they are.
    fn around(certificate: &Certificate, content_type: ObjectIdentifier, infos: Vec<Vec<u8>>) -> Vec<u8> {
        let content = write::wrap(asn1::constructed(0), &[&write::octets(CONTENT)]);
        let signed_data = write::sequence(&[
            &write::unsigned(&[1]),
            &write::set(vec![]),
            &write::sequence(&[&write::oid(&content_type), &content]),
            &write::wrap(asn1::constructed(0), &[certificate.der()]),
            &write::set(infos),
        ]);
        content_info(&oid::SIGNED_DATA, &signed_data)
    }

    /// A signer's info whose attributes stand there, and are signed, exactly as they are given.
    fn info(key: &PrivateKey, certificate: &Certificate, attributes: Option<&[Vec<u8>]>) -> Vec<u8> {
        let (signed, sent) = match attributes {
            Some(list) => {
                let list = list.concat();
                (write::element(asn1::SET, &list), write::element(SIGNED_ATTRIBUTES, &list))
            }
            None => (CONTENT.to_vec(), Vec::new()),
        };
        write::sequence(&[
            &write::unsigned(&[1]),
            &issuer_and_serial(certificate),
            &Hash::Sha256.to_der(),
            &sent,
            &keys::signature_algorithm(key.kind(), Hash::Sha256),
            &write::octets(&key.sign(Hash::Sha256, &signed).unwrap()),
        ])
    }

    fn attributes(content_type: ObjectIdentifier, content: &[u8]) -> Vec<Vec<u8>> {
        vec![
            Attribute::octets(oid::MESSAGE_DIGEST, Hash::Sha256.digest(content).as_ref()).to_der(),
            Attribute::new(oid::CONTENT_TYPE, write::oid(&content_type)).to_der(),
        ]
    }

    #[test]
    fn unsorted_attributes_are_verified_as_they_were_sent() {
        let (key, certificate) = p256_stranger();
        let mut list = attributes(oid::DATA, CONTENT);
        for _ in 0..2 {
            let message = around(&certificate, oid::DATA, vec![info(&key, &certificate, Some(&list))]);
            assert_eq!(verify_attached(&message).unwrap().content, CONTENT);
            list.reverse();
        }
    }

    #[test]
    fn attributes_must_tell_of_this_content() {
        let (key, certificate) = p256_stranger();
        for list in [
            attributes(oid::DATA, b"other"),
            attributes(oid::SIGNED_DATA, CONTENT),
            attributes(oid::DATA, CONTENT)[..1].to_vec(),
            attributes(oid::DATA, CONTENT)[1..].to_vec(),
            vec![],
        ] {
            let message = around(&certificate, oid::DATA, vec![info(&key, &certificate, Some(&list))]);
            assert_eq!(verify_attached(&message).unwrap_err(), Error::Signature);
        }
    }

    #[test]
    fn plain_data_needs_no_attributes_and_other_content_does() {
        let (key, certificate) = p256_stranger();
        let signer = vec![info(&key, &certificate, None)];
        let signed = verify_attached(&around(&certificate, oid::DATA, signer.clone())).unwrap();
        assert_eq!((signed.attributes, signed.signing_time), (Attributes::default(), None));
        let other = around(&certificate, oid::SIGNED_DATA, signer);
        assert_eq!(verify_attached(&other).unwrap_err(), Error::Signature);
    }

    #[test]
    fn signed_attributes_are_not_taken_for_content() {
        let (key, certificate) = p256_stranger();
        let content = write::set(attributes(oid::DATA, CONTENT));
        let signature = key.sign(Hash::Sha256, &content).unwrap();
        let info = write::sequence(&[
            &write::unsigned(&[1]),
            &issuer_and_serial(&certificate),
            &Hash::Sha256.to_der(),
            &keys::signature_algorithm(key.kind(), Hash::Sha256),
            &write::octets(&signature),
        ]);
        let message = around(&certificate, oid::DATA, vec![info]);
        assert_eq!(verify_detached(&message, &content).unwrap_err(), Error::Signature);
    }

    #[test]
    fn exactly_one_signer_is_wanted() {
        let (key, certificate) = p256_stranger();
        let one = info(&key, &certificate, Some(&attributes(oid::DATA, CONTENT)));
        for infos in [vec![], vec![one.clone(), one.clone()]] {
            assert!(verify_attached(&around(&certificate, oid::DATA, infos)).is_err());
        }
        assert!(verify_attached(&around(&certificate, oid::DATA, vec![one])).is_ok());
    }

    #[test]
    fn the_signer_must_be_in_the_message() {
        let ((key, certificate), (_, other)) = (p256_stranger(), p256_stranger());
        let signer = info(&key, &certificate, Some(&attributes(oid::DATA, CONTENT)));
        assert!(verify_attached(&around(&other, oid::DATA, vec![signer])).is_err());
    }

    #[test]
    fn another_body_is_refused() {
        let (key, certificate) = p256_stranger();
        let detached = Signing::new(&certificate, &key).detached(CONTENT).unwrap();
        assert!(verify_detached(&detached, CONTENT).is_ok());
        assert_eq!(verify_detached(&detached, b"<plist />").unwrap_err(), Error::Signature);
        assert!(verify_attached(&detached).is_err());
    }

    #[test]
    fn a_copy_of_the_content_is_not_looked_at() {
        let (key, certificate) = p256_stranger();
        let attached = message(&key, &certificate);
        assert_eq!(verify_detached(&attached, CONTENT).unwrap().content, CONTENT);
        assert_eq!(verify_detached(&attached, b"other").unwrap_err(), Error::Signature);
    }

    /// Not every byte is signed (versions, the list of digests, further certificates), but who signed what
    /// never changes.
    #[test]
    fn no_flipped_byte_changes_who_signed_what() {
        let (key, certificate) = p256_stranger();
        let attached = message(&key, &certificate);
        for changed in flipped(&attached) {
            if let Ok(signed) = verify_attached(&changed) {
                assert_eq!((signed.content.as_slice(), signed.signing_time), (CONTENT, Some(now())));
                assert_eq!(signed.signer.public_key_spki(), certificate.public_key_spki());
            }
        }
        assert!(truncated(&attached).all(|cut| verify_attached(cut).is_err()));
    }

    #[test]
    fn bombs_are_refused() {
        for bomb in [
            [0x30, 0x80].repeat(500_000),
            [0x24, 0x80].repeat(500_000),
            [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff].repeat(100_000),
            vec![0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert!(verify_attached(&bomb).is_err());
            assert!(verify_detached(&bomb, CONTENT).is_err());
        }
    }

    #[test]
    fn a_message_full_of_certificates_is_bounded() {
        let (_, certificate) = p256_stranger();
        let set = write::element(asn1::constructed(0), &certificate.der().repeat(30));
        let read = crate::cms::read_certificates(Some(asn1::only(&set, asn1::constructed(0)).unwrap()));
        assert_eq!(read.len(), crate::cms::MAX_CERTIFICATES);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(verify_attached(&bytes).is_err());
            prop_assert!(verify_detached(&bytes, CONTENT).is_err());
        }

        #[test]
        fn changed_messages_never_panic(changes in changes()) {
            let (key, certificate) = p256_stranger();
            let mut message = message(&key, &certificate);
            change(&mut message, changes);
            let _ = (verify_attached(&message), verify_detached(&message, CONTENT));
        }
    }
}
