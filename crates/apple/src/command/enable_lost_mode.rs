//! `EnableLostMode` (Apple's `mdm/commands/device.lostmode.enable.yaml`; no right).

use plist::Dictionary;

use super::{MAX_TEXT, Request};
use crate::fields::{Fields, Malformed, put};

const MESSAGE: &str = "Message";
const PHONE_NUMBER: &str = "PhoneNumber";
const FOOTNOTE: &str = "Footnote";

/// Locks the device and shows its finder whom to call; it can then be located. Supervised iPhones and iPads
/// with iOS 9.3 only. In this mode the device refuses what does not serve its recovery (error 12078).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnableLostMode {
    /// `Message` on the lock screen. There must be one if there is no phone number.
    pub message: Option<String>,
    /// `PhoneNumber` on the lock screen. There must be one if there is no message.
    pub phone_number: Option<String>,
    /// `Footnote`: instead of “Slide to Unlock”.
    pub footnote: Option<String>,
}

impl Request for EnableLostMode {
    const REQUEST_TYPE: &'static str = "EnableLostMode";
    const KEYS: &'static [&'static str] = &[MESSAGE, PHONE_NUMBER, FOOTNOTE];

    fn write(&self, keys: &mut Dictionary) {
        put(keys, MESSAGE, self.message.clone());
        put(keys, PHONE_NUMBER, self.phone_number.clone());
        put(keys, FOOTNOTE, self.footnote.clone());
    }

    fn read(fields: Fields<'_>) -> Result<EnableLostMode, Malformed> {
        let lost = EnableLostMode {
            message: fields.text(MESSAGE, MAX_TEXT)?,
            phone_number: fields.text(PHONE_NUMBER, MAX_TEXT)?,
            footnote: fields.text(FOOTNOTE, MAX_TEXT)?,
        };
        if lost.message.is_none() && lost.phone_number.is_none() {
            return Err(Malformed::Missing { key: MESSAGE });
        }
        Ok(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Envelope};
    use super::*;

    fn read_back(lost: EnableLostMode) -> Result<Command, Malformed> {
        let read = Envelope::parse(&Command::from(lost).encode("c"));
        read.map(|envelope| envelope.command).map_err(|error| error.cause)
    }

    #[test]
    fn a_message_or_a_number_is_enough() {
        let message = EnableLostMode { message: Some("Call us".into()), ..EnableLostMode::default() };
        assert_eq!(read_back(message.clone()), Ok(message.into()));
        let number = EnableLostMode { phone_number: Some("+49 30 1".into()), ..EnableLostMode::default() };
        assert_eq!(read_back(number.clone()), Ok(number.into()));
    }

    #[test]
    fn a_footnote_alone_is_not_enough() {
        let footnote = EnableLostMode { footnote: Some("ACME".into()), ..EnableLostMode::default() };
        assert_eq!(read_back(footnote), Err(Malformed::Missing { key: "Message" }));
        let empty = EnableLostMode { message: Some(String::new()), ..EnableLostMode::default() };
        assert_eq!(read_back(empty), Err(Malformed::Missing { key: "Message" }));
    }
}
