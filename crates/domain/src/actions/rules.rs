//! What every action needs of a device, and what Apple's facts say of a command.

use apple::{
    OsVersion,
    facts::Trait,
    validate::{self, Problem},
};

use crate::{ChannelKey, Device, EnrollmentKind, Platform, Unsupported};

/// Whether a device can do something; if not, why.
pub(super) type Ability = Result<(), Unsupported>;

/// A device that obeys us.
pub(super) fn managed(device: &Device) -> Ability {
    match (device.quarantined, device.managed) {
        (true, _) => Err(Unsupported::Quarantined),
        (false, true) => Ok(()),
        (false, false) => Err(Unsupported::NotManaged),
    }
}

/// Apple's facts about a command: OS, version, supervision, kind of enrollment. What is not known of the device is
/// taken to be met.
pub(super) fn takes(device: &Device, request_type: &str) -> Ability {
    let verdict = validate::command_at_all(request_type, &device.facts.target(&ChannelKey::default()));
    verdict.faults.first().map_or(Ok(()), |fault| Err(unsupported(&fault.problem)))
}

/// Which reason of ours a fault is that Apple's facts find.
pub(crate) fn unsupported(problem: &Problem) -> Unsupported {
    match problem {
        Problem::NotOn { .. } | Problem::Removed { .. } => Unsupported::Platform,
        Problem::TooOld { .. } => Unsupported::OsTooOld,
        Problem::NeedsSupervision => Unsupported::NotSupervised,
        Problem::NotUnderUserEnrollment => Unsupported::UserEnrollment,
        Problem::NotOnSharedIpad => Unsupported::SharedIpad,
        Problem::NeedsRight { .. } => Unsupported::MissingRight,
        Problem::Harmful { device: Trait::AppleSilicon, .. } => Unsupported::AppleSiliconBefore11_5,
        _ => Unsupported::Refused,
    }
}

/// The version of the device's OS, where it reported a sound one.
pub(super) fn os_version(device: &Device) -> Option<OsVersion> {
    device.facts.os_version.as_deref()?.parse().ok()
}

/// Whether it is known to be a Mac.
pub(super) fn is_mac(device: &Device) -> bool {
    device.facts.platform == Some(Platform::Macos)
}

/// Whether it belongs to its user, and only a part of it is managed.
pub(super) fn is_personal(device: &Device) -> bool {
    device.facts.enrollment == EnrollmentKind::User
}
