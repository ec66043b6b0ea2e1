//! Check-in messages: how a device presents itself, registers for pushes, and takes its leave.

mod authenticate;
mod check_out;
mod identifiers;
mod token_update;

pub use authenticate::Authenticate;
pub use check_out::CheckOut;
pub use identifiers::{Channel, Identifiers};
pub use token_update::TokenUpdate;

use plist::{Dictionary, Value};

use crate::fields::{Fields, Malformed, parse_dictionary};
use crate::guard::Limits;

/// No text of a check-in is longer than this, in bytes.
pub(crate) const MAX_TEXT: usize = 1024;
pub(crate) const MESSAGE_TYPE: &str = "MessageType";
const TOPIC: &str = "Topic";

/// A message to the `CheckInURL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckIn {
    /// The device begins to enroll; it is not enrolled yet.
    Authenticate(Authenticate),
    /// The device, or a user on it, can be pushed to from now on.
    TokenUpdate(TokenUpdate),
    /// The device has removed its profile. Best effort: many devices leave without a word.
    CheckOut(CheckOut),
    /// A message of Apple's that is not handled yet, or of a newer OS.
    Unsupported {
        /// Its `MessageType`.
        message_type: String,
        /// Who sent it.
        ids: Identifiers,
    },
}

impl CheckIn {
    /// Reads the body of a check-in, at most 1 MiB of XML.
    ///
    /// # Errors
    /// See [`Malformed`]; a required key that is missing or a key of the wrong type is named.
    pub fn parse(bytes: &[u8]) -> Result<CheckIn, Malformed> {
        CheckIn::read(&parse_dictionary(bytes, Limits::check_in())?)
    }

    pub(crate) fn read(dictionary: &Dictionary) -> Result<CheckIn, Malformed> {
        let fields = Fields(dictionary);
        let message_type = fields.required_text(MESSAGE_TYPE, MAX_TEXT)?;
        let ids = Identifiers::read(fields)?;
        match message_type.as_str() {
            Authenticate::MESSAGE_TYPE => Authenticate::read(fields, ids).map(CheckIn::Authenticate),
            TokenUpdate::MESSAGE_TYPE => TokenUpdate::read(fields, ids).map(CheckIn::TokenUpdate),
            CheckOut::MESSAGE_TYPE => CheckOut::read(fields, ids).map(CheckIn::CheckOut),
            _ => Ok(CheckIn::Unsupported { message_type, ids }),
        }
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            CheckIn::Authenticate(message) => message.encode(),
            CheckIn::TokenUpdate(message) => message.encode(),
            CheckIn::CheckOut(message) => message.encode(),
            CheckIn::Unsupported { message_type, ids } => crate::document::to_xml(start(message_type, ids)),
        }
    }

    /// Who sent it.
    pub fn ids(&self) -> &Identifiers {
        match self {
            CheckIn::Authenticate(message) => &message.ids,
            CheckIn::TokenUpdate(message) => &message.ids,
            CheckIn::CheckOut(message) => &message.ids,
            CheckIn::Unsupported { ids, .. } => ids,
        }
    }

    /// Apple's `MessageType`.
    pub fn message_type(&self) -> &str {
        match self {
            CheckIn::Authenticate(_) => Authenticate::MESSAGE_TYPE,
            CheckIn::TokenUpdate(_) => TokenUpdate::MESSAGE_TYPE,
            CheckIn::CheckOut(_) => CheckOut::MESSAGE_TYPE,
            CheckIn::Unsupported { message_type, .. } => message_type,
        }
    }
}

/// What every check-in begins with.
fn start(message_type: &str, ids: &Identifiers) -> Dictionary {
    let mut dictionary = Dictionary::from_iter([(MESSAGE_TYPE, Value::from(message_type))]);
    ids.write(&mut dictionary);
    dictionary
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn a_device() -> Identifiers {
        Identifiers { udid: Some("00008140-000A1B2C3D4E5F60".into()), ..Identifiers::default() }
    }

    #[test]
    fn a_message_of_a_newer_os_is_unsupported_and_not_malformed() {
        let unsupported = CheckIn::Unsupported { message_type: "ReturnToService".into(), ids: a_device() };
        assert_eq!(CheckIn::parse(&unsupported.encode()), Ok(unsupported));
    }

    #[test]
    fn a_message_without_its_type_or_sender_is_refused() {
        let mut dictionary = start("CheckOut", &a_device());
        dictionary.remove(MESSAGE_TYPE);
        assert_eq!(CheckIn::read(&dictionary), Err(Malformed::Missing { key: "MessageType" }));
        let nobody = start("CheckOut", &Identifiers::default());
        assert_eq!(CheckIn::read(&nobody), Err(Malformed::Missing { key: "UDID" }));
    }

    #[test]
    fn a_bomb_is_refused_by_the_guard() {
        let bomb = format!("<plist>{}", "<array>".repeat(4_000));
        assert!(matches!(CheckIn::parse(bomb.as_bytes()), Err(Malformed::Plist(_))));
        assert_eq!(CheckIn::parse(b"<plist><array/></plist>"), Err(Malformed::NotADictionary));
    }

    proptest! {
        #[test]
        fn arbitrary_values_under_known_keys_never_panic(
            message_type in
                proptest::sample::select(vec!["Authenticate", "TokenUpdate", "CheckOut", "GetToken"]),
            pairs in proptest::collection::vec((
                proptest::sample::select(vec![
                    "UDID", "EnrollmentID", "UserID", "UserShortName", "Topic", "Token", "PushMagic",
                    "UnlockToken", "AwaitingConfiguration", "NotOnConsole", "OSVersion", "SerialNumber",
                    "EnrollmentUserID",
                ]),
                prop_oneof![
                    ".{0,40}".prop_map(Value::from),
                    any::<bool>().prop_map(Value::from),
                    any::<i32>().prop_map(Value::from),
                    proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::Data),
                ],
            ), 0..12),
        ) {
            let mut dictionary = Dictionary::from_iter(pairs);
            dictionary.insert(MESSAGE_TYPE.into(), message_type.into());
            if let Ok(message) = CheckIn::parse(&crate::document::to_xml(dictionary)) {
                prop_assert!(!message.ids().device_key().is_empty());
                prop_assert_eq!(CheckIn::parse(&message.encode()), Ok(message));
            }
        }
    }
}
