//! Clear the passcode.

use super::{
    ActionKind, AndroidRequest, AppleRequest, Asked, Spec,
    password::Password,
    rules::{Ability, takes},
};
use crate::{Device, Error, Result, Unsupported};

/// Take the passcode off the device; where a policy asks for one, its user has to set a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResetPasscode {
    password: Option<Password>,
}

impl ResetPasscode {
    /// With the new password that Android devices need; others do not look at it, and an empty one counts as none.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the Device API's field.
    pub fn new(password: Option<String>) -> Result<Self> {
        Ok(Self { password: Password::given(password)? })
    }
}

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

    fn android(&self, _: &Device) -> Result<Vec<AndroidRequest>> {
        let password =
            self.password.clone().ok_or(Error::invalid("password", "needed for Android devices"))?;
        Ok(vec![AndroidRequest::ResetPassword { password }])
    }
}

/// Apple's rules for `ClearPasscode`, and the token that the device must have given us.
pub(super) fn supported_by(device: &Device) -> Ability {
    takes(device, "ClearPasscode")?;
    if device.unlockable { Ok(()) } else { Err(Unsupported::NoUnlockToken) }
}
