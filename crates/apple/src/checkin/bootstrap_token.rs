//! `SetBootstrapToken` and `GetBootstrapToken`: a Mac leaves a secret with its server, by which it lets users in and
//! updates in later (Apple's `mdm/checkin/setbootstraptoken.yaml` and `getbootstraptoken.yaml`).

use plist::{Dictionary, Value};
use std::fmt;

use super::{Identifiers, start};
use crate::document::to_xml;
use crate::fields::{Fields, Malformed, parse_dictionary, put};
use crate::guard::Limits;

const BOOTSTRAP_TOKEN: &str = "BootstrapToken";
const AWAITING_CONFIGURATION: &str = "AwaitingConfiguration";
const MAX_BOOTSTRAP_TOKEN: usize = 64 << 10;

/// A device hands its bootstrap token over, or takes it back. Its `Debug` shows no secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SetBootstrapToken {
    /// Who sent it; never a user.
    pub ids: Identifiers,
    /// `BootstrapToken`, at most 64 KiB. `None`, which an empty one counts as, deletes the one before.
    pub token: Option<Vec<u8>>,
    /// `AwaitingConfiguration`: Setup Assistant waits.
    pub awaiting_configuration: Option<bool>,
}

/// A device asks for the token that it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetBootstrapToken {
    /// Who sent it; never a user.
    pub ids: Identifiers,
    /// `AwaitingConfiguration`: Setup Assistant waits.
    pub awaiting_configuration: Option<bool>,
}

/// The answer to [`GetBootstrapToken`]. Its `Debug` shows no secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BootstrapToken {
    /// `BootstrapToken`; `None` where there is none, which is no error and goes out as no bytes.
    pub token: Option<Vec<u8>>,
}

impl SetBootstrapToken {
    pub(super) const MESSAGE_TYPE: &'static str = "SetBootstrapToken";

    pub(super) fn read(fields: Fields<'_>, ids: Identifiers) -> Result<SetBootstrapToken, Malformed> {
        Ok(SetBootstrapToken {
            ids,
            token: token(fields)?,
            awaiting_configuration: fields.boolean(AWAITING_CONFIGURATION)?,
        })
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = start(SetBootstrapToken::MESSAGE_TYPE, &self.ids);
        put(&mut dictionary, BOOTSTRAP_TOKEN, self.token.clone().map(Value::Data));
        put(&mut dictionary, AWAITING_CONFIGURATION, self.awaiting_configuration);
        to_xml(dictionary)
    }
}

impl GetBootstrapToken {
    pub(super) const MESSAGE_TYPE: &'static str = "GetBootstrapToken";

    pub(super) fn read(fields: Fields<'_>, ids: Identifiers) -> Result<GetBootstrapToken, Malformed> {
        Ok(GetBootstrapToken { ids, awaiting_configuration: fields.boolean(AWAITING_CONFIGURATION)? })
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = start(GetBootstrapToken::MESSAGE_TYPE, &self.ids);
        put(&mut dictionary, AWAITING_CONFIGURATION, self.awaiting_configuration);
        to_xml(dictionary)
    }
}

impl BootstrapToken {
    /// The body that a server answers.
    pub fn encode(&self) -> Vec<u8> {
        let token = Value::Data(self.token.clone().unwrap_or_default());
        to_xml(Dictionary::from_iter([(BOOTSTRAP_TOKEN, token)]))
    }

    /// Reads what a server answered.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<BootstrapToken, Malformed> {
        let dictionary = parse_dictionary(bytes, Limits::server_answer())?;
        Ok(BootstrapToken { token: token(Fields(&dictionary))? })
    }
}

fn token(fields: Fields<'_>) -> Result<Option<Vec<u8>>, Malformed> {
    Ok(fields.data(BOOTSTRAP_TOKEN, 0..=MAX_BOOTSTRAP_TOKEN)?.filter(|token| !token.is_empty()))
}

impl fmt::Debug for SetBootstrapToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetBootstrapToken")
            .field("ids", &self.ids)
            .field("has_token", &self.token.is_some())
            .field("awaiting_configuration", &self.awaiting_configuration)
            .finish()
    }
}

impl fmt::Debug for BootstrapToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BootstrapToken").field("has_token", &self.token.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckIn;
    use super::super::tests::a_device;
    use super::*;
    use proptest::prelude::*;

    fn set(token: Option<Vec<u8>>) -> SetBootstrapToken {
        SetBootstrapToken { ids: a_device(), token, awaiting_configuration: None }
    }

    #[test]
    fn an_empty_token_is_none() {
        let read = CheckIn::parse(&set(Some(vec![])).encode());
        assert_eq!(read, Ok(CheckIn::SetBootstrapToken(set(None))));
        assert_eq!(BootstrapToken::parse(&BootstrapToken::default().encode()), Ok(BootstrapToken::default()));
    }

    #[test]
    fn a_token_has_bounds_and_is_data() {
        assert!(CheckIn::parse(&set(Some(vec![1; 64 << 10])).encode()).is_ok());
        assert!(CheckIn::parse(&set(Some(vec![1; (64 << 10) + 1])).encode()).is_err());
        let text = String::from_utf8(set(Some(vec![1])).encode()).unwrap();
        let text = text.replace("<data>", "<string>").replace("</data>", "</string>");
        assert_eq!(
            CheckIn::parse(text.as_bytes()),
            Err(Malformed::WrongType { key: "BootstrapToken", expected: "data" })
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = Some(vec![99; 4]);
        assert!(!format!("{:?}", set(secret.clone())).contains("99"));
        assert!(!format!("{:?}", BootstrapToken { token: secret }).contains("99"));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            token in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..500)),
            awaiting_configuration in any::<Option<bool>>(),
        ) {
            let message = SetBootstrapToken { awaiting_configuration, ..set(token.clone()) };
            prop_assert_eq!(CheckIn::parse(&message.encode()), Ok(CheckIn::SetBootstrapToken(message)));
            let message = GetBootstrapToken { ids: a_device(), awaiting_configuration };
            prop_assert_eq!(CheckIn::parse(&message.encode()), Ok(CheckIn::GetBootstrapToken(message)));
            let answer = BootstrapToken { token };
            prop_assert_eq!(BootstrapToken::parse(&answer.encode()), Ok(answer));
        }
    }
}
