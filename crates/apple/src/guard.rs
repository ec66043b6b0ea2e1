//! Looks through a property list before the plist crate does, and refuses what would exhaust the process.
//!
//! Unguarded, 58 KB of nested arrays abort the process by overflowing its stack, 162 bytes of binary
//! references expand to gigabytes, an unknown entity silently becomes an empty string, and 10 MB of `<true/>`
//! become 100 MB of values.

mod binary;
mod xml;

use plist::Value;
use std::io::Cursor;

/// How deep dictionaries and arrays may nest, everywhere. Apple's deepest messages need about ten.
pub const MAX_DEPTH: usize = 64;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BINARY_MAGIC: &[u8] = b"bplist";

/// How much a property list may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the document; also of all texts and data of a binary one after its shared references are
    /// expanded.
    pub bytes: usize,
    /// Number of XML elements, `key` included; of a binary document, the objects after expansion.
    pub elements: usize,
    /// Whether the binary form is read at all. Devices send XML.
    pub binary: bool,
}

impl Limits {
    /// For a check-in, which may come from anybody: 1 MiB, 4,096 elements, XML only.
    pub fn check_in() -> Limits {
        Limits { bytes: 1 << 20, elements: 4_096, binary: false }
    }

    /// For what an authenticated device answers: 16 MiB, 200,000 elements (a Mac's list of applications has
    /// some ten thousand), XML or binary.
    pub fn report() -> Limits {
        Limits { bytes: 16 << 20, elements: 200_000, binary: true }
    }

    /// For what a server sends to a device, commands and profiles: 16 MiB, 100,000 elements, XML only.
    pub fn server_answer() -> Limits {
        Limits { bytes: 16 << 20, elements: 100_000, binary: false }
    }
}

