//! `InstallProfile` (Apple's `mdm/commands/profile.install.yaml`; right 2).

use plist::{Dictionary, Value};
use std::fmt;

use super::Request;
use crate::fields::{Fields, Malformed};

const PAYLOAD: &str = "Payload";
const MAX_PAYLOAD: usize = 12 << 20;

/// Installs a profile, or replaces the one with the same `PayloadIdentifier`. A locked device puts it off.
/// Its `Debug` does not show the profile, which may hold secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct InstallProfile {
    /// `Payload`: the profile, signed or not.
    pub payload: Vec<u8>,
}

impl Request for InstallProfile {
    const REQUEST_TYPE: &'static str = "InstallProfile";
    const KEYS: &'static [&'static str] = &[PAYLOAD];

    fn write(&self, keys: &mut Dictionary) {
        keys.insert(PAYLOAD.into(), Value::Data(self.payload.clone()));
    }

    fn read(fields: Fields<'_>) -> Result<InstallProfile, Malformed> {
        fields.required_data(PAYLOAD, 1..=MAX_PAYLOAD).map(|payload| InstallProfile { payload })
    }
}

impl fmt::Debug for InstallProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstallProfile").field("payload_bytes", &self.payload.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Envelope};
    use super::*;

    #[test]
    fn the_profile_is_not_shown_by_debug() {
        let command = Command::from(InstallProfile { payload: b"<string>challenge</string>".to_vec() });
        assert_eq!(format!("{command:?}"), "InstallProfile(InstallProfile { payload_bytes: 26 })");
    }

    #[test]
    fn an_empty_profile_is_refused() {
        let empty = Command::from(InstallProfile::default()).encode("c");
        assert!(matches!(
            Envelope::parse(&empty).unwrap_err().cause,
            Malformed::Invalid { key: "Payload", .. }
        ));
    }
}
