//! The lost mode of supervised iPhones and iPads: begin it, ask where the device is, end it.

use super::{
    ActionKind, AppleRequest, Asked, Spec,
    rules::{Ability, takes},
    text::shown,
};
use crate::{Device, Error, Result, Unsupported};

/// What [`Error::Invalid`] names where there is nothing to show to a finder.
const MESSAGE_OR_NUMBER: &str = "message or phonenumber";

/// Lock the device for whoever finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnableLostMode {
    message: Option<String>,
    phone_number: Option<String>,
    footnote: Option<String>,
}

/// Let its user have the device again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisableLostMode;

/// Ask where a device in lost mode is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestLocation;

impl EnableLostMode {
    /// A lost mode that shows a message, a phone number or both, and a footnote; empty texts count as none.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the Device API's field, or `message or phonenumber` where neither is there.
    pub fn new(
        message: Option<String>,
        phone_number: Option<String>,
        footnote: Option<String>,
    ) -> Result<Self> {
        let lost = Self {
            message: shown("message", message)?,
            phone_number: shown("phonenumber", phone_number)?,
            footnote: shown("footnote", footnote)?,
        };
        if lost.message.is_none() && lost.phone_number.is_none() {
            return Err(Error::invalid(MESSAGE_OR_NUMBER, "one of the two"));
        }
        Ok(lost)
    }
}

impl Spec for EnableLostMode {
    fn kind(&self) -> ActionKind {
        ActionKind::EnableLostMode
    }

    fn apple(&self, _: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        let Self { message, phone_number, footnote } = self.clone();
        let command = apple::command::EnableLostMode { message, phone_number, footnote };
        Ok(vec![AppleRequest::plain(self.kind(), command)])
    }
}

impl Spec for DisableLostMode {
    fn kind(&self) -> ActionKind {
        ActionKind::DisableLostMode
    }

    fn apple(&self, _: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        Ok(vec![AppleRequest::plain(self.kind(), apple::command::DisableLostMode)])
    }
}

impl Spec for RequestLocation {
    fn kind(&self) -> ActionKind {
        ActionKind::RequestLocation
    }

    fn apple(&self, _: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        Ok(vec![AppleRequest::plain(self.kind(), apple::command::DeviceLocation)])
    }
}

/// Apple's rules for `EnableLostMode`; one that is lost already has to be found before it can be lost anew.
pub(super) fn can_begin(device: &Device) -> Ability {
    supervised(device, "EnableLostMode")?;
    if device.facts.lost_mode == Some(true) { Err(Unsupported::AlreadyInLostMode) } else { Ok(()) }
}

/// Apple's rules for `DisableLostMode`.
pub(super) fn can_end(device: &Device) -> Ability {
    supervised(device, "DisableLostMode")?;
    in_lost_mode(device)
}

/// Apple's rules for `DeviceLocation`: out of lost mode nobody may ask (error 12067).
pub(super) fn can_locate(device: &Device) -> Ability {
    supervised(device, "DeviceLocation")?;
    in_lost_mode(device)
}

/// A device that has not told yet whether it is supervised counts as one that is not: it tells right after it enrolled.
fn supervised(device: &Device, request_type: &str) -> Ability {
    takes(device, request_type)?;
    if device.facts.supervised == Some(true) { Ok(()) } else { Err(Unsupported::NotSupervised) }
}

/// By what the device reported, or by the last command that it carried out.
fn in_lost_mode(device: &Device) -> Ability {
    if device.facts.lost_mode == Some(true) { Ok(()) } else { Err(Unsupported::NotInLostMode) }
}
