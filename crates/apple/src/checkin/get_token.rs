//! `GetToken`: a device asks for a token of a service (Apple's `mdm/checkin/gettoken.yaml`).

use plist::{Dictionary, Value};
use std::fmt;

use super::{Identifiers, MAX_TEXT, start};
use crate::document::to_xml;
use crate::fields::{Fields, Malformed, parse_dictionary};
use crate::guard::Limits;

const SERVICE: &str = "TokenServiceType";
const PARAMETERS: &str = "TokenParameters";
const TOKEN_DATA: &str = "TokenData";
const MAX_TOKEN_DATA: usize = 64 << 10;
const MAID: &str = "com.apple.maid";
const WATCH_PAIRING: &str = "com.apple.watch.pairing";

/// A device, or a user on it, asks for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetToken {
    /// Who sent it: the device or a user.
    pub ids: Identifiers,
    /// `TokenServiceType`, with its parameters.
    pub service: TokenService,
}

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenService {
    /// `com.apple.maid`: access management of Managed Apple Accounts; a signed JWT.
    Maid,
    /// `com.apple.watch.pairing`: lets a watch enroll that is paired with this phone.
    WatchPairing(WatchPairing),
    /// A service of a newer OS.
    Other(String),
}

/// `TokenParameters` of [`TokenService::WatchPairing`]; all are needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchPairing {
    /// `SecurityToken`: what the watch was told when it asked for its profile without a token.
    pub security_token: String,
    /// `PhoneUDID`.
    pub phone_udid: String,
    /// `WatchUDID`.
    pub watch_udid: String,
}

/// The answer to [`GetToken`]. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenAnswer {
    /// `TokenData`, 1 byte to 64 KiB.
    pub data: Vec<u8>,
}

impl GetToken {
    pub(super) const MESSAGE_TYPE: &'static str = "GetToken";

    pub(super) fn read(fields: Fields<'_>, ids: Identifiers) -> Result<GetToken, Malformed> {
        let service = fields.required_text(SERVICE, MAX_TEXT)?;
        let service = match service.as_str() {
            MAID => TokenService::Maid,
            WATCH_PAIRING => {
                TokenService::WatchPairing(WatchPairing::read(fields.required_dictionary(PARAMETERS)?)?)
            }
            _ => TokenService::Other(service),
        };
        Ok(GetToken { ids, service })
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = start(GetToken::MESSAGE_TYPE, &self.ids);
        dictionary.insert(SERVICE.into(), self.service.name().into());
        if let TokenService::WatchPairing(pairing) = &self.service {
            dictionary.insert(PARAMETERS.into(), Value::Dictionary(pairing.to_dictionary()));
        }
        to_xml(dictionary)
    }
}

impl TokenService {
    /// Apple's name for it.
    pub fn name(&self) -> &str {
        match self {
            TokenService::Maid => MAID,
            TokenService::WatchPairing(_) => WATCH_PAIRING,
            TokenService::Other(name) => name,
        }
    }
}

impl WatchPairing {
    fn read(fields: Fields<'_>) -> Result<WatchPairing, Malformed> {
        Ok(WatchPairing {
            security_token: fields.required_text("SecurityToken", MAX_TEXT)?,
            phone_udid: fields.required_text("PhoneUDID", MAX_TEXT)?,
            watch_udid: fields.required_text("WatchUDID", MAX_TEXT)?,
        })
    }

    fn to_dictionary(&self) -> Dictionary {
        Dictionary::from_iter([
            ("SecurityToken", self.security_token.as_str()),
            ("PhoneUDID", &self.phone_udid),
            ("WatchUDID", &self.watch_udid),
        ])
    }
}

impl TokenAnswer {
    /// The body that a server answers.
    pub fn encode(&self) -> Vec<u8> {
        to_xml(Dictionary::from_iter([(TOKEN_DATA, Value::Data(self.data.clone()))]))
    }

    /// Reads what a server answered.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<TokenAnswer, Malformed> {
        let dictionary = parse_dictionary(bytes, Limits::server_answer())?;
        Ok(TokenAnswer { data: Fields(&dictionary).required_data(TOKEN_DATA, 1..=MAX_TOKEN_DATA)? })
    }
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer").field("bytes", &self.data.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckIn;
    use super::super::tests::a_device;
    use super::*;
    use proptest::prelude::*;

    fn pairing() -> WatchPairing {
        WatchPairing { security_token: "S".into(), phone_udid: "P".into(), watch_udid: "W".into() }
    }

    #[test]
    fn a_pairing_needs_all_its_parameters() {
        let whole = GetToken { ids: a_device(), service: TokenService::WatchPairing(pairing()) }.encode();
        let whole = String::from_utf8(whole).unwrap();
        for key in ["TokenParameters", "SecurityToken", "PhoneUDID", "WatchUDID"] {
            let without = whole.replace(&format!("<key>{key}</key>"), "<key>Other</key>");
            let Err(Malformed::Missing { key: missing }) = CheckIn::parse(without.as_bytes()) else {
                panic!("{key} is not missed")
            };
            assert_eq!(missing, key);
        }
    }

    #[test]
    fn an_answer_without_data_is_none() {
        assert!(TokenAnswer::parse(&TokenAnswer { data: vec![] }.encode()).is_err());
        assert!(TokenAnswer::parse(b"<plist><dict/></plist>").is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            name in "com\\.example\\.[a-z]{1,20}", which in 0..3, data in proptest::collection::vec(any::<u8>(), 1..99),
        ) {
            let service = match which {
                0 => TokenService::Maid,
                1 => TokenService::WatchPairing(pairing()),
                _ => TokenService::Other(name),
            };
            let message = GetToken { ids: a_device(), service };
            prop_assert_eq!(CheckIn::parse(&message.encode()), Ok(CheckIn::GetToken(message)));
            let answer = TokenAnswer { data };
            prop_assert_eq!(TokenAnswer::parse(&answer.encode()), Ok(answer));
        }
    }
}
