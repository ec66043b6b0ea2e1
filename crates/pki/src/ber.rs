//! Turns what streaming encoders send (indefinite lengths, strings in pieces) into DER.

use std::borrow::Cow;

use crate::asn1::{self, Header};
use crate::{Error, Result};

/// How deeply elements may be nested. A SCEP message, its certificates included, needs about twelve.
pub const MAX_DEPTH: usize = 32;

const CONSTRUCTED: u8 = 0x20;
const UNIVERSAL_NUMBER: u8 = 0x1f;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// The same message with definite, minimal lengths and whole strings; untouched where it already is so.
///
/// Takes time and memory linear in the input: each byte is moved at most [`MAX_DEPTH`] times, and the output
/// is no larger than the input but for a byte or two around parts of more than 64 KiB.
///
/// # Errors
/// [`Error::Malformed`] for anything that is not exactly one BER element, or is nested too deeply.
pub fn to_der(input: &[u8]) -> Result<Cow<'_, [u8]>> {
    if is_one_element(input) && is_der(input, 0) {
        return Ok(Cow::Borrowed(input));
    }
    let mut transcoder = Transcoder { rest: input, out: Vec::with_capacity(input.len()) };
    transcoder.element(0)?;
    if !transcoder.rest.is_empty() {
        return Err(Error::Malformed("structure: something is left over"));
    }
    Ok(Cow::Owned(transcoder.out))
}

fn is_one_element(input: &[u8]) -> bool {
    let mut reader = asn1::Reader::new(input);
    reader.any().is_ok() && reader.is_empty()
}

/// Whether every header is as DER wants it, and no string is in pieces.
fn is_der(input: &[u8], depth: usize) -> bool {
    let mut reader = asn1::Reader::new(input);
    while !reader.is_empty() {
        let Ok(element) = reader.any() else { return false };
        if element.tag & CONSTRUCTED == 0 {
            continue;
        }
        if depth >= MAX_DEPTH || string_number(element.tag).is_some() || !is_der(element.value, depth + 1) {
            return false;
        }
    }
    true
}

/// The number of the universal string type of which `tag` is the constructed form.
fn string_number(tag: u8) -> Option<u8> {
    let number = tag & UNIVERSAL_NUMBER;
    let constructed_universal = tag & 0xe0 == CONSTRUCTED;
    // BIT STRING, OCTET STRING, UTF8String, and the restricted strings and times from 18 on.
    (constructed_universal && matches!(number, 3 | 4 | 12 | 18..=30)).then_some(number)
}

struct Transcoder<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
}

