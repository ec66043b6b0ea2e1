//! `DeviceLock` (Apple's `mdm/commands/device.lock.yaml`; right 4).

use plist::Dictionary;
use std::fmt;

use super::{MAX_TEXT, Request};
use crate::fields::{Fields, Malformed, put};

const MESSAGE: &str = "Message";
const PHONE_NUMBER: &str = "PhoneNumber";
const PIN: &str = "PIN";

/// Locks the screen. Not for tvOS, nor for a Mac under User Enrollment; a Mac with Apple silicon before macOS
/// 11.5 is deactivated by it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceLock {
    /// `Message` on the lock screen: iOS 7, macOS 10.14, watchOS 10. iOS shows it only if there is a
    /// passcode; the report's `MessageResult` tells.
    pub message: Option<String>,
    /// `PhoneNumber` on the lock screen: iOS 7, macOS 11.5 with Apple silicon.
    pub phone_number: Option<String>,
    /// `PIN`: macOS only, where it unlocks the Mac again.
    pub pin: Option<Pin>,
}

/// Six digits by which a locked Mac is unlocked. Its `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

/// A PIN that is not six ASCII digits: Apple asks for six characters, and the lock screen of a Mac takes
/// digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a PIN has six digits")]
pub struct InvalidPin;

impl Pin {
    /// Six ASCII digits.
    ///
    /// # Errors
    /// [`InvalidPin`] for anything else.
    pub fn new(digits: &str) -> Result<Pin, InvalidPin> {
        let valid = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit());
        if valid { Ok(Pin(digits.to_owned())) } else { Err(InvalidPin) }
    }

    /// The digits, to be sealed before they are stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn read(fields: Fields<'_>, key: &'static str) -> Result<Option<Pin>, Malformed> {
        let pin = fields.text(key, MAX_TEXT)?.map(|digits| Pin::new(&digits)).transpose();
        pin.map_err(|InvalidPin| Malformed::Invalid { key, rule: "has not six digits" })
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(……)")
    }
}

impl Request for DeviceLock {
    const REQUEST_TYPE: &'static str = "DeviceLock";
    const KEYS: &'static [&'static str] = &[MESSAGE, PHONE_NUMBER, PIN];

    fn write(&self, keys: &mut Dictionary) {
        put(keys, MESSAGE, self.message.clone());
        put(keys, PHONE_NUMBER, self.phone_number.clone());
        put(keys, PIN, self.pin.as_ref().map(Pin::as_str));
    }

    fn read(fields: Fields<'_>) -> Result<DeviceLock, Malformed> {
        Ok(DeviceLock {
            message: fields.text(MESSAGE, MAX_TEXT)?,
            phone_number: fields.text(PHONE_NUMBER, MAX_TEXT)?,
            pin: Pin::read(fields, PIN)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Envelope};
    use super::*;

    #[test]
    fn a_pin_has_six_digits() {
        assert_eq!(Pin::new("012345").unwrap().as_str(), "012345");
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６", " 12345"] {
            assert_eq!(Pin::new(wrong), Err(InvalidPin), "{wrong}");
        }
    }

    #[test]
    fn a_pin_is_not_shown_by_debug() {
        let lock = DeviceLock { pin: Some(Pin::new("482913").unwrap()), ..DeviceLock::default() };
        assert!(!format!("{:?}", Command::from(lock)).contains("482913"));
    }

    #[test]
    fn what_is_not_asked_for_is_not_sent() {
        let body = String::from_utf8(Command::from(DeviceLock::default()).encode("c")).unwrap();
        assert!(
            !body.contains("Message") && !body.contains("PIN") && !body.contains("PhoneNumber"),
            "{body}"
        );
    }

    #[test]
    fn a_device_refuses_a_pin_of_another_length() {
        let lock = DeviceLock { pin: Some(Pin::new("482913").unwrap()), ..DeviceLock::default() };
        let body = String::from_utf8(Command::from(lock).encode("c")).unwrap().replace("482913", "48291");
        let error = Envelope::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.cause, Malformed::Invalid { key: "PIN", rule: "has not six digits" });
    }
}
