//! Answers that tell something of the device itself.

use apple::{Report, inventory};

use crate::{Facts, Timestamp};

/// Whether the answer to such a command says, or shows, something of the device.
pub(super) fn tells(request_type: &str) -> bool {
    matches!(
        request_type,
        "DeviceInformation"
            | "SecurityInfo"
            | "EnableLostMode"
            | "DisableLostMode"
            | "DeviceLocation"
            | "ClearPasscode"
    )
}

/// Takes over what the answer to a command that was carried out tells; an answer without what it should hold tells
/// nothing.
pub(super) fn take(facts: &mut Facts, request_type: &str, report: &Report, now: Timestamp) {
    match request_type {
        "DeviceInformation" => {
            facts.take_information(&inventory::DeviceInformation::from_report(report), now);
        }
        "SecurityInfo" => facts.take_security(&inventory::SecurityInfo::from_report(report)),
        "EnableLostMode" => facts.lost_mode = Some(true),
        "DisableLostMode" => facts.lost_mode = Some(false),
        "DeviceLocation" => facts.take_location(report, now),
        "ClearPasscode" => facts.passcode_present = Some(false),
        _ => {}
    }
}
