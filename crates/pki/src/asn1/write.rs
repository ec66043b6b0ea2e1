//! DER from the inside out: every function returns one finished element.

use super::{BIT_STRING, INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, ObjectIdentifier, SEQUENCE, SET};

pub(crate) fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    wrap(tag, &[value])
}

/// An element around others.
pub(crate) fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    push_header(&mut out, tag, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn push_header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    let bytes = length.to_be_bytes();
    let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    match digits {
        [] => out.push(0),
        [digit] if *digit < 0x80 => out.push(*digit),
        _ => {
            let count = u8::try_from(digits.len()).unwrap_or(u8::MAX);
            out.push(0x80 | count);
            out.extend_from_slice(digits);
        }
    }
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    wrap(SEQUENCE, parts)
}

/// A SET OF, sorted as DER wants it, with the tag that its place asks for.
pub(crate) fn sorted(tag: u8, mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(tag, &parts.concat())
}

pub(crate) fn set(parts: Vec<Vec<u8>>) -> Vec<u8> {
    sorted(SET, parts)
}

pub(crate) fn null() -> Vec<u8> {
    element(NULL, &[])
}

pub(crate) fn oid(identifier: &ObjectIdentifier) -> Vec<u8> {
    element(OBJECT_IDENTIFIER, identifier.as_bytes())
}

pub(crate) fn octets(bytes: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, bytes)
}

pub(crate) fn bits(bytes: &[u8]) -> Vec<u8> {
    wrap(BIT_STRING, &[&[0], bytes])
}

/// A number that is never negative, from its big-endian bytes.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    match digits {
        [] => element(INTEGER, &[0]),
        [first, ..] if *first >= 0x80 => wrap(INTEGER, &[&[0], digits]),
        _ => element(INTEGER, digits),
    }
}

/// `AlgorithmIdentifier`, with NULL for its parameters or none at all.
pub(crate) fn algorithm(identifier: &ObjectIdentifier, null_parameters: bool) -> Vec<u8> {
    let parameters = if null_parameters { null() } else { Vec::new() };
    sequence(&[&oid(identifier), &parameters])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Reader;

    #[test]
    fn lengths_are_as_short_as_they_can_be() {
        for length in [0usize, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let written = octets(&vec![7; length]);
            let mut reader = Reader::new(&written);
            assert_eq!(reader.take(OCTET_STRING).unwrap().value.len(), length);
            reader.finish().unwrap();
        }
    }

    #[test]
    fn numbers_are_never_negative() {
        assert_eq!(unsigned(&[0, 0]), [2, 1, 0]);
        assert_eq!(unsigned(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
    }

    #[test]
    fn a_set_is_sorted() {
        assert_eq!(set(vec![octets(b"b"), octets(b"a")]), [0x31, 6, 4, 1, b'a', 4, 1, b'b']);
    }
}
