//! `UserConfigured` (Apple's `mdm/commands/user.configured.yaml`; no right; Shared iPad, user channel).

use plist::Dictionary;

use super::Request;
use crate::fields::{Fields, Malformed};

/// Lets a user of a Shared iPad whose channel said `AwaitingConfiguration` finish the login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserConfigured;

impl Request for UserConfigured {
    const REQUEST_TYPE: &'static str = "UserConfigured";
    const KEYS: &'static [&'static str] = &[];

    fn write(&self, _keys: &mut Dictionary) {}

    fn read(_fields: Fields<'_>) -> Result<UserConfigured, Malformed> {
        Ok(UserConfigured)
    }
}
