//! Cryptographic messages (CMS, RFC 5652): signed, and sealed for somebody.
//!
//! [`verify_detached`] and [`verify_attached`] tell who signed, [`Signing`] signs, [`envelope`] seals and
//! opens. All of them read BER as well as DER. A verified signature proves only that its maker holds the key
//! of the certificate in the message: whether that certificate may be believed is asked of [`crate::chain`].

mod attributes;
pub mod envelope;
mod sign;
mod verify;

use crate::asn1::{self, Element, ObjectIdentifier, write};
use crate::certificate::Certificate;
use crate::{Error, Result, oid};

pub use attributes::{Attribute, Attributes};
pub use sign::Signing;
pub use verify::{Signed, verify_attached, verify_detached};

/// How many certificates of one message are looked at.
pub const MAX_CERTIFICATES: usize = 16;

/// The certificates of a message that carries nothing else: a "degenerate" SignedData, as SCEP answers with.
///
/// # Errors
/// [`Error::Malformed`] where `message` is no SignedData.
pub fn certificates(message: &[u8]) -> Result<Vec<Certificate>> {
    let message = crate::ber::to_der(message)?;
    let mut fields = content(&message, oid::SIGNED_DATA)?.children();
    fields.take(asn1::INTEGER)?;
    fields.take(asn1::SET)?;
    fields.take(asn1::SEQUENCE)?;
    Ok(read_certificates(fields.optional(asn1::constructed(0))?))
}

/// A message that carries nothing but these certificates.
pub fn certificates_only(certificates: &[Certificate]) -> Vec<u8> {
    let certificates = certificates.iter().map(|certificate| certificate.der().to_vec()).collect();
    let signed_data = write::sequence(&[
        &write::unsigned(&[1]),
        &write::set(vec![]),
        &write::sequence(&[&write::oid(&oid::DATA)]),
        &write::sorted(asn1::constructed(0), certificates),
        &write::set(vec![]),
    ]);
    content_info(&oid::SIGNED_DATA, &signed_data)
}

/// What `ContentInfo` holds, which must be of this type; `message` is DER.
fn content(message: &[u8], expected: ObjectIdentifier) -> Result<Element<'_>> {
    let mut info = asn1::only(message, asn1::SEQUENCE)?.children();
    if info.object_identifier()? != expected {
        return Err(Error::Malformed("message: it is of another type"));
    }
    let content = info.take(asn1::constructed(0))?.value;
    info.finish()?;
    asn1::only(content, asn1::SEQUENCE)
}

fn content_info(content_type: &ObjectIdentifier, content: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(content_type), &write::wrap(asn1::constructed(0), &[content])])
}

/// The first few certificates of a set. What is not a certificate that we can read is skipped.
fn read_certificates(set: Option<Element<'_>>) -> Vec<Certificate> {
    let Some(set) = set else { return Vec::new() };
    let mut certificates = Vec::new();
    let mut choices = set.children();
    while let Ok(choice) = choices.any()
        && certificates.len() < MAX_CERTIFICATES
    {
        certificates.extend(Certificate::from_der(choice.raw).ok());
    }
    certificates
}

/// `IssuerAndSerialNumber`, by which a message names a certificate.
fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let serial = write::element(asn1::INTEGER, certificate.serial_number());
    write::sequence(&[certificate.issuer_der(), &serial])
}

/// Whether a `SignerIdentifier` or a `RecipientIdentifier` names this certificate.
fn names(identifier: Element<'_>, certificate: &Certificate) -> bool {
    const KEY_IDENTIFIER: u8 = asn1::implicit(0);
    match identifier.tag {
        asn1::SEQUENCE => identifier.raw == issuer_and_serial(certificate),
        KEY_IDENTIFIER => {
            certificate.extensions().subject_key_identifier.as_deref() == Some(identifier.value)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::{p256_stranger, streamed, truncated};

    #[test]
    fn certificates_alone_survive_their_message() {
        let (_, certificate) = p256_stranger();
        let message = certificates_only(std::slice::from_ref(&certificate));
        for message in [streamed(&message), message.clone()] {
            assert_eq!(certificates(&message).unwrap(), std::slice::from_ref(&certificate));
        }
        assert!(truncated(&message).all(|cut| certificates(cut).is_err()));
        assert_eq!(certificates(&certificates_only(&[])).unwrap(), []);
    }

    #[test]
    fn what_is_no_certificate_is_skipped() {
        let (_, certificate) = p256_stranger();
        let choices = [&write::element(asn1::constructed(3), &write::null()), certificate.der()].concat();
        let set = write::element(asn1::constructed(0), &choices);
        assert_eq!(read_certificates(Some(asn1::only(&set, asn1::constructed(0)).unwrap())), [certificate]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_hold_no_certificates(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(certificates(&bytes).is_err());
        }
    }
}
