//! The many string types of ASN.1, and the escapes of RFC 4514.

use std::fmt::{self, Write as _};

use crate::asn1::{Element, IA5_STRING, PRINTABLE_STRING, UTF8_STRING};
use crate::{Error, Result};

const NUMERIC_STRING: u8 = 0x12;
const TELETEX_STRING: u8 = 0x14;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;

/// A string of any type that a client may use.
///
/// # Errors
/// [`Error::Malformed`] where the bytes do not fit the type, [`Error::Unsupported`] for what is no string.
pub(crate) fn string(element: Element<'_>) -> Result<String> {
    const MALFORMED: Error = Error::Malformed("string");
    let bytes = element.value;
    match element.tag {
        UTF8_STRING | PRINTABLE_STRING | IA5_STRING | VISIBLE_STRING | NUMERIC_STRING => {
            std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| MALFORMED)
        }
        // Everybody writes Latin-1 here, whatever T.61 says.
        TELETEX_STRING => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        BMP_STRING if bytes.len().is_multiple_of(2) => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| MALFORMED)
        }
        UNIVERSAL_STRING if bytes.len().is_multiple_of(4) => bytes
            .chunks_exact(4)
            .map(|four| char::from_u32(u32::from_be_bytes([four[0], four[1], four[2], four[3]])))
            .collect::<Option<_>>()
            .ok_or(MALFORMED),
        BMP_STRING | UNIVERSAL_STRING => Err(MALFORMED),
        _ => Err(Error::Unsupported("string type")),
    }
}

/// As [`string`], with the bytes as RFC 4514's `#hex` where it cannot be read.
pub(super) fn lossy(element: Element<'_>) -> String {
    string(element).unwrap_or_else(|_| {
        let mut hex = String::from("#");
        for byte in element.raw {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    })
}

/// Whether every character may stand in a PrintableString (X.680, 41.4).
pub(crate) fn is_printable_string(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte))
}

/// Writes one value as RFC 4514, 2.4 has it; control characters are escaped too, since this goes into logs.
pub(super) fn write_escaped(formatter: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        let at_the_edge = index == 0 || index == last;
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(formatter, "\\{character}")?,
            ' ' if at_the_edge => formatter.write_str("\\ ")?,
            '#' if index == 0 => formatter.write_str("\\#")?,
            _ if character.is_control() => {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    write!(formatter, "\\{byte:02x}")?;
                }
            }
            _ => formatter.write_char(character)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn read(tag: u8, value: &[u8]) -> Result<String> {
        string(Element { tag, value, raw: &[] })
    }

    #[test]
    fn every_string_type_is_read() {
        assert_eq!(read(UTF8_STRING, "é".as_bytes()).unwrap(), "é");
        assert_eq!(read(TELETEX_STRING, &[0xe9]).unwrap(), "é");
        assert_eq!(read(BMP_STRING, &[0, 0xe9]).unwrap(), "é");
        assert_eq!(read(UNIVERSAL_STRING, &[0, 0, 0, 0xe9]).unwrap(), "é");
    }

    #[test]
    fn strings_that_are_none_are_refused() {
        assert!(read(UTF8_STRING, &[0xff]).is_err());
        assert!(read(BMP_STRING, &[0]).is_err());
        assert!(read(BMP_STRING, &[0xd8, 0]).is_err());
        assert!(read(UNIVERSAL_STRING, &[0xff, 0, 0, 0]).is_err());
        assert!(read(0x02, &[1]).is_err());
    }

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(Name::new(" #a+b\n ").to_string(), "CN=\\ #a\\+b\\0a\\ ");
        assert_eq!(Name::new("#a").to_string(), "CN=\\#a");
        assert_eq!(Name::new("").to_string(), "CN=");
    }
}
