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
    /// All certificates of the message that could be read (at most [`super::MAX_CERTIFICATES`]), the signer's included.
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

    /// Content other than plain data needs attributes. Content that is itself a set of attributes could be the signed
    /// part of quite another message, shown as if it had been the content.
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
