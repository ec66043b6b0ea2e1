//! Strict DER, read without copying and written by hand: each structure reads like its definition in the RFC.

use std::ops::Range;

use crate::{Error, Result};

pub(crate) mod time;
pub(crate) mod write;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The tag `[number]` of something primitive, tagged implicitly.
pub(crate) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]` of something constructed: tagged explicitly, or an implicit SEQUENCE or SET.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// One tag with its value, both in the caller's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    /// Header and value together, exactly as received.
    pub(crate) raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub(crate) fn children(&self) -> Reader<'a> {
        Reader::new(self.value)
    }

    /// The bytes of a BIT STRING that has no unused bits, as keys and signatures have.
    pub(crate) fn whole_bits(&self) -> Result<&'a [u8]> {
        match self.value {
            [0, bits @ ..] if self.tag == BIT_STRING => Ok(bits),
            _ => Err(Error::Malformed("bit string")),
        }
    }

    pub(crate) fn object_identifier(&self) -> Result<ObjectIdentifier> {
        if self.tag != OBJECT_IDENTIFIER {
            return Err(Error::Malformed("object identifier"));
        }
        ObjectIdentifier::from_bytes(self.value).map_err(|_| Error::Malformed("object identifier"))
    }
}

pub use der::asn1::ObjectIdentifier;

/// Walks over elements that stand side by side. Refuses everything that is BER but not DER in a header.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek_tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>> {
        let header = Header::read(self.rest)?;
        let end = header.size.checked_add(header.length.ok_or(Error::Malformed("length"))?);
        let end = end.ok_or(Error::Malformed("length"))?;
        let raw = self.rest.get(..end).ok_or(Error::Malformed("length"))?;
        if !header.minimal {
            return Err(Error::Malformed("length"));
        }
        self.rest = &self.rest[end..];
        Ok(Element { tag: header.tag, value: &raw[header.size..], raw })
    }

    /// The next element, which must have this tag.
    pub(crate) fn take(&mut self, tag: u8) -> Result<Element<'a>> {
        let element = self.any()?;
        if element.tag == tag { Ok(element) } else { Err(Error::Malformed("structure")) }
    }

    /// The next element if it has this tag; else nothing is read.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>> {
        if self.peek_tag() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// The inside of the next element, which must have this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Result<Reader<'a>> {
        Ok(self.take(tag)?.children())
    }

    pub(crate) fn object_identifier(&mut self) -> Result<ObjectIdentifier> {
        self.any()?.object_identifier()
    }

    /// All that is left, each in its order.
    pub(crate) fn rest(mut self) -> Result<Vec<Element<'a>>> {
        let mut elements = Vec::new();
        while !self.is_empty() {
            elements.push(self.any()?);
        }
        Ok(elements)
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(Error::Malformed("structure: something is left over")) }
    }
}

/// The bytes as exactly one element with this tag.
pub(crate) fn only(bytes: &[u8], tag: u8) -> Result<Element<'_>> {
    let mut reader = Reader::new(bytes);
    let element = reader.take(tag)?;
    reader.finish()?;
    Ok(element)
}

/// Where `inner` stands in `outer`, of which it must be a part.
pub(crate) fn range_within(outer: &[u8], inner: &[u8]) -> Range<usize> {
    let start = inner.as_ptr() as usize - outer.as_ptr() as usize;
    start..start + inner.len()
}

/// The first bytes of an element, in BER: `length` is `None` where it is indefinite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    pub(crate) size: usize,
    pub(crate) length: Option<usize>,
    /// Whether the length is written as DER wants it.
    pub(crate) minimal: bool,
}

impl Header {
    /// Tags above 30 and lengths of more than four bytes are refused: nothing that we read has them.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let (&tag, &first) = match bytes {
            [tag, first, ..] => (tag, first),
            _ => return Err(Error::Malformed("structure: it ends too early")),
        };
        if tag & 0x1f == 0x1f {
            return Err(Error::Unsupported("tag number"));
        }
        match first {
            0..=0x7f => Ok(Header { tag, size: 2, length: Some(usize::from(first)), minimal: true }),
            0x80 => Ok(Header { tag, size: 2, length: None, minimal: false }),
            0x81..=0x84 => Self::read_long(tag, &bytes[2..], usize::from(first & 0x7f)),
            _ => Err(Error::Malformed("length")),
        }
    }

    fn read_long(tag: u8, rest: &[u8], count: usize) -> Result<Self> {
        let digits = rest.get(..count).ok_or(Error::Malformed("length"))?;
        let length = digits.iter().fold(0usize, |sum, digit| sum << 8 | usize::from(*digit));
        Ok(Header { tag, size: 2 + count, length: Some(length), minimal: length >= 0x80 && digits[0] != 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_read_with_its_raw_bytes() {
        let mut reader = Reader::new(&[0x04, 0x02, 7, 8, 0x05, 0x00]);
        let element = reader.take(OCTET_STRING).unwrap();
        assert_eq!((element.value, element.raw), (&[7u8, 8][..], &[0x04u8, 0x02, 7, 8][..]));
        assert_eq!(reader.take(NULL).unwrap().value, b"");
        reader.finish().unwrap();
    }

    #[test]
    fn lengths_that_der_forbids_are_refused() {
        for bytes in [
            &[0x04, 0x80, 0, 0][..],
            &[0x04, 0x81, 0x01, 7],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x85, 1, 1, 1, 1, 1],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 7],
            &[0x04, 0xff],
            &[0x04, 0x02, 7],
            &[0x1f, 0x81, 0x01, 0x00],
            &[0x04],
            &[],
        ] {
            assert!(Reader::new(bytes).any().is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn what_is_left_over_is_refused() {
        assert!(only(&[0x05, 0x00, 0x00], NULL).is_err());
        assert!(only(&[0x05, 0x00], NULL).is_ok());
    }
}
