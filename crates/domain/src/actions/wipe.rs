//! Erase the device, or take the management off it.

use apple::{
    OsVersion,
    command::{ObliterationBehavior, Pin},
};

use super::{
    ActionKind, AndroidRequest, AppleRequest, Asked, Spec,
    lock::{mac_pin, pin_for},
    rules::{Ability, is_mac, is_personal, os_version, takes},
};
use crate::{AndroidManagement, Device, DeviceSecret, Result, enrollments::profile_identifier};

/// Erase the device, or take the management off it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wipe {
    /// Everything goes. Under User Enrollment, where erasing is forbidden, what is managed goes.
    Full {
        /// What unlocks an erased Mac; `None` makes one up.
        pin: Option<Pin>,
    },
    /// Only what is managed goes: apps, profiles and accounts of the organisation, and with them the management.
    Partial,
}

impl Wipe {
    /// A full wipe, with the six digits that unlock an erased Mac; an empty PIN counts as none.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`], naming the Device API's field.
    pub fn full(pin: Option<String>) -> Result<Self> {
        Ok(Self::Full { pin: mac_pin(pin)? })
    }
}

impl Spec for Wipe {
    fn kind(&self) -> ActionKind {
        match self {
            Self::Full { .. } => ActionKind::WipeFull,
            Self::Partial => ActionKind::WipePartial,
        }
    }

    fn apple(&self, asked: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        let given = match self {
            Self::Full { pin } if !is_personal(asked.device) => pin,
            Self::Full { .. } | Self::Partial => {
                let identifier = profile_identifier(asked.tenant);
                let command = apple::command::RemoveProfile { identifier };
                return Ok(vec![AppleRequest::plain(self.kind(), command)]);
            }
        };
        let pin = pin_for(asked.device, given.as_ref(), asked.random)?;
        let command = apple::command::EraseDevice {
            pin: pin.clone(),
            obliteration_behavior: fallback(asked.device),
            ..Default::default()
        };
        Ok(vec![AppleRequest {
            sealed: pin.is_some(),
            escrow: pin.map(|pin| (DeviceSecret::ErasePin, pin.as_str().to_owned())),
            ..AppleRequest::plain(self.kind(), command)
        }])
    }

    fn android(&self, device: &Device) -> Result<Vec<AndroidRequest>> {
        let management = device.facts.android.as_ref().and_then(|facts| facts.management);
        let gives_back =
            *self == Self::Partial && management == Some(AndroidManagement::CompanyOwnedWorkProfile);
        Ok(vec![if gives_back { AndroidRequest::RelinquishOwnership } else { AndroidRequest::Wipe }])
    }
}

/// What a Mac does that cannot erase all content and settings: by default it would answer `Error` and obliterate itself all
/// the same, so that nobody knew; asked like this it says that it is going to be erased.
fn fallback(device: &Device) -> Option<ObliterationBehavior> {
    let knows = is_mac(device) && os_version(device).is_some_and(|os| os >= OsVersion::new(12, 0, 0));
    knows.then_some(ObliterationBehavior::ObliterateWithWarning)
}

/// Apple's rules for `EraseDevice`, or for what stands in for it on a personal device.
pub(super) fn full_supported_by(device: &Device) -> Ability {
    if is_personal(device) { partial_supported_by(device) } else { takes(device, "EraseDevice") }
}

/// Apple's rules for `RemoveProfile`.
pub(super) fn partial_supported_by(device: &Device) -> Ability {
    takes(device, "RemoveProfile")
}
