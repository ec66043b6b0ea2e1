//! `TokenUpdate`: where a channel can be pushed to (Apple's `mdm/checkin/tokenupdate.yaml`).

use plist::Value;
use std::fmt;

use super::{Identifiers, MAX_TEXT, TOPIC, start};
use crate::document::to_xml;
use crate::fields::{Fields, Malformed, put};

const MAX_TOKEN: usize = 256;
const MAX_UNLOCK_TOKEN: usize = 64 << 10;

/// The push address of a device or of a user on it. The first one completes the enrollment; later ones
/// replace token, magic and unlock token, but what they leave out stays as it was. Its `Debug` shows no
/// secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TokenUpdate {
    /// `Topic`: that of the enrollment.
    pub topic: String,
    /// Who sent it: the device or a user.
    pub ids: Identifiers,
    /// `Token`: the channel's APNs token, 1 to 256 bytes.
    pub token: Vec<u8>,
    /// `PushMagic`: goes into each push as it is.
    pub push_magic: String,
    /// `UnlockToken`: needed to clear the passcode; at most 64 KiB. Absent does not mean deleted.
    pub unlock_token: Option<Vec<u8>>,
    /// `AwaitingConfiguration`: Setup Assistant waits for a `DeviceConfigured`. Absent does not mean false
    /// once it was true.
    pub awaiting_configuration: Option<bool>,
    /// `NotOnConsole`: the user of a Mac is not the one at its screen.
    pub not_on_console: Option<bool>,
}

impl TokenUpdate {
    pub(super) const MESSAGE_TYPE: &'static str = "TokenUpdate";

    pub(super) fn read(fields: Fields<'_>, ids: Identifiers) -> Result<TokenUpdate, Malformed> {
        Ok(TokenUpdate {
            topic: fields.required_text(TOPIC, MAX_TEXT)?,
            ids,
            token: fields.required_data("Token", 1..=MAX_TOKEN)?,
            push_magic: fields.required_text("PushMagic", MAX_TEXT)?,
            unlock_token: fields.data("UnlockToken", 0..=MAX_UNLOCK_TOKEN)?.filter(|token| !token.is_empty()),
            awaiting_configuration: fields.boolean("AwaitingConfiguration")?,
            not_on_console: fields.boolean("NotOnConsole")?,
        })
    }

    /// The body that a device would send.
    pub fn encode(&self) -> Vec<u8> {
        let mut dictionary = start(TokenUpdate::MESSAGE_TYPE, &self.ids);
        dictionary.insert(TOPIC.into(), self.topic.clone().into());
        dictionary.insert("Token".into(), Value::Data(self.token.clone()));
        dictionary.insert("PushMagic".into(), self.push_magic.clone().into());
        put(&mut dictionary, "UnlockToken", self.unlock_token.clone().map(Value::Data));
        put(&mut dictionary, "AwaitingConfiguration", self.awaiting_configuration);
        put(&mut dictionary, "NotOnConsole", self.not_on_console);
        to_xml(dictionary)
    }
}

impl fmt::Debug for TokenUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenUpdate")
            .field("topic", &self.topic)
            .field("ids", &self.ids)
            .field("has_unlock_token", &self.unlock_token.is_some())
            .field("awaiting_configuration", &self.awaiting_configuration)
            .field("not_on_console", &self.not_on_console)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::a_device;
    use super::super::{CheckIn, Malformed};
    use super::*;
    use proptest::prelude::*;

    fn an_update() -> TokenUpdate {
        TokenUpdate {
            topic: "com.apple.mgmt.x".into(),
            ids: a_device(),
            token: vec![7; 32],
            push_magic: "MAGIC-1".into(),
            ..TokenUpdate::default()
        }
    }

    fn read(message: &TokenUpdate) -> Result<CheckIn, Malformed> {
        CheckIn::parse(&message.encode())
    }

    #[test]
    fn what_is_absent_stays_absent_and_is_not_false() {
        let Ok(CheckIn::TokenUpdate(message)) = read(&an_update()) else { panic!("not read") };
        assert_eq!(
            (message.unlock_token, message.awaiting_configuration, message.not_on_console),
            (None, None, None)
        );
    }

    #[test]
    fn an_empty_unlock_token_counts_as_absent() {
        let Ok(CheckIn::TokenUpdate(message)) =
            read(&TokenUpdate { unlock_token: Some(vec![]), ..an_update() })
        else {
            panic!("not read")
        };
        assert_eq!(message.unlock_token, None);
    }

    #[test]
    fn tokens_have_bounds() {
        assert!(read(&TokenUpdate { token: vec![], ..an_update() }).is_err());
        assert!(read(&TokenUpdate { token: vec![1; 257], ..an_update() }).is_err());
        assert!(read(&TokenUpdate { unlock_token: Some(vec![1; 64 << 10]), ..an_update() }).is_ok());
        assert!(read(&TokenUpdate { unlock_token: Some(vec![1; (64 << 10) + 1]), ..an_update() }).is_err());
    }

    #[test]
    fn a_token_as_text_is_refused_by_name() {
        let body = String::from_utf8(an_update().encode()).unwrap();
        let body = body.replace("<string>MAGIC-1</string>", "<data>AAAA</data>");
        assert_eq!(
            CheckIn::parse(body.as_bytes()),
            Err(Malformed::WrongType { key: "PushMagic", expected: "string" })
        );
    }

    #[test]
    fn its_debug_shows_no_secret() {
        let message = TokenUpdate { unlock_token: Some(vec![99; 4]), ..an_update() };
        let shown = format!("{message:?}");
        assert!(!shown.contains("MAGIC-1") && !shown.contains("99") && !shown.contains("7, 7"), "{shown}");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            token in proptest::collection::vec(any::<u8>(), 1..=256), push_magic in "[^\\p{C}]{1,60}",
            unlock_token in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..2000)),
            awaiting_configuration in any::<Option<bool>>(), not_on_console in any::<Option<bool>>(),
            user in proptest::option::of("[A-F0-9-]{1,36}"),
        ) {
            let ids = Identifiers { user_id: user, ..a_device() };
            let message = TokenUpdate {
                token, push_magic, unlock_token, awaiting_configuration, not_on_console, ids, ..an_update()
            };
            prop_assert_eq!(read(&message), Ok(CheckIn::TokenUpdate(message)));
        }
    }
}