impl Transcoder<'_> {
    fn element(&mut self, depth: usize) -> Result<()> {
        let header = self.header(depth)?;
        let start = self.out.len();
        let tag = match string_number(header.tag) {
            Some(number) => {
                self.inside(header, |this| this.piece(number, depth + 1))?;
                number
            }
            None if header.tag & CONSTRUCTED == 0 => {
                self.copy(header)?;
                header.tag
            }
            None => {
                self.inside(header, |this| this.element(depth + 1))?;
                header.tag
            }
        };
        self.put_header_at(start, tag);
        Ok(())
    }

    /// One piece of a string, which may be in pieces itself; only its value is kept.
    fn piece(&mut self, number: u8, depth: usize) -> Result<()> {
        let header = self.header(depth)?;
        // The pieces of a BIT STRING count their unused bits one by one; nobody sends them.
        if number == asn1::BIT_STRING || header.tag & !CONSTRUCTED != number {
            return Err(Error::Unsupported("string in pieces"));
        }
        if header.tag & CONSTRUCTED == 0 {
            return self.copy(header);
        }
        self.inside(header, |this| this.piece(number, depth + 1))
    }

    fn header(&mut self, depth: usize) -> Result<Header> {
        if depth > MAX_DEPTH {
            return Err(Error::Malformed("structure: it is nested too deeply"));
        }
        let header = Header::read(self.rest)?;
        self.rest = &self.rest[header.size..];
        Ok(header)
    }

    fn copy(&mut self, header: Header) -> Result<()> {
        let length = header.length.ok_or(Error::Malformed("length"))?;
        let value = self.rest.get(..length).ok_or(Error::Malformed("length"))?;
        self.out.extend_from_slice(value);
        self.rest = &self.rest[length..];
        Ok(())
    }

    /// Does `each` until the element that `header` began ends.
    fn inside(&mut self, header: Header, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        let Some(length) = header.length else {
            while !self.rest.starts_with(&END_OF_CONTENTS) {
                each(self)?;
            }
            self.rest = &self.rest[END_OF_CONTENTS.len()..];
            return Ok(());
        };
        let (inside, after) = self.rest.split_at_checked(length).ok_or(Error::Malformed("length"))?;
        self.rest = inside;
        while !self.rest.is_empty() {
            each(self)?;
        }
        self.rest = after;
        Ok(())
    }

    fn put_header_at(&mut self, start: usize, tag: u8) {
        let mut header = Vec::with_capacity(6);
        asn1::write::push_header(&mut header, tag, self.out.len() - start);
        self.out.splice(start..start, header);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn converted(input: &[u8]) -> Vec<u8> {
        to_der(input).unwrap().into_owned()
    }

    #[test]
    fn der_is_not_touched() {
        let der = [0x30, 0x07, 0x04, 0x01, 7, 0xa0, 0x02, 0x05, 0x00];
        assert!(matches!(to_der(&der), Ok(Cow::Borrowed(bytes)) if bytes == der));
    }

    #[test]
    fn an_indefinite_length_becomes_definite() {
        assert_eq!(converted(&[0x30, 0x80, 0x05, 0x00, 0x00, 0x00]), [0x30, 0x02, 0x05, 0x00]);
        assert_eq!(
            converted(&[0x30, 0x80, 0xa0, 0x80, 0x05, 0x00, 0, 0, 0, 0]),
            [0x30, 0x04, 0xa0, 0x02, 0x05, 0x00]
        );
    }

    #[test]
    fn a_long_length_becomes_short() {
        assert_eq!(converted(&[0x04, 0x82, 0x00, 0x01, 7]), [0x04, 0x01, 7]);
    }

    #[test]
    fn a_string_in_pieces_becomes_whole() {
        assert_eq!(converted(&[0x24, 0x80, 0x04, 1, 7, 0x04, 1, 8, 0, 0]), [0x04, 2, 7, 8]);
        assert_eq!(converted(&[0x24, 7, 0x24, 3, 0x04, 1, 7, 0x04, 0]), [0x04, 1, 7]);
    }

    #[test]
    fn a_string_of_other_things_is_refused() {
        assert!(to_der(&[0x24, 0x80, 0x05, 0, 0, 0]).is_err());
        assert!(to_der(&[0x23, 0x80, 0x03, 1, 0, 0, 0]).is_err());
    }

    #[test]
    fn what_never_ends_is_refused() {
        assert!(to_der(&[0x30, 0x80, 0x05, 0x00]).is_err());
        assert!(to_der(&[0x30, 0x80]).is_err());
        assert!(to_der(&[0x04, 0x80, 0, 0]).is_err(), "a primitive string has a length");
        assert!(to_der(&[]).is_err());
        assert!(to_der(&[0x05, 0x00, 0x05, 0x00]).is_err(), "two elements are not one");
        assert!(to_der(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).is_err());
    }

    #[test]
    fn a_depth_bomb_is_refused() {
        assert!(to_der(&[0x30, 0x80].repeat(500_000)).is_err());
        assert!(to_der(&[0x24, 0x80].repeat(500_000)).is_err());
        let fits = [[0x30, 0x80].repeat(MAX_DEPTH), vec![0; 2 * MAX_DEPTH]].concat();
        assert!(to_der(&fits).is_ok());
    }

    const FREQUENT: &[u8] = &[0, 1, 2, 4, 0x24, 0x30, 0x80, 0x81, 0xa0];

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_never_grow(input in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(der) = to_der(&input) {
                prop_assert!(der.len() <= input.len());
                prop_assert!(is_der(&der, 0));
            }
        }

        #[test]
        fn what_looks_like_ber_never_panics(
            input in prop::collection::vec(prop::sample::select(FREQUENT), 0..200),
        ) {
            if let Ok(der) = to_der(&input) {
                prop_assert!(der.len() <= input.len());
                prop_assert!(is_der(&der, 0));
            }
        }
    }
}
