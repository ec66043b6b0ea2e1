//! The extensions that our own certificates carry.

use std::net::IpAddr;

use crate::asn1::{self, ObjectIdentifier, write};
use crate::{Error, Result, hash, oid};

const DNS_NAME: u8 = asn1::implicit(2);
const IP_ADDRESS: u8 = asn1::implicit(7);
const KEY_IDENTIFIER: u8 = asn1::implicit(0);
const TRUE: [u8; 3] = [asn1::BOOLEAN, 1, 0xff];

pub(crate) fn extension(identifier: ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &TRUE } else { &[] };
    write::sequence(&[&write::oid(&identifier), critical, &write::octets(value)])
}

/// A CA below which `path_length` further CAs may stand.
pub(crate) fn authority_constraints(path_length: u8) -> Vec<u8> {
    let value = write::sequence(&[&TRUE, &write::unsigned(&[path_length])]);
    extension(oid::BASIC_CONSTRAINTS, true, &value)
}

/// Not a CA.
pub(crate) fn leaf_constraints() -> Vec<u8> {
    extension(oid::BASIC_CONSTRAINTS, true, &write::sequence(&[]))
}

/// The bits of this module's parent; only those of the first byte are ever used by us.
pub(crate) fn key_usage(bits: u16) -> Vec<u8> {
    let [first, second] = bits.to_be_bytes();
    let value = match (first, second) {
        (first, 0) => write::element(asn1::BIT_STRING, &[unused_bits(first), first]),
        (first, second) => write::element(asn1::BIT_STRING, &[unused_bits(second), first, second]),
    };
    extension(oid::KEY_USAGE, true, &value)
}

pub(crate) fn extended_key_usage(purpose: ObjectIdentifier) -> Vec<u8> {
    extension(oid::EXTENDED_KEY_USAGE, false, &write::sequence(&[&write::oid(&purpose)]))
}

pub(crate) fn subject_key_identifier(identifier: &[u8]) -> Vec<u8> {
    extension(oid::SUBJECT_KEY_IDENTIFIER, false, &write::octets(identifier))
}

pub(crate) fn authority_key_identifier(identifier: &[u8]) -> Vec<u8> {
    let value = write::sequence(&[&write::element(KEY_IDENTIFIER, identifier)]);
    extension(oid::AUTHORITY_KEY_IDENTIFIER, false, &value)
}

/// Names under which a server is reached: IP addresses, and DNS names in their ASCII form.
///
/// # Errors
/// [`Error::Refused`] for no name at all, or one that is neither.
pub(crate) fn subject_alt_name(names: &[String]) -> Result<Vec<u8>> {
    if names.is_empty() {
        return Err(Error::Refused("a server certificate needs a name"));
    }
    let names: Vec<u8> = names.iter().map(|name| general_name(name)).collect::<Result<Vec<_>>>()?.concat();
    Ok(extension(oid::SUBJECT_ALT_NAME, false, &write::element(asn1::SEQUENCE, &names)))
}

/// The name of a key: the leftmost 160 bits of its SHA-256 (RFC 7093, section 2, method 1).
pub(crate) fn key_identifier(spki: &[u8]) -> Result<[u8; 20]> {
    let mut info = asn1::only(spki, asn1::SEQUENCE)?.children();
    info.take(asn1::SEQUENCE)?;
    let mut identifier = [0; 20];
    identifier.copy_from_slice(&hash::sha256(info.take(asn1::BIT_STRING)?.whole_bits()?)[..20]);
    Ok(identifier)
}

fn unused_bits(last: u8) -> u8 {
    u8::try_from(last.trailing_zeros().min(7)).unwrap_or(0)
}

fn general_name(name: &str) -> Result<Vec<u8>> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(match address {
            IpAddr::V4(four) => write::element(IP_ADDRESS, &four.octets()),
            IpAddr::V6(six) => write::element(IP_ADDRESS, &six.octets()),
        });
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    if name.is_empty() || name.len() > 253 || !name.bytes().all(allowed) {
        return Err(Error::Refused("a server name must be an IP address or an ASCII DNS name"));
    }
    Ok(write::element(DNS_NAME, name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_none_are_refused() {
        for name in ["", "a b", "bücher.example", "a\0b", &"a".repeat(254)] {
            assert!(subject_alt_name(&[name.to_owned()]).is_err(), "{name}");
        }
        assert!(subject_alt_name(&[]).is_err());
    }

    #[test]
    fn key_usage_has_as_few_bits_as_it_can() {
        assert!(key_usage(0xa000).ends_with(&[3, 2, 5, 0xa0]));
        assert!(key_usage(0x0600).ends_with(&[3, 2, 1, 0x06]));
    }
}
