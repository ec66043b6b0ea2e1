//! `EraseDevice` (Apple's `mdm/commands/device.erase.yaml`; right 8).

use plist::Dictionary;

use super::{MAX_TEXT, Pin, Request};
use crate::fields::{Fields, Malformed, put};

const PIN: &str = "PIN";
const PRESERVE_DATA_PLAN: &str = "PreserveDataPlan";
const DISALLOW_PROXIMITY_SETUP: &str = "DisallowProximitySetup";
const OBLITERATION_BEHAVIOR: &str = "ObliterationBehavior";

/// Erases the device and with that its management. Never under User Enrollment. It answers once, right before
/// it erases itself, and never again: a missing answer does not mean that nothing was erased, and under
/// [`ObliterationBehavior::Default`] neither does an `Error`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EraseDevice {
    /// `PIN`: macOS only (10.8), where it unlocks the erased Mac; those that need one say so by
    /// `PINRequiredForEraseDevice`.
    pub pin: Option<Pin>,
    /// `PreserveDataPlan`: keeps the eSIM's plan; iOS 11 and iPadOS only, and not sent unless true.
    pub preserve_data_plan: bool,
    /// `DisallowProximitySetup`: no setup by a device nearby; iOS 11.3 and iPadOS only, not for a Shared
    /// iPad, before iOS 14 only alone, and not sent unless true.
    pub disallow_proximity_setup: bool,
    /// `ObliterationBehavior`: macOS 12 only.
    pub obliteration_behavior: Option<ObliterationBehavior>,
}

/// What a Mac with a T2 chip or Apple silicon does if it cannot erase all content and settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObliterationBehavior {
    /// Answers `Error` and obliterates itself all the same.
    Default,
    /// Answers `Error` and stays as it is: the one case in which an `Error` tells that nothing was erased.
    DoNotObliterate,
    /// Answers `Acknowledged` and obliterates itself.
    ObliterateWithWarning,
    /// Obliterates itself without trying anything gentler.
    Always,
}

impl ObliterationBehavior {
    const ALL: [ObliterationBehavior; 4] =
        [Self::Default, Self::DoNotObliterate, Self::ObliterateWithWarning, Self::Always];

    /// Apple's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "Default",
            Self::DoNotObliterate => "DoNotObliterate",
            Self::ObliterateWithWarning => "ObliterateWithWarning",
            Self::Always => "Always",
        }
    }

    fn read(fields: Fields<'_>) -> Result<Option<ObliterationBehavior>, Malformed> {
        let Some(word) = fields.text(OBLITERATION_BEHAVIOR, MAX_TEXT)? else { return Ok(None) };
        let known = Self::ALL.into_iter().find(|behavior| behavior.as_str() == word);
        known.map(Some).ok_or(Malformed::Invalid { key: OBLITERATION_BEHAVIOR, rule: "is unknown" })
    }
}

impl Request for EraseDevice {
    const REQUEST_TYPE: &'static str = "EraseDevice";
    const KEYS: &'static [&'static str] =
        &[PIN, PRESERVE_DATA_PLAN, DISALLOW_PROXIMITY_SETUP, OBLITERATION_BEHAVIOR];

    fn write(&self, keys: &mut Dictionary) {
        put(keys, PIN, self.pin.as_ref().map(Pin::as_str));
        put(keys, PRESERVE_DATA_PLAN, self.preserve_data_plan.then_some(true));
        put(keys, DISALLOW_PROXIMITY_SETUP, self.disallow_proximity_setup.then_some(true));
        put(keys, OBLITERATION_BEHAVIOR, self.obliteration_behavior.map(ObliterationBehavior::as_str));
    }

    fn read(fields: Fields<'_>) -> Result<EraseDevice, Malformed> {
        Ok(EraseDevice {
            pin: Pin::read(fields, PIN)?,
            preserve_data_plan: fields.boolean(PRESERVE_DATA_PLAN)?.unwrap_or_default(),
            disallow_proximity_setup: fields.boolean(DISALLOW_PROXIMITY_SETUP)?.unwrap_or_default(),
            obliteration_behavior: ObliterationBehavior::read(fields)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Envelope};
    use super::*;

    fn sent(command: EraseDevice) -> String {
        String::from_utf8(Command::from(command).encode("c")).unwrap()
    }

    #[test]
    fn what_is_not_asked_for_is_not_sent() {
        let body = sent(EraseDevice::default());
        assert!(EraseDevice::KEYS.iter().all(|key| !body.contains(key)), "{body}");
    }

    #[test]
    fn a_pin_is_sent_and_not_shown_by_debug() {
        let erase = EraseDevice { pin: Some(Pin::new("482913").unwrap()), ..EraseDevice::default() };
        assert!(sent(erase.clone()).contains("<string>482913</string>"));
        assert!(!format!("{:?}", Command::from(erase)).contains("482913"));
    }

    #[test]
    fn a_device_refuses_what_apple_does_not_know() {
        let always = EraseDevice {
            obliteration_behavior: Some(ObliterationBehavior::Always),
            ..EraseDevice::default()
        };
        let error = Envelope::parse(sent(always).replace("Always", "Never").as_bytes()).unwrap_err();
        assert_eq!(error.cause, Malformed::Invalid { key: OBLITERATION_BEHAVIOR, rule: "is unknown" });

        let plan = EraseDevice { preserve_data_plan: true, ..EraseDevice::default() };
        let error = Envelope::parse(sent(plan).replace("<true/>", "<string/>").as_bytes()).unwrap_err();
        assert_eq!(error.cause, Malformed::WrongType { key: PRESERVE_DATA_PLAN, expected: "boolean" });
    }
}
