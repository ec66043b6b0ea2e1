//! `RemoveProfile` (Apple's `mdm/commands/profile.remove.yaml`; right 2).

use plist::Dictionary;

use super::{MAX_TEXT, Request};
use crate::fields::{Fields, Malformed};

const IDENTIFIER: &str = "Identifier";

/// Removes a profile. That of the enrollment ends all management: managed apps, profiles and accounts go with
/// it, and a `CheckOut` may follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoveProfile {
    /// `Identifier`: the profile's `PayloadIdentifier`.
    pub identifier: String,
}

impl Request for RemoveProfile {
    const REQUEST_TYPE: &'static str = "RemoveProfile";
    const KEYS: &'static [&'static str] = &[IDENTIFIER];

    fn write(&self, keys: &mut Dictionary) {
        keys.insert(IDENTIFIER.into(), self.identifier.clone().into());
    }

    fn read(fields: Fields<'_>) -> Result<RemoveProfile, Malformed> {
        fields.required_text(IDENTIFIER, MAX_TEXT).map(|identifier| RemoveProfile { identifier })
    }
}
