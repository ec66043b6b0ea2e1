//! Lock the screen.

use apple::{OsVersion, command::Pin};

use super::{ActionKind, AppleRequest, Spec, managed, os_version};
use crate::{Device, EnrollmentKind, Error, Mdm, Platform, Result, Unsupported, secrets};

/// The kind of escrow in which a Mac's lock PIN is kept.
pub(crate) const LOCK_PIN: &str = "lock-pin";

/// The longest message that a lock screen is asked to show, bytes.
const LONGEST_TEXT: usize = 1024;

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
        let message = text("message", message)?;
        let phone_number = text("phonenumber", phone_number)?;
        let pin = pin.filter(|pin| !pin.is_empty());
        let pin =
            pin.map(|pin| Pin::new(&pin)).transpose().map_err(|_| Error::invalid("macpin", "six digits"))?;
        Ok(Self { message, phone_number, pin })
    }
}

fn text(field: &'static str, text: Option<String>) -> Result<Option<String>> {
    match text {
        Some(text) if text.len() > LONGEST_TEXT => {
            Err(Error::invalid(field, format!("at most {LONGEST_TEXT} bytes")))
        }
        Some(text) if text.chars().any(|letter| letter.is_control() && !"\n\r\t".contains(letter)) => {
            Err(Error::invalid(field, "no control characters"))
        }
        text => Ok(text.filter(|text| !text.is_empty())),
    }
}

impl Spec for Lock {
    fn kind(&self) -> ActionKind {
        ActionKind::LockScreen
    }

    fn supported_by(&self, device: &Device) -> Result<()> {
        supported_by(device)
    }

    fn apple(&self, device: &Device, mdm: &Mdm) -> Result<AppleRequest> {
        let shows_text = matches!(
            device.facts.platform,
            None | Some(Platform::Ios | Platform::Ipados | Platform::Watchos | Platform::Macos)
        );
        let is_mac = device.facts.platform == Some(Platform::Macos);
        let pin = match &self.pin {
            _ if !is_mac => None,
            Some(pin) => Some(pin.clone()),
            None => Some(Pin::new(&secrets::pin(&*mdm.random)).map_err(Error::internal)?),
        };
        let shows_number = shows_text && (!is_mac || device.facts.apple_silicon == Some(true));
        let command = apple::Command::DeviceLock(apple::command::DeviceLock {
            message: self.message.clone().filter(|_| shows_text),
            phone_number: self.phone_number.clone().filter(|_| shows_number),
            pin: pin.clone(),
        });
        Ok(AppleRequest { command, secret: pin.map(|pin| (LOCK_PIN, pin.as_str().to_owned())) })
    }
}

/// Apple's rules for `DeviceLock` (schema: device.lock.yaml).
pub(super) fn supported_by(device: &Device) -> Result<()> {
    managed(device)?;
    match device.facts.platform {
        Some(Platform::Tvos) => Err(Error::Unsupported(Unsupported::Platform)),
        Some(Platform::Macos) => lockable_mac(device),
        Some(Platform::Visionos) if os_version(device).is_none_or(|os| os < OsVersion::new(2, 0, 0)) => {
            Err(Error::Unsupported(Unsupported::Platform))
        }
        _ => Ok(()),
    }
}

/// A Mac with Apple silicon is deactivated by a lock before macOS 11.5; such a Mac never ran anything older than 11.
fn lockable_mac(device: &Device) -> Result<()> {
    if device.facts.enrollment == EnrollmentKind::User {
        return Err(Error::Unsupported(Unsupported::UserEnrollment));
    }
    let may_be_silicon = device.facts.apple_silicon != Some(false);
    let endangered = os_version(device)
        .is_none_or(|os| (OsVersion::new(11, 0, 0)..OsVersion::new(11, 5, 0)).contains(&os));
    if may_be_silicon && endangered {
        return Err(Error::Unsupported(Unsupported::AppleSiliconBefore11_5));
    }
    Ok(())
}
