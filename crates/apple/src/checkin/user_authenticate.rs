//! `UserAuthenticate`: a directory user logs in to a Mac, which asks whether that user is to be managed (Apple's
//! `mdm/checkin/userauthenticate.yaml`).

use plist::Dictionary;
use std::fmt;

use super::{Channel, Identifiers, start};
use crate::document::to_xml;
use crate::fields::{Fields, Malformed, parse_dictionary, put};
use crate::guard::Limits;

const DIGEST_RESPONSE: &str = "DigestResponse";
const DIGEST_CHALLENGE: &str = "DigestChallenge";
const MAX_DIGEST: usize = 4096;

/// Comes before the `TokenUpdate` of such a user's channel. The server answers 410 for a user that it does not
/// manage, or a challenge. Its `Debug` shows no secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserAuthenticate {
    /// Who sent it; always a user.
    pub ids: Identifiers,
    /// `DigestResponse`: the answer to a challenge that was not empty; absent in the first message.
    pub digest_response: Option<String>,
}

/// The answer that manages the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DigestChallenge {
    /// `DigestChallenge`: empty where the user need not prove anything.
    pub challenge: String,
}

impl UserAuthenticate {
    pub(super) const MESSAGE_TYPE: &'static str = "UserAuthenticate";

    pub(super) fn read(fields: Fields<'_>, ids: Identifiers) -> Result<UserAuthenticate, Malformed> {
        if ids.channel() == Channel::Device {
            return Err(Malformed::Missing { key: "UserID" });
        }
        Ok(UserAuthenticate { ids, digest_response: fields.text(DIGEST_RESPONSE, MAX_DIGEST)? })
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = start(UserAuthenticate::MESSAGE_TYPE, &self.ids);
        put(&mut dictionary, DIGEST_RESPONSE, self.digest_response.clone());
        to_xml(dictionary)
    }
}

impl DigestChallenge {
    /// The body that a server answers.
    pub fn encode(&self) -> Vec<u8> {
        to_xml(Dictionary::from_iter([(DIGEST_CHALLENGE, self.challenge.as_str())]))
    }

    /// Reads what a server answered.
    ///
    /// # Errors
    /// See [`Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<DigestChallenge, Malformed> {
        let dictionary = parse_dictionary(bytes, Limits::server_answer())?;
        if !dictionary.contains_key(DIGEST_CHALLENGE) {
            return Err(Malformed::Missing { key: DIGEST_CHALLENGE });
        }
        let challenge = Fields(&dictionary).text(DIGEST_CHALLENGE, MAX_DIGEST)?;
        Ok(DigestChallenge { challenge: challenge.unwrap_or_default() })
    }
}

impl fmt::Debug for UserAuthenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAuthenticate")
            .field("ids", &self.ids)
            .field("has_response", &self.digest_response.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::CheckIn;
    use super::super::tests::a_device;
    use super::*;

    fn message(digest_response: Option<&str>) -> UserAuthenticate {
        let ids = Identifiers { user_id: Some("U-1".into()), ..a_device() };
        UserAuthenticate { ids, digest_response: digest_response.map(str::to_owned) }
    }

    #[test]
    fn both_messages_of_a_login_are_read() {
        for message in [message(None), message(Some("Digest username=\"ann\""))] {
            assert_eq!(CheckIn::parse(&message.encode()), Ok(CheckIn::UserAuthenticate(message)));
        }
        assert!(CheckIn::parse(&message(Some(&"x".repeat(4097))).encode()).is_err());
        assert!(!format!("{:?}", message(Some("hush"))).contains("hush"));
    }

    #[test]
    fn a_device_is_no_user() {
        let device = UserAuthenticate { ids: a_device(), ..message(None) };
        assert_eq!(CheckIn::parse(&device.encode()), Err(Malformed::Missing { key: "UserID" }));
    }

    #[test]
    fn an_empty_challenge_is_a_challenge() {
        assert_eq!(
            DigestChallenge::parse(&DigestChallenge::default().encode()),
            Ok(DigestChallenge::default())
        );
        assert!(DigestChallenge::parse(b"<plist><dict/></plist>").is_err());
    }
}
