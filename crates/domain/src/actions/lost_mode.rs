//! The lost mode of supervised iPhones and iPads: begin it, ask where the device is, end it.

use super::{
    ActionKind, AndroidRequest, AppleRequest, Asked, Spec,
    password::Password,
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
    email: Option<String>,
    password: Option<Password>,
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
            email: None,
            password: None,
        };
        if lost.message.is_none() && lost.phone_number.is_none() {
            return Err(Error::invalid(MESSAGE_OR_NUMBER, "one of the two"));
        }
        Ok(lost)
    }

    /// The same with what only Android devices take: an e-mail address to show, and a password that opens the device from
    /// then on; empty ones count as none.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the Device API's field.
    pub fn for_android(self, email: Option<String>, password: Option<String>) -> Result<Self> {
        Ok(Self { email: shown("email", email)?, password: Password::given(password)?, ..self })
    }
}

impl Spec for EnableLostMode {
    fn kind(&self) -> ActionKind {
        ActionKind::EnableLostMode
    }

    fn apple(&self, _: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        let Self { message, phone_number, footnote, .. } = self.clone();
        let command = apple::command::EnableLostMode { message, phone_number, footnote };
        Ok(vec![AppleRequest::plain(self.kind(), command)])
    }

    fn android(&self, _: &Device) -> Result<Vec<AndroidRequest>> {
        let Self { message, phone_number, email, password, .. } = self.clone();
        let lost = AndroidRequest::StartLostMode { message, phone_number, email };
        // Google refuses the other order: who has just reset the password cannot lose the device.
        let reset = password.map(|password| AndroidRequest::ResetPassword { password });
        Ok(std::iter::once(lost).chain(reset).collect())
    }
}

impl Spec for DisableLostMode {
    fn kind(&self) -> ActionKind {
        ActionKind::DisableLostMode
    }

    fn apple(&self, _: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        Ok(vec![AppleRequest::plain(self.kind(), apple::command::DisableLostMode)])
    }

    fn android(&self, _: &Device) -> Result<Vec<AndroidRequest>> {
        Ok(vec![AndroidRequest::StopLostMode])
    }
}

impl Spec for RequestLocation {
    fn kind(&self) -> ActionKind {
        ActionKind::RequestLocation
    }

    fn apple(&self, _: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        Ok(vec![AppleRequest::plain(self.kind(), apple::command::DeviceLocation)])
    }

    fn android(&self, _: &Device) -> Result<Vec<AndroidRequest>> {
        Ok(vec![AndroidRequest::Location])
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
