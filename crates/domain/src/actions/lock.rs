//! Lock the screen.

use apple::{OsVersion, command::Pin};

use super::{
    ActionKind, AndroidRequest, AppleRequest, Asked, Spec,
    rules::{Ability, is_mac, os_version, takes},
    text::shown,
};
use crate::{Device, DeviceSecret, Error, Platform, Result, Unsupported, ports::Random, secrets};

/// Lock the screen, with something on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    message: Option<String>,
    phone_number: Option<String>,
    pin: Option<Pin>,
}

impl Lock {
    /// A lock with a message and a phone number to show (iOS, iPadOS and watchOS; the message on macOS too), and the
    /// six-digit PIN that unlocks a Mac; empty texts count as none.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the Device API's field.
    pub fn new(message: Option<String>, phone_number: Option<String>, pin: Option<String>) -> Result<Self> {
        Ok(Self {
            message: shown("message", message)?,
            phone_number: shown("phonenumber", phone_number)?,
            pin: mac_pin(pin)?,
        })
    }
}

/// A PIN of the Device API's `macpin`; an empty one is none.
pub(super) fn mac_pin(pin: Option<String>) -> Result<Option<Pin>> {
    let pin = pin.filter(|pin| !pin.is_empty()).map(|pin| Pin::new(&pin)).transpose();
    pin.map_err(|_| Error::invalid("macpin", "six digits"))
}

/// The PIN that a Mac gets: the one that was given, or a new one; no other device gets one.
pub(super) fn pin_for(device: &Device, given: Option<&Pin>, random: &dyn Random) -> Result<Option<Pin>> {
    match given {
        _ if !is_mac(device) => Ok(None),
        Some(pin) => Ok(Some(pin.clone())),
        None => Pin::new(&secrets::pin(random)).map(Some).map_err(Error::internal),
    }
}

impl Spec for Lock {
    fn kind(&self) -> ActionKind {
        ActionKind::LockScreen
    }

    fn apple(&self, asked: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        let facts = &asked.device.facts;
        let shows_text = matches!(
            facts.platform,
            None | Some(Platform::Ios | Platform::Ipados | Platform::Watchos | Platform::Macos)
        );
        let shows_number = shows_text && (!is_mac(asked.device) || facts.apple_silicon == Some(true));
        let pin = pin_for(asked.device, self.pin.as_ref(), asked.random)?;
        let command = apple::command::DeviceLock {
            message: self.message.clone().filter(|_| shows_text),
            phone_number: self.phone_number.clone().filter(|_| shows_number),
            pin: pin.clone(),
        };
        Ok(vec![AppleRequest {
            command: command.into(),
            dedupe: self.kind().name(),
            sealed: pin.is_some(),
            escrow: pin.map(|pin| (DeviceSecret::LockPin, pin.as_str().to_owned())),
        }])
    }

    fn android(&self, _: &Device) -> Result<Vec<AndroidRequest>> {
        Ok(vec![AndroidRequest::Lock])
    }
}

/// Apple's rules for `DeviceLock` (schema: device.lock.yaml).
pub(super) fn supported_by(device: &Device) -> Ability {
    takes(device, "DeviceLock")?;
    if is_mac(device) { not_endangered(device) } else { Ok(()) }
}

/// A Mac with Apple silicon is deactivated by a lock before macOS 11.5; such a Mac never ran anything older than 11.
/// What is not known is taken for the worst.
fn not_endangered(mac: &Device) -> Ability {
    let may_be_silicon = mac.facts.apple_silicon != Some(false);
    let endangered =
        os_version(mac).is_none_or(|os| (OsVersion::new(11, 0, 0)..OsVersion::new(11, 5, 0)).contains(&os));
    if may_be_silicon && endangered { Err(Unsupported::AppleSiliconBefore11_5) } else { Ok(()) }
}
