//! The part of a command's plist that is the same for every device, and the envelope around it.

use std::sync::LazyLock;

use plist::{Dictionary, Value};

use super::{COMMAND, COMMAND_UUID};
use crate::document::to_xml;

/// A command's keys as XML, without the envelope.
pub(super) fn body(keys: Dictionary) -> Vec<u8> {
    let document = to_xml(keys);
    let (_, rest) = split(&document, "<dict").expect("a dictionary is written as <dict>");
    let end = rest.windows(8).rposition(|window| window == b"</plist>").unwrap_or(rest.len());
    [b"<dict", rest[..end].trim_ascii_end()].concat()
}

/// Whether these bytes are a command's body, and not the whole plist.
pub fn is_body(bytes: &[u8]) -> bool {
    bytes.starts_with(b"<dict")
}

/// The plist that hands the command with this body to a device; `command_uuid` must be letters, digits and hyphens.
pub fn in_envelope(body: &[u8], command_uuid: &str) -> Vec<u8> {
    let [before, between, behind] = &*ENVELOPE;
    [before, command_uuid.as_bytes(), between, body, behind].concat()
}

/// What stands before the `CommandUUID`, between it and the body, and behind that.
static ENVELOPE: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let hollow =
        to_xml(Dictionary::from_iter([(COMMAND_UUID, Value::from("NAME")), (COMMAND, Value::from("BODY"))]));
    let (before, rest) = split(&hollow, "NAME").expect("the CommandUUID is written as it is");
    let (between, behind) = split(rest, "<string>BODY</string>").expect("a text is written as <string>");
    [before, between, behind].map(<[u8]>::to_vec)
});

fn split<'a>(bytes: &'a [u8], at: &str) -> Option<(&'a [u8], &'a [u8])> {
    let place = bytes.windows(at.len()).position(|window| window == at.as_bytes())?;
    Some((&bytes[..place], &bytes[place + at.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        command::{Envelope, SecurityInfo},
        guard::{self, Limits},
    };
    use proptest::prelude::*;

    #[test]
    fn a_body_is_told_from_the_whole() {
        let command = crate::Command::from(SecurityInfo);
        assert!(is_body(&command.body()) && !is_body(&command.encode("c-1")));
        assert!(command.body().ends_with(b"</dict>"));
        assert!(is_body(&body(Dictionary::new())));
        assert_eq!(Envelope::parse(&in_envelope(&command.body(), "c-2")).unwrap().command_uuid, "c-2");
    }

    proptest! {
        #[test]
        fn the_keys_are_read_back(keys in proptest::collection::btree_map("[A-Za-z<>/ ]{1,20}", "[^\\p{C}]{0,40}", 0..5)) {
            let keys: Dictionary = keys.into_iter().map(|(key, text)| (key, Value::from(text))).collect();
            let document = guard::parse(&in_envelope(&body(keys.clone()), "c-1"), Limits::report()).unwrap();
            let document = document.as_dictionary().unwrap();
            prop_assert_eq!(document.get(COMMAND), Some(&Value::Dictionary(keys)));
            prop_assert_eq!(document.get(COMMAND_UUID), Some(&Value::from("c-1")));
        }
    }
}
