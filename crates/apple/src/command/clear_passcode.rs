//! `ClearPasscode` (Apple's `mdm/commands/passcode.clear.yaml`; right 4).

use plist::{Dictionary, Value};
use std::fmt;

use super::Request;
use crate::fields::{Fields, Malformed};

const UNLOCK_TOKEN: &str = "UnlockToken";
const MAX_UNLOCK_TOKEN: usize = 64 << 10;

/// Takes the passcode away. Not for Macs and Apple TVs, nor Shared iPads, nor under User Enrollment. Its
/// `Debug` does not show the token.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ClearPasscode {
    /// `UnlockToken`: byte for byte what the device's last `TokenUpdate` with one held, 1 byte to 64 KiB.
    pub unlock_token: Vec<u8>,
}

impl Request for ClearPasscode {
    const REQUEST_TYPE: &'static str = "ClearPasscode";
    const KEYS: &'static [&'static str] = &[UNLOCK_TOKEN];

    fn write(&self, keys: &mut Dictionary) {
        keys.insert(UNLOCK_TOKEN.into(), Value::Data(self.unlock_token.clone()));
    }

    fn read(fields: Fields<'_>) -> Result<ClearPasscode, Malformed> {
        let unlock_token = fields.required_data(UNLOCK_TOKEN, 1..=MAX_UNLOCK_TOKEN)?;
        Ok(ClearPasscode { unlock_token })
    }
}

impl fmt::Debug for ClearPasscode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClearPasscode").field("unlock_token_bytes", &self.unlock_token.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Envelope};
    use super::*;

    #[test]
    fn the_token_is_not_shown_by_debug() {
        let command = Command::from(ClearPasscode { unlock_token: b"keybag".to_vec() });
        assert_eq!(format!("{command:?}"), "ClearPasscode(ClearPasscode { unlock_token_bytes: 6 })");
    }

    #[test]
    fn a_token_travels_as_data_and_unchanged() {
        let command = Command::from(ClearPasscode { unlock_token: (0..=255).collect() });
        assert_eq!(Envelope::parse(&command.encode("c")).unwrap().command, command);
    }

    #[test]
    fn an_empty_token_is_refused() {
        let empty = Command::from(ClearPasscode::default()).encode("c");
        let cause = Envelope::parse(&empty).unwrap_err().cause;
        assert!(matches!(cause, Malformed::Invalid { key: "UnlockToken", .. }));
    }
}
