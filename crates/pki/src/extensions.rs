//! The extensions of certificates that we judge by, and those that we write (RFC 5280, 4.2).

use crate::asn1::{self, Element, ObjectIdentifier, Reader};
use crate::{Error, Result, oid};

pub(crate) mod write;

/// Bits of a key usage, as `KeyUsage` numbers them from the left.
pub(crate) const DIGITAL_SIGNATURE: u16 = 0x8000;
pub(crate) const KEY_ENCIPHERMENT: u16 = 0x2000;
pub(crate) const KEY_CERT_SIGN: u16 = 0x0400;
pub(crate) const CRL_SIGN: u16 = 0x0200;

/// What a certificate says about itself; absent extensions are `None` and restrict nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub(crate) is_ca: bool,
    pub(crate) key_usage: Option<u16>,
    pub(crate) extended_key_usage: Option<Vec<ObjectIdentifier>>,
    pub(crate) subject_key_identifier: Option<Vec<u8>>,
    /// A critical extension that nobody here understands: such a certificate must not be trusted.
    pub(crate) has_unknown_critical: bool,
}

impl Extensions {
    /// Reads the `Extensions` sequence.
    pub(crate) fn read(sequence: Element<'_>) -> Result<Self> {
        let mut extensions = Extensions::default();
        let mut seen = Vec::new();
        for extension in sequence.children().rest()? {
            let mut parts = extension.children();
            let identifier = parts.object_identifier()?;
            let critical = parts.optional(asn1::BOOLEAN)?.is_some_and(|flag| flag.value != [0]);
            let value = parts.take(asn1::OCTET_STRING)?.value;
            parts.finish()?;
            if seen.contains(&identifier) {
                return Err(Error::Malformed("extensions: one stands there twice"));
            }
            seen.push(identifier);
            extensions.has_unknown_critical |= !extensions.read_one(identifier, value)? && critical;
        }
        Ok(extensions)
    }

    /// Whether the key may sign certificates.
    pub(crate) fn may_sign_certificates(&self) -> bool {
        self.is_ca && self.key_usage.is_none_or(|bits| bits & KEY_CERT_SIGN != 0)
    }

    pub(crate) fn allows_extended(&self, purpose: ObjectIdentifier) -> bool {
        let allows =
            |listed: &Vec<_>| listed.contains(&purpose) || listed.contains(&oid::ANY_EXTENDED_KEY_USAGE);
        self.extended_key_usage.as_ref().is_none_or(allows)
    }

    /// Reads one; whether it is known.
    fn read_one(&mut self, identifier: ObjectIdentifier, value: &[u8]) -> Result<bool> {
        match identifier {
            oid::BASIC_CONSTRAINTS => {
                let mut constraints = asn1::only(value, asn1::SEQUENCE)?.children();
                self.is_ca = constraints.optional(asn1::BOOLEAN)?.is_some_and(|flag| flag.value != [0]);
            }
            oid::KEY_USAGE => self.key_usage = Some(read_key_usage(value)?),
            oid::EXTENDED_KEY_USAGE => {
                let purposes = asn1::only(value, asn1::SEQUENCE)?.children();
                self.extended_key_usage = Some(read_purposes(purposes)?);
            }
            oid::SUBJECT_KEY_IDENTIFIER => {
                let key_identifier = asn1::only(value, asn1::OCTET_STRING)?.value;
                self.subject_key_identifier = Some(key_identifier.to_vec());
            }
            oid::AUTHORITY_KEY_IDENTIFIER | oid::SUBJECT_ALT_NAME | oid::CERTIFICATE_POLICIES => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn read_key_usage(value: &[u8]) -> Result<u16> {
    match asn1::only(value, asn1::BIT_STRING)?.value {
        [_unused, first] => Ok(u16::from_be_bytes([*first, 0])),
        [_unused, first, second, ..] => Ok(u16::from_be_bytes([*first, *second])),
        [_unused] => Ok(0),
        [] => Err(Error::Malformed("key usage")),
    }
}

fn read_purposes(mut purposes: Reader<'_>) -> Result<Vec<ObjectIdentifier>> {
    let mut listed = Vec::new();
    while !purposes.is_empty() {
        listed.push(purposes.object_identifier()?);
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(extensions: &[Vec<u8>]) -> Result<Extensions> {
        let der = asn1::write::element(asn1::SEQUENCE, &extensions.concat());
        Extensions::read(asn1::only(&der, asn1::SEQUENCE)?)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let extensions = read(&[
            write::authority_constraints(0),
            write::key_usage(KEY_CERT_SIGN | CRL_SIGN),
            write::extended_key_usage(oid::CLIENT_AUTH),
            write::subject_key_identifier(&[7; 20]),
        ])
        .unwrap();
        assert!(extensions.is_ca && extensions.may_sign_certificates());
        assert_eq!(extensions.key_usage, Some(KEY_CERT_SIGN | CRL_SIGN));
        assert!(extensions.allows_extended(oid::CLIENT_AUTH));
        assert!(!extensions.allows_extended(oid::SERVER_AUTH));
        assert_eq!(extensions.subject_key_identifier, Some(vec![7; 20]));
        assert!(!extensions.has_unknown_critical);
    }

    #[test]
    fn an_unknown_critical_extension_is_noticed() {
        let unknown = |critical| write::extension(oid::DATA, critical, &[5, 0]);
        assert!(read(&[unknown(true)]).unwrap().has_unknown_critical);
        assert!(!read(&[unknown(false)]).unwrap().has_unknown_critical);
    }

    #[test]
    fn no_extension_stands_twice() {
        assert!(read(&[write::key_usage(CRL_SIGN), write::key_usage(CRL_SIGN)]).is_err());
    }

    #[test]
    fn a_leaf_may_not_sign_certificates() {
        assert!(!read(&[write::leaf_constraints()]).unwrap().may_sign_certificates());
        let without_sign = read(&[write::authority_constraints(0), write::key_usage(CRL_SIGN)]).unwrap();
        assert!(!without_sign.may_sign_certificates());
    }
}
