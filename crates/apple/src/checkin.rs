//! Check-in messages: how a device presents itself, registers for pushes, and takes its leave.

mod authenticate;
mod bootstrap_token;
mod check_out;
mod declarative_management;
mod get_token;
mod identifiers;
mod return_to_service;
mod token_update;
mod user_authenticate;

pub use authenticate::Authenticate;
pub use bootstrap_token::{BootstrapToken, GetBootstrapToken, SetBootstrapToken};
pub use check_out::CheckOut;
pub use declarative_management::{DeclarativeManagement, Endpoint};
pub use get_token::{GetToken, TokenAnswer, TokenService, WatchPairing};
pub use identifiers::{Channel, Identifiers};
pub use return_to_service::{ReturnToService, ReturnToServiceAnswer};
pub use token_update::TokenUpdate;
pub use user_authenticate::{DigestChallenge, UserAuthenticate};

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
    /// A directory user logs in to a Mac.
    UserAuthenticate(UserAuthenticate),
    /// The device leaves a secret with its server.
    SetBootstrapToken(SetBootstrapToken),
    /// The device asks for it.
    GetBootstrapToken(GetBootstrapToken),
    /// The device asks for a token of a service.
    GetToken(GetToken),
    /// The device fetches what is declared, or reports its status.
    DeclarativeManagement(DeclarativeManagement),
    /// The device asks whether it may erase itself for its next user.
    ReturnToService(ReturnToService),
    /// A message of a newer OS.
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
            UserAuthenticate::MESSAGE_TYPE => {
                UserAuthenticate::read(fields, ids).map(CheckIn::UserAuthenticate)
            }
            SetBootstrapToken::MESSAGE_TYPE => {
                SetBootstrapToken::read(fields, ids).map(CheckIn::SetBootstrapToken)
            }
            GetBootstrapToken::MESSAGE_TYPE => {
                GetBootstrapToken::read(fields, ids).map(CheckIn::GetBootstrapToken)
            }
            GetToken::MESSAGE_TYPE => GetToken::read(fields, ids).map(CheckIn::GetToken),
            DeclarativeManagement::MESSAGE_TYPE => {
                DeclarativeManagement::read(fields, ids).map(CheckIn::DeclarativeManagement)
            }
            ReturnToService::MESSAGE_TYPE => Ok(CheckIn::ReturnToService(ReturnToService { ids })),
            _ => Ok(CheckIn::Unsupported { message_type, ids }),
        }
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            CheckIn::Authenticate(message) => message.encode(),
            CheckIn::TokenUpdate(message) => message.encode(),
            CheckIn::CheckOut(message) => message.encode(),
            CheckIn::UserAuthenticate(message) => message.encode(),
            CheckIn::SetBootstrapToken(message) => message.encode(),
            CheckIn::GetBootstrapToken(message) => message.encode(),
            CheckIn::GetToken(message) => message.encode(),
            CheckIn::DeclarativeManagement(message) => message.encode(),
            CheckIn::ReturnToService(message) => message.encode(),
            CheckIn::Unsupported { message_type, ids } => crate::document::to_xml(start(message_type, ids)),
        }
    }

    /// Who sent it.
    pub fn ids(&self) -> &Identifiers {
        match self {
            CheckIn::Authenticate(message) => &message.ids,
            CheckIn::TokenUpdate(message) => &message.ids,
            CheckIn::CheckOut(message) => &message.ids,
            CheckIn::UserAuthenticate(message) => &message.ids,
            CheckIn::SetBootstrapToken(message) => &message.ids,
            CheckIn::GetBootstrapToken(message) => &message.ids,
            CheckIn::GetToken(message) => &message.ids,
            CheckIn::DeclarativeManagement(message) => &message.ids,
            CheckIn::ReturnToService(message) => &message.ids,
            CheckIn::Unsupported { ids, .. } => ids,
        }
    }

    /// Apple's `MessageType`.
    pub fn message_type(&self) -> &str {
        match self {
            CheckIn::Authenticate(_) => Authenticate::MESSAGE_TYPE,
            CheckIn::TokenUpdate(_) => TokenUpdate::MESSAGE_TYPE,
            CheckIn::CheckOut(_) => CheckOut::MESSAGE_TYPE,
            CheckIn::UserAuthenticate(_) => UserAuthenticate::MESSAGE_TYPE,
            CheckIn::SetBootstrapToken(_) => SetBootstrapToken::MESSAGE_TYPE,
            CheckIn::GetBootstrapToken(_) => GetBootstrapToken::MESSAGE_TYPE,
            CheckIn::GetToken(_) => GetToken::MESSAGE_TYPE,
            CheckIn::DeclarativeManagement(_) => DeclarativeManagement::MESSAGE_TYPE,
            CheckIn::ReturnToService(_) => ReturnToService::MESSAGE_TYPE,
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
        let unsupported = CheckIn::Unsupported { message_type: "Tomorrow".into(), ids: a_device() };
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
                proptest::sample::select(vec![
                    "Authenticate", "TokenUpdate", "CheckOut", "UserAuthenticate", "SetBootstrapToken",
                    "GetBootstrapToken", "GetToken", "DeclarativeManagement", "ReturnToService", "Tomorrow",
                ]),
            pairs in proptest::collection::vec((
                proptest::sample::select(vec![
                    "UDID", "EnrollmentID", "UserID", "UserShortName", "Topic", "Token", "PushMagic",
                    "UnlockToken", "AwaitingConfiguration", "NotOnConsole", "OSVersion", "SerialNumber",
                    "EnrollmentUserID", "BootstrapToken", "TokenServiceType", "TokenParameters", "Endpoint",
                    "Data", "DigestResponse",
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
