//! Writes property lists that every XML parser accepts.

use plist::{Dictionary, Value};

/// The XML of a dictionary. Characters that XML cannot carry (U+0000 to U+001F but tab and line ends, U+FFFE,
/// U+FFFF) are left out, because one of them makes the device refuse the whole document.
pub(crate) fn to_xml(dictionary: Dictionary) -> Vec<u8> {
    let mut bytes = Vec::new();
    Value::Dictionary(clean_dictionary(dictionary))
        .to_writer_xml(&mut bytes)
        .expect("a Vec takes every byte, and UIDs, the one kind that XML lacks, were left out");
    bytes
}

fn clean(value: Value) -> Option<Value> {
    Some(match value {
        Value::String(text) => Value::String(clean_text(text)),
        Value::Array(items) => Value::Array(items.into_iter().filter_map(clean).collect()),
        Value::Dictionary(dictionary) => Value::Dictionary(clean_dictionary(dictionary)),
        Value::Uid(_) => return None,
        other => other,
    })
}

fn clean_dictionary(dictionary: Dictionary) -> Dictionary {
    dictionary.into_iter().filter_map(|(key, value)| Some((clean_text(key), clean(value)?))).collect()
}

fn clean_text(text: String) -> String {
    if text.chars().all(xml_can_carry) { text } else { text.chars().filter(|c| xml_can_carry(*c)).collect() }
}

/// XML 1.0, production 2 (`Char`).
pub(crate) fn xml_can_carry(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{self, Limits};

    #[test]
    fn characters_that_xml_cannot_carry_are_left_out() {
        let mut dictionary = Dictionary::new();
        dictionary.insert("Message\u{1}".into(), Value::from("ring\u{8} me\u{ffff} at\n5 < 6 & \"7\""));
        let read = guard::parse(&to_xml(dictionary), Limits::report()).unwrap();
        assert_eq!(
            read.as_dictionary().and_then(|d| d.get("Message")).and_then(Value::as_string),
            Some("ring me at\n5 < 6 & \"7\"")
        );
    }

    #[test]
    fn a_uid_is_left_out() {
        let mut dictionary = Dictionary::new();
        dictionary.insert("id".into(), Value::Uid(plist::Uid::new(1)));
        dictionary
            .insert("ids".into(), Value::Array(vec![Value::Uid(plist::Uid::new(1)), Value::from(true)]));
        let read = guard::parse(&to_xml(dictionary), Limits::report()).unwrap();
        let read = read.as_dictionary().unwrap();
        assert_eq!(read.get("id"), None);
        assert_eq!(read.get("ids"), Some(&Value::Array(vec![Value::from(true)])));
    }
}