/// Why a property list was refused. The text never repeats a value of the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedPlist {
    /// There is nothing in it.
    #[error("the body is empty")]
    Empty,
    /// More bytes than [`Limits::bytes`].
    #[error("the property list is longer than {limit} bytes")]
    TooLong {
        /// The limit that it broke.
        limit: usize,
    },
    /// More elements than [`Limits::elements`].
    #[error("the property list has more than {limit} elements")]
    TooManyElements {
        /// The limit that it broke.
        limit: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("the property list is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Two bytes for each character.
    #[error("the property list is in UTF-16; only UTF-8 is read here")]
    Utf16,
    /// Not UTF-8, or said not to be.
    #[error("the property list is not in UTF-8")]
    NotUtf8,
    /// A DOCTYPE with declarations of its own, by which entities are made.
    #[error("the DOCTYPE has declarations of its own")]
    DoctypeDeclarations,
    /// `&name;` other than the five of XML, or a number that is no character.
    #[error("an unknown entity at byte {offset}")]
    UnknownEntity {
        /// Where, counted from the document's start.
        offset: usize,
    },
    /// The XML is broken, or is not a property list's.
    #[error("at byte {offset}: {what}")]
    Xml {
        /// Where, counted from the document's start.
        offset: usize,
        /// What was met or expected.
        what: &'static str,
    },
    /// The binary form where only XML is read.
    #[error("binary property lists are not read here")]
    BinaryRefused,
    /// The binary form's structure is broken.
    #[error("binary property list: {what}")]
    Binary {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A number, date or base64 that the plist crate cannot read.
    #[error("the property list cannot be read: {why}")]
    Unreadable {
        /// The plist crate's words; they hold an offset, no value.
        why: String,
    },
}

/// Reads a property list within `limits`. Linear in the length of `bytes`.
///
/// # Errors
/// Everything that is not one plain, bounded property list; see [`MalformedPlist`].
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, MalformedPlist> {
    if bytes.len() > limits.bytes {
        return Err(MalformedPlist::TooLong { limit: limits.bytes });
    }
    let value = if bytes.starts_with(BINARY_MAGIC) {
        if !limits.binary {
            return Err(MalformedPlist::BinaryRefused);
        }
        binary::check(bytes, limits)?;
        Value::from_reader(Cursor::new(bytes))
    } else {
        let text = utf8(bytes)?;
        xml::check(text, limits)?;
        Value::from_reader_xml(text.as_bytes())
    };
    value.map_err(|error| MalformedPlist::Unreadable { why: error.to_string() })
}

/// The text without its byte order mark.
fn utf8(bytes: &[u8]) -> Result<&str, MalformedPlist> {
    if matches!(bytes, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, b'<', ..] | [b'<', 0, ..]) {
        return Err(MalformedPlist::Utf16);
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| MalformedPlist::NotUtf8)?;
    if text.trim().is_empty() { Err(MalformedPlist::Empty) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plist::Dictionary;
    use proptest::prelude::*;

    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Dictionary(dictionary) => dictionary.values().map(|value| 1 + count(value)).sum(),
            _ => 0,
        }
    }

    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
            Value::Dictionary(dictionary) => 1 + dictionary.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn size(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(size).sum(),
            Value::Dictionary(dictionary) => {
                dictionary.iter().map(|(key, value)| key.len() + size(value)).sum()
            }
            Value::String(text) => text.len(),
            Value::Data(data) => data.len(),
            _ => 0,
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::Real),
            "[ -~\u{a0}-\u{fffd}\n]{0,12}".prop_map(Value::from),
            proptest::collection::vec(any::<u8>(), 0..12).prop_map(Value::Data),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                proptest::collection::vec(("[a-zA-Z ]{0,6}", inner), 0..6)
                    .prop_map(|pairs| Value::Dictionary(Dictionary::from_iter(pairs))),
            ]
        })
    }

    fn xml(value: &Value) -> Vec<u8> {
        let dictionary = Dictionary::from_iter([("value", value.clone())]);
        crate::document::to_xml(dictionary)
    }

    fn binary(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.to_writer_binary(&mut bytes).unwrap();
        bytes
    }

    fn small() -> Limits {
        Limits { bytes: 4_096, elements: 64, binary: true }
    }

    fn is_bounded(value: &Value, limits: Limits) -> bool {
        // Three bytes of UTF-8 at most for each character that the binary form holds in two.
        count(value) <= limits.elements && depth(value) <= MAX_DEPTH && size(value) <= limits.bytes
    }

    #[test]
    fn an_empty_body_says_so() {
        assert_eq!(parse(b"", Limits::report()), Err(MalformedPlist::Empty));
        assert_eq!(parse(b"\xef\xbb\xbf \n", Limits::report()), Err(MalformedPlist::Empty));
    }

    #[test]
    fn a_document_longer_than_the_limit_is_not_looked_at() {
        let limits = Limits { bytes: 10, ..Limits::report() };
        assert_eq!(parse(&[b'<'; 11], limits), Err(MalformedPlist::TooLong { limit: 10 }));
    }

    #[test]
    fn utf_16_is_named_in_the_error() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(parse(&utf16("\u{feff}<plist>"), Limits::report()), Err(MalformedPlist::Utf16));
        assert_eq!(parse(&utf16("<plist>"), Limits::report()), Err(MalformedPlist::Utf16));
        assert_eq!(parse(b"<plist>\xc3\x28</plist>", Limits::report()), Err(MalformedPlist::NotUtf8));
    }

    #[test]
    fn a_check_in_is_never_binary() {
        let bytes = binary(&Value::from("x"));
        assert_eq!(parse(&bytes, Limits::check_in()), Err(MalformedPlist::BinaryRefused));
        assert_eq!(parse(&bytes, Limits::report()), Ok(Value::from("x")));
    }

    #[test]
    fn the_old_text_form_is_not_a_property_list_here() {
        assert!(parse(b"{ MessageType = Authenticate; }", Limits::report()).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any_value()) {
            let read = parse(&xml(&value), Limits::report()).unwrap();
            prop_assert_eq!(read.as_dictionary().and_then(|d| d.get("value")), Some(&value));
            if count(&value) > 1 {
                prop_assert_eq!(parse(&binary(&value), Limits::report()).unwrap(), value);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes, small());
        }

        #[test]
        fn arbitrary_binary_bodies_never_panic(
            body in proptest::collection::vec(any::<u8>(), 0..80), sizes in (0u8..5, 0u8..5),
            numbers in (0u64..30, 0u64..30, 0u64..90),
        ) {
            let mut bytes = b"bplist00".to_vec();
            bytes.extend(body);
            bytes.extend([0, 0, 0, 0, 0, 0, sizes.0, sizes.1]);
            for number in [numbers.0, numbers.1, numbers.2] {
                bytes.extend(number.to_be_bytes());
            }
            if let Ok(value) = parse(&bytes, small()) {
                prop_assert!(is_bounded(&value, small()));
            }
        }

        #[test]
        fn mutated_documents_never_panic_and_stay_bounded(
            value in any_value(), in_binary in any::<bool>(),
            edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = if in_binary { binary(&value) } else { xml(&value) };
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(value) = parse(&bytes, small()) {
                prop_assert!(is_bounded(&value, small()));
            }
        }

        #[test]
        fn shuffled_markup_never_panics_and_stays_bounded(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                "<plist version=\"1.0\">", "</plist>", "<dict>", "</dict>", "<array>", "</array>", "<key>",
                "</key>", "a", "<string>", "</string>", "<true/>", "<integer>7</integer>", "<!-- x -->",
                "&amp;", "<![CDATA[y]]>", "&b;", "<?pi?>", "<!DOCTYPE plist [", "]>", "<array/>", " ",
                "<data>", "AAAA", "</data>", "&#65;", "<plist>",
            ]), 0..40)
        ) {
            if let Ok(value) = parse(parts.concat().as_bytes(), small()) {
                prop_assert!(is_bounded(&value, small()));
            }
        }
    }
}
