//! What a signature is around: the content of a CMS `SignedData`, without a look at who signed it.

/// How many constructed values may stand in each other.
const DEPTH: usize = 16;

const SEQUENCE: u8 = 0x30;
const OID: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const CONSTRUCTED_OCTET_STRING: u8 = 0x24;
const EXPLICIT_0: u8 = 0xa0;
/// 1.2.840.113549.1.7.2, `id-signedData` (RFC 5652, section 5.1).
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// The content that is signed, such as the profile in a signed profile; `None` for anything else, such as what is
/// encrypted, and where the content is not attached.
///
/// Nothing is verified. BER is read as well as DER, since common tools write it. The content is never longer than
/// `message`.
pub fn signed_content(message: &[u8]) -> Option<Vec<u8>> {
    let mut content_info = Reader(message).expect(SEQUENCE)?;
    if content_info.expect(OID)?.0 != SIGNED_DATA {
        return None;
    }
    let mut signed_data = content_info.expect(EXPLICIT_0)?.expect(SEQUENCE)?;
    // Version and digest algorithms.
    signed_data.element(DEPTH)?;
    signed_data.element(DEPTH)?;
    let mut encapsulated = signed_data.expect(SEQUENCE)?;
    encapsulated.expect(OID)?;
    let mut explicit = encapsulated.expect(EXPLICIT_0)?;
    let mut content = Vec::new();
    octets(&explicit.element(DEPTH)?, &mut content, DEPTH)?;
    Some(content)
}

/// One tag with what it holds.
struct Element<'a> {
    tag: u8,
    body: &'a [u8],
}

/// What is still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The body of the next element, which must have that tag.
    fn expect(&mut self, tag: u8) -> Option<Reader<'a>> {
        let element = self.element(DEPTH)?;
        (element.tag == tag).then_some(Reader(element.body))
    }

    fn element(&mut self, depth: usize) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            // High tag numbers are in no CMS message.
            _ if tag & 0x1f == 0x1f => return None,
            0x80 => return self.indefinite(tag, rest, depth),
            0..=0x7f => (usize::from(first), rest),
            _ => {
                let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (number(length)?, rest)
            }
        };
        let (body, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Element { tag, body })
    }

    /// An element that ends where two zeros stand in place of a further one.
    fn indefinite(&mut self, tag: u8, content: &'a [u8], depth: usize) -> Option<Element<'a>> {
        let mut inside = Reader(content);
        while !inside.0.starts_with(&[0, 0]) {
            inside.element(depth.checked_sub(1)?)?;
        }
        let (body, _) = content.split_at_checked(content.len() - inside.0.len())?;
        self.0 = inside.0.get(2..)?;
        Some(Element { tag, body })
    }
}

/// An octet string, which BER lets one cut in pieces.
fn octets(element: &Element<'_>, content: &mut Vec<u8>, depth: usize) -> Option<()> {
    match element.tag {
        OCTET_STRING => content.extend_from_slice(element.body),
        CONSTRUCTED_OCTET_STRING => {
            let mut pieces = Reader(element.body);
            while !pieces.0.is_empty() {
                let depth = depth.checked_sub(1)?;
                octets(&pieces.element(depth)?, content, depth)?;
            }
        }
        _ => return None,
    }
    Some(())
}

fn number(bytes: &[u8]) -> Option<usize> {
    bytes.iter().try_fold(0usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn definite(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, length[0], length[1]], body].concat()
    }

    fn indefinite(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[tag, 0x80], body, &[0, 0]].concat()
    }

    fn message(kind: &[u8], wrap: fn(u8, &[u8]) -> Vec<u8>, octets: &[u8]) -> Vec<u8> {
        let data = [0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
        let encapsulated = wrap(0x30, &[&data[..], &wrap(0xa0, octets)].concat());
        let signed_data = wrap(0x30, &[&[2, 1, 1, 0x31, 0][..], &encapsulated, &[0x31, 0]].concat());
        wrap(0x30, &[&definite(0x06, kind)[..], &wrap(0xa0, &signed_data)].concat())
    }

    #[test]
    fn the_content_is_found_however_it_is_written() {
        let whole = definite(0x04, b"<plist/>");
        assert_eq!(signed_content(&message(&SIGNED_DATA, definite, &whole)).unwrap(), b"<plist/>");
        assert_eq!(signed_content(&message(&SIGNED_DATA, indefinite, &whole)).unwrap(), b"<plist/>");
        let pieces = [definite(0x04, b"<pl"), definite(0x04, b"ist/>")].concat();
        for wrap in [definite, indefinite] {
            let found = signed_content(&message(&SIGNED_DATA, indefinite, &wrap(0x24, &pieces)));
            assert_eq!(found.unwrap(), b"<plist/>");
        }
    }

    #[test]
    fn what_is_not_signed_has_no_content() {
        let whole = definite(0x04, b"secret");
        let enveloped = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
        assert_eq!(signed_content(&message(&enveloped, definite, &whole)), None);
        assert_eq!(signed_content(b"<?xml version=\"1.0\"?>"), None);
        assert_eq!(signed_content(b""), None);
        let nested = [[0x24, 0x80]; 10_000].concat();
        assert_eq!(signed_content(&message(&SIGNED_DATA, indefinite, &nested)), None);
        let long = [0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        assert_eq!(signed_content(&long), None, "a length of nine bytes");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, cut: usize) {
            let _ = signed_content(&bytes);
            let mut whole = message(&SIGNED_DATA, indefinite, &definite(0x04, &bytes[..bytes.len().min(900)]));
            let place = cut % whole.len();
            whole[place] ^= 0x55;
            let _ = signed_content(&whole);
            let _ = signed_content(&whole[..place]);
        }
    }
}
