//! Clear the passcode.

use super::{
    ActionKind, AppleRequest, Asked, Spec,
    rules::{Ability, takes},
};
use crate::{Device, Error, Result, Unsupported};

/// Take the passcode off the device; where a policy asks for one, its user has to set a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResetPasscode;

impl Spec for ResetPasscode {
    fn kind(&self) -> ActionKind {
        ActionKind::ResetPasscode
    }

    fn needs_unlock_token(&self) -> bool {
        true
    }

    fn apple(&self, asked: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        let unlock_token = asked.unlock_token.clone();
        let unlock_token = unlock_token.ok_or(Error::Unsupported(Unsupported::NoUnlockToken))?;
        let command = apple::command::ClearPasscode { unlock_token };
        Ok(vec![AppleRequest { sealed: true, ..AppleRequest::plain(self.kind(), command) }])
    }
}

/// Apple's rules for `ClearPasscode`, and the token that the device must have given us.
pub(super) fn supported_by(device: &Device) -> Ability {
    takes(device, "ClearPasscode")?;
    if device.unlockable { Ok(()) } else { Err(Unsupported::NoUnlockToken) }
}
