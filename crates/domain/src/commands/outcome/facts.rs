//! Answers that tell something of the device itself.

use apple::{Command, Envelope, Report, inventory};

use crate::{Facts, FinderTexts, Timestamp};

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
///
/// `payload` is the plist of the command, opened; the report came at `told_at`.
pub(super) fn take(
    facts: &mut Facts,
    (request_type, payload): (&str, &[u8]),
    (report, told_at): (&Report, Timestamp),
    now: Timestamp,
) {
    match request_type {
        "DeviceInformation" => {
            facts.take_information(&inventory::DeviceInformation::from_report(report), told_at, now);
        }
        "SecurityInfo" => facts.take_security(&inventory::SecurityInfo::from_report(report)),
        "EnableLostMode" => {
            facts.lost_mode = Some(true);
            facts.lost = lost(payload);
        }
        "DisableLostMode" => {
            facts.lost_mode = Some(false);
            facts.lost = None;
        }
        "DeviceLocation" => facts.take_location(report, now),
        "ClearPasscode" => facts.passcode_present = Some(false),
        _ => {}
    }
}

/// What a device in lost mode now shows.
fn lost(payload: &[u8]) -> Option<FinderTexts> {
    match Envelope::parse(payload) {
        Ok(Envelope { command: Command::EnableLostMode(command), .. }) => {
            Some(FinderTexts::shown_by(command))
        }
        _ => None,
    }
}
