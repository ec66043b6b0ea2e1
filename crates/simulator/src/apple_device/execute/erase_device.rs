//! `EraseDevice` (Apple's `mdm/commands/device.erase.yaml`): what is answered, and whether the device erases
//! itself then.

use apple::command::{EraseDevice, ObliterationBehavior};

use super::Outcome;
use crate::apple_device::model::DeviceModel;

/// The answer, and whether it is the last one. `preflight_fails` on a Mac that cannot erase all content and
/// settings.
pub(in crate::apple_device) fn erase_device(
    model: &DeviceModel,
    command: &EraseDevice,
    preflight_fails: bool,
) -> (Outcome, bool) {
    if !model.is_mac() {
        return (Outcome::done(), true);
    }
    if command.pin.is_none() {
        return (Outcome::error(7, "MDMClientError", "A Mac is erased with a PIN only."), false);
    }
    if !preflight_fails {
        return (Outcome::done(), true);
    }
    let failed = Outcome::error(96, "MDMClientError", "The Mac cannot erase all content and settings.");
    match command.obliteration_behavior.unwrap_or(ObliterationBehavior::Default) {
        ObliterationBehavior::Default => (failed, true),
        ObliterationBehavior::DoNotObliterate => (failed, false),
        ObliterationBehavior::ObliterateWithWarning | ObliterationBehavior::Always => (Outcome::done(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apple::command::Pin;

    fn with_pin(obliteration_behavior: Option<ObliterationBehavior>) -> EraseDevice {
        EraseDevice {
            pin: Some(Pin::new("482913").unwrap()),
            obliteration_behavior,
            ..EraseDevice::default()
        }
    }

    #[test]
    fn an_iphone_needs_no_pin_and_a_mac_does() {
        let (iphone, mac) = (DeviceModel::iphone(0), DeviceModel::mac(0));
        let without = EraseDevice::default();
        assert_eq!(erase_device(&iphone, &without, false), (Outcome::done(), true));
        assert!(matches!(erase_device(&mac, &without, false), (Outcome::Error(_), false)));
        assert_eq!(erase_device(&mac, &with_pin(None), false), (Outcome::done(), true));
    }

    #[test]
    fn a_mac_whose_preflight_fails_does_as_it_was_told() {
        let mac = DeviceModel::mac(0);
        let tried = |behavior| {
            let (outcome, erases) = erase_device(&mac, &with_pin(behavior), true);
            (outcome == Outcome::done(), erases)
        };
        assert_eq!(tried(None), (false, true));
        assert_eq!(tried(Some(ObliterationBehavior::Default)), (false, true));
        assert_eq!(tried(Some(ObliterationBehavior::DoNotObliterate)), (false, false));
        assert_eq!(tried(Some(ObliterationBehavior::ObliterateWithWarning)), (true, true));
        assert_eq!(tried(Some(ObliterationBehavior::Always)), (true, true));
    }
}
