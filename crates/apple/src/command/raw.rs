//! Commands of any kind, as an administrator writes them: a property list, or JSON that the facts turn into one.

use plist::{Date, Dictionary, Value};
use serde_json::{Map, Value as Json};

use super::{
    COMMAND, MAX_TEXT, REQUEST_TYPE,
    body::{body, in_envelope},
};
use crate::facts::{self, Key, Rule, Type};
use crate::fields::{Fields, Malformed, parse_dictionary};
use crate::guard::{self, Limits};

/// Parts of names of keys whose values are nobody's business.
const SECRET_NAMES: [&str; 8] =
    ["password", "passcode", "passwd", "secret", "token", "bypass", "recoverykey", "privatekey"];

/// A command that may be any that Apple has, or none; [`crate::validate::command`] judges its keys.
///
/// Its `Debug` leaves out the values, which may be passwords.
#[derive(Clone, PartialEq)]
pub struct RawCommand {
    request_type: String,
    keys: Dictionary,
}

impl RawCommand {
    /// Reads the keys of a command from JSON: `RequestType` and those beside it. What Apple's schema calls data is
    /// written in base64, a date as RFC 3339; what is null is left out.
    ///
    /// # Errors
    /// Where it is no object with a `RequestType`, or could not be a property list that a device reads.
    pub fn from_json(json: &Json) -> Result<Self, Malformed> {
        let object = json.as_object().ok_or(Malformed::NotADictionary)?;
        let named = object.get(REQUEST_TYPE).and_then(Json::as_str);
        let known = named.and_then(facts::command).map(|entry| entry.keys);
        Self::checked(dictionary(object, known.unwrap_or_default()))
    }

    /// Reads a property list, XML or binary, with Apple's envelope or without; a `CommandUUID` in it is not used.
    ///
    /// # Errors
    /// The same.
    pub fn from_plist(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut document = parse_dictionary(bytes, Limits::report())?;
        match document.remove(COMMAND).and_then(Value::into_dictionary) {
            Some(inner) => Self::checked(inner),
            None => Self::checked(document),
        }
    }

    /// What the guard of devices would refuse is refused here.
    fn checked(keys: Dictionary) -> Result<Self, Malformed> {
        let request_type = Fields(&keys).required_text(REQUEST_TYPE, MAX_TEXT)?;
        let command = Self { request_type, keys };
        guard::parse(&command.encode(""), Limits::server_answer())?;
        Ok(command)
    }

    /// Apple's `RequestType`.
    pub fn request_type(&self) -> &str {
        &self.request_type
    }

    /// `RequestType` and the keys beside it.
    pub fn keys(&self) -> &Dictionary {
        &self.keys
    }

    /// The plist that hands this command to a device.
    pub fn encode(&self, command_uuid: &str) -> Vec<u8> {
        in_envelope(&self.body(), command_uuid)
    }

    /// What of it is the same for every device, for [`in_envelope`].
    pub fn body(&self) -> Vec<u8> {
        body(self.keys.clone())
    }

    /// Whether it holds what must not be read by everybody: a password, a PIN, a token, or data, which may be a profile
    /// with any of them.
    pub fn is_secret(&self) -> bool {
        holds_secret(&self.keys)
    }
}

impl std::fmt::Debug for RawCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawCommand").field("request_type", &self.request_type).finish_non_exhaustive()
    }
}

/// Whether the value of a key of this name, in a command or in an answer, is nobody's business.
pub fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower == "pin" || SECRET_NAMES.iter().any(|part| lower.contains(part))
}

fn holds_secret(dictionary: &Dictionary) -> bool {
    dictionary.iter().any(|(name, value)| is_secret_name(name) || is_secret(value))
}

fn is_secret(value: &Value) -> bool {
    match value {
        Value::Data(_) => true,
        Value::Dictionary(inner) => holds_secret(inner),
        Value::Array(items) => items.iter().any(is_secret),
        _ => false,
    }
}

fn dictionary(object: &Map<String, Json>, known: &'static [Key]) -> Dictionary {
    let find = |name: &str| {
        let exact = known.iter().find(|key| key.name == name);
        exact.or_else(|| known.iter().find(|key| key.is_wildcard()))
    };
    object.iter().filter_map(|(name, json)| Some((name.clone(), value(json, find(name))?))).collect()
}

fn value(json: &Json, key: Option<&'static Key>) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(truth) => (*truth).into(),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) => number.into(),
            (None, None) => number.as_f64().unwrap_or_default().into(),
        },
        Json::String(text) => self::text(text, key.map(|key| key.is)),
        Json::Array(items) => {
            let kinds = key.map(|key| key.keys).unwrap_or_default();
            Value::Array(items.iter().filter_map(|item| value(item, kind_of(item, kinds))).collect())
        }
        Json::Object(object) => {
            Value::Dictionary(dictionary(object, key.map(|key| key.keys).unwrap_or_default()))
        }
    })
}

/// What is no base64, or no date, stays a text, and the validator says so.
fn text(text: &str, is: Option<Type>) -> Value {
    let other = match is {
        Some(Type::Data) => base64(text).map(Value::Data),
        Some(Type::Date) => Date::from_xml_format(text).ok().map(Value::Date),
        _ => None,
    };
    other.unwrap_or_else(|| text.into())
}

