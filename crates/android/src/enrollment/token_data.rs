//! `additionalData` of a token: the only thing that a device brings back from its enrollment.
//!
//! Google does not say whether a device came by zero-touch or by Knox. So each way gets tokens of its own,
//! and the token says which way it is for, and for whom it was made.

use serde::{Deserialize, Serialize, Serializer};

/// Google's bound, in characters.
pub const MAX_ADDITIONAL_DATA: usize = 1024;
/// Tells our data from that of others; grows if the form ever changes.
const VERSION: u8 = 1;

/// The way by which a token reaches its devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A QR code, a link or a code that somebody enters.
    Direct,
    /// Zero-touch enrollment.
    ZeroTouch,
    /// Knox Mobile Enrollment.
    Knox,
}

/// What a token of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenData {
    channel: Channel,
    reference: Option<String>,
}

/// The reference makes the data longer than Google takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("additional data of an enrollment token may have {MAX_ADDITIONAL_DATA} characters")]
pub struct TooLong;

#[derive(Serialize, Deserialize)]
struct Wire {
    remuda: u8,
    channel: Channel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

impl TokenData {
    /// Says by which way, and no more.
    pub fn new(channel: Channel) -> Self {
        Self { channel, reference: None }
    }

    /// Says also for what the token was made: an id of ours, which need not be secret, but should not tell
    /// who.
    pub fn with_reference(self, reference: impl Into<String>) -> Result<Self, TooLong> {
        let data = Self { reference: Some(reference.into()), ..self };
        if data.text().chars().count() > MAX_ADDITIONAL_DATA { Err(TooLong) } else { Ok(data) }
    }

    /// Reads what a device brought back; `None` if it is not ours.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_ADDITIONAL_DATA * 4 {
            return None;
        }
        let wire: Wire = serde_json::from_str(text).ok()?;
        (wire.remuda == VERSION).then_some(Self { channel: wire.channel, reference: wire.reference })
    }

    /// As it is written into the token.
    pub fn text(&self) -> String {
        let wire = Wire { remuda: VERSION, channel: self.channel, reference: self.reference.clone() };
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// The way by which the device came.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// What the token was made for.
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

impl Serialize for TokenData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_ours_says_nothing() {
        for text in
            ["", "zero-touch", "{}", r#"{"remuda":2,"channel":"knox"}"#, r#"{"remuda":1,"channel":"x"}"#]
        {
            assert_eq!(TokenData::parse(text), None, "{text}");
        }
        assert_eq!(TokenData::parse(&" ".repeat(100_000)), None);
    }

    #[test]
    fn a_reference_has_to_fit() {
        let data = || TokenData::new(Channel::Knox);
        assert!(data().with_reference("a".repeat(900)).is_ok());
        assert_eq!(data().with_reference("a".repeat(1024)), Err(TooLong));
        assert_eq!(data().with_reference("\"".repeat(600)), Err(TooLong));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            channel in prop::sample::select(vec![Channel::Direct, Channel::ZeroTouch, Channel::Knox]),
            reference in proptest::option::of("[ -~]{0,100}"),
        ) {
            let mut data = TokenData::new(channel);
            if let Some(reference) = reference {
                data = data.with_reference(reference).unwrap();
            }
            prop_assert_eq!(TokenData::parse(&data.text()), Some(data));
        }
    }
}