/// Of an array whose items are of several kinds the one whose constant keys this item has.
fn kind_of(item: &Json, kinds: &'static [Key]) -> Option<&'static Key> {
    let is_of = |kind: &&Key| {
        let mut constants = kind.keys.iter().filter_map(|key| {
            key.rules.iter().find_map(|rule| match rule {
                Rule::Texts([only]) => Some((key.name, *only)),
                _ => None,
            })
        });
        constants.any(|(name, only)| item.get(name).and_then(Json::as_str) == Some(only))
    };
    if kinds.len() == 1 { kinds.first() } else { kinds.iter().find(is_of) }
}

/// RFC 4648, section 4; line breaks do not count.
fn base64(text: &str) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text.bytes().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let body = letters.strip_suffix(b"==").or_else(|| letters.strip_suffix(b"=")).unwrap_or(&letters);
    if body.len() != letters.len() && !letters.len().is_multiple_of(4) || body.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(body.len() / 4 * 3 + 2);
    for group in body.chunks(4) {
        let mut bits = 0u32;
        for letter in group {
            bits = bits << 6 | u32::from(sextet(*letter)?);
        }
        bits <<= 6 * (4 - group.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

fn sextet(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::to_xml;
    use crate::validate::{self, Options, Target};
    use proptest::prelude::*;
    use serde_json::json;

    fn raw(json: &Json) -> RawCommand {
        RawCommand::from_json(json).unwrap()
    }

    #[test]
    fn the_facts_say_what_is_data_and_what_is_a_date() {
        let profile = raw(&json!({ "RequestType": "InstallProfile", "Payload": "PHBsaXN0Lz4=" }));
        assert_eq!(profile.keys().get("Payload"), Some(&Value::Data(b"<plist/>".to_vec())));
        let lock = raw(&json!({ "RequestType": "DeviceLock", "Message": "PHBsaXN0Lz4=", "PIN": null }));
        assert_eq!(lock.keys().get("Message"), Some(&"PHBsaXN0Lz4=".into()));
        assert!(!lock.keys().contains_key("PIN"));
        let settings = raw(&json!({ "RequestType": "Settings", "Settings": [
            { "Item": "Wallpaper", "Image": "AAEC", "Where": 1 }, { "Item": "DeviceName", "DeviceName": "AAEC" },
        ]}));
        let items = settings.keys().get("Settings").and_then(Value::as_array).unwrap();
        let of = |n: usize, key: &str| items[n].as_dictionary().unwrap().get(key).cloned();
        assert_eq!(of(0, "Image"), Some(Value::Data(vec![0, 1, 2])));
        assert_eq!(of(1, "DeviceName"), Some("AAEC".into()));
    }

    #[test]
    fn what_is_no_base64_is_left_for_the_validator_to_tell() {
        let profile = raw(&json!({ "RequestType": "InstallProfile", "Payload": "no base64!" }));
        let verdict = validate::command(profile.keys(), &Target::default(), Options::default());
        assert_eq!(verdict.faults[0].to_string(), "Payload: found string; allowed: data");
    }

    #[test]
    fn a_command_without_its_name_or_without_end_is_none() {
        for json in [json!(5), json!({}), json!({ "RequestType": "" }), json!({ "RequestType": 7 })] {
            assert!(RawCommand::from_json(&json).is_err(), "{json}");
        }
        let deep = (0..80).fold(json!(1), |inner, _| json!([inner]));
        assert!(RawCommand::from_json(&json!({ "RequestType": "Settings", "Settings": deep })).is_err());
        assert!(RawCommand::from_plist(b"<plist><dict/></plist>").is_err());
    }

    #[test]
    fn a_plist_is_read_with_its_envelope_and_without() {
        let lock = raw(&json!({ "RequestType": "DeviceLock", "Message": "hi" }));
        assert_eq!(RawCommand::from_plist(&lock.encode("c")).unwrap(), lock);
        let bare = to_xml(lock.keys().clone());
        assert_eq!(RawCommand::from_plist(&bare).unwrap(), lock);
    }

    #[test]
    fn passwords_pins_tokens_and_data_are_secrets() {
        for secret in [
            json!({ "RequestType": "DeviceLock", "PIN": "123456" }),
            json!({ "RequestType": "ClearPasscode", "UnlockToken": "AAEC" }),
            json!({ "RequestType": "SetRecoveryLock", "NewPassword": "x" }),
            json!({ "RequestType": "InstallProfile", "Payload": "AAEC" }),
            json!({ "RequestType": "Unheard", "Deep": [{ "wifiPassword": "x" }] }),
        ] {
            assert!(raw(&secret).is_secret(), "{secret}");
        }
        assert!(!raw(&json!({ "RequestType": "DeviceLock", "Message": "my PIN is gone" })).is_secret());
        assert!(
            !format!("{:?}", raw(&json!({ "RequestType": "DeviceLock", "PIN": "482913" }))).contains("4829")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_survive_base64(bytes in proptest::collection::vec(any::<u8>(), 0..200), padded in any::<bool>()) {
            const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            let mut text = String::new();
            for group in bytes.chunks(3) {
                let mut bits = [0; 4];
                bits[1..=group.len()].copy_from_slice(group);
                let bits = u32::from_be_bytes(bits);
                for n in 0..=group.len() {
                    text.push(char::from(LETTERS[(bits >> (18 - 6 * n) & 63) as usize]));
                }
                if padded {
                    text.push_str(&"="[..].repeat(3 - group.len()));
                }
            }
            prop_assert_eq!(base64(&text), Some(bytes));
        }

        #[test]
        fn any_text_is_base64_or_not(text in ".{0,40}") {
            let _ = base64(&text);
        }
    }
}
