//! Which actions an Android device can do, by Google's rules.

use super::{ActionKind, rules::Ability};
use crate::{AndroidManagement, Device, Unsupported};

/// Android that knows lost mode on a device that is managed as a whole.
const LOST_MODE: u32 = 11;
/// The same, on a device of the company's with a work profile.
const LOST_MODE_BESIDE_PROFILE: u32 = 13;

/// Whether it can be done on `device`, which is managed.
pub(super) fn supported_by(kind: ActionKind, device: &Device) -> Ability {
    let lost = device.facts.lost_mode == Some(true);
    match kind {
        ActionKind::LockScreen
        | ActionKind::RequestAppList
        | ActionKind::ResetPasscode
        | ActionKind::WipeFull => Ok(()),
        ActionKind::WipePartial => has_profile(device),
        ActionKind::EnableLostMode if lost => Err(Unsupported::AlreadyInLostMode),
        ActionKind::EnableLostMode => can_be_lost(device),
        ActionKind::DisableLostMode | ActionKind::RequestLocation if lost => Ok(()),
        ActionKind::DisableLostMode | ActionKind::RequestLocation => {
            can_be_lost(device)?;
            Err(Unsupported::NotInLostMode)
        }
    }
}

fn management(device: &Device) -> Option<AndroidManagement> {
    device.facts.android.as_ref()?.management
}

/// A fully managed device has nothing that could stay.
fn has_profile(device: &Device) -> Ability {
    match management(device) {
        Some(AndroidManagement::WorkProfile | AndroidManagement::CompanyOwnedWorkProfile) => Ok(()),
        Some(AndroidManagement::FullyManaged) => Err(Unsupported::FullyManaged),
        None => Err(Unsupported::Refused),
    }
}

/// Only what is the company's can be lost. A version that is not known yet is taken to be new enough: Google judges.
fn can_be_lost(device: &Device) -> Ability {
    let least = match management(device) {
        Some(AndroidManagement::FullyManaged) => LOST_MODE,
        Some(AndroidManagement::CompanyOwnedWorkProfile) => LOST_MODE_BESIDE_PROFILE,
        Some(AndroidManagement::WorkProfile) => return Err(Unsupported::PersonalDevice),
        None => return Err(Unsupported::Refused),
    };
    if version(device).is_none_or(|version| version >= least) { Ok(()) } else { Err(Unsupported::OsTooOld) }
}

/// `8` of `8.1.0`.
fn version(device: &Device) -> Option<u32> {
    device.facts.os_version.as_deref()?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AndroidFacts, Platform, fixtures};

    fn device(management: AndroidManagement, version: &str) -> Device {
        let mut device = fixtures::device(Platform::Android, version);
        device.facts.android = Some(AndroidFacts { management: Some(management), ..AndroidFacts::default() });
        device
    }

    #[test]
    fn each_kind_of_management_can_do_what_google_says() {
        use ActionKind::{DisableLostMode, EnableLostMode, LockScreen, ResetPasscode, WipeFull, WipePartial};
        use AndroidManagement::{CompanyOwnedWorkProfile, FullyManaged, WorkProfile};
        use Unsupported::{NotInLostMode, OsTooOld, PersonalDevice};
        for (management, version, partial, lost) in [
            (FullyManaged, "11", Err(Unsupported::FullyManaged), Ok(())),
            (FullyManaged, "10", Err(Unsupported::FullyManaged), Err(OsTooOld)),
            (CompanyOwnedWorkProfile, "13", Ok(()), Ok(())),
            (CompanyOwnedWorkProfile, "12", Ok(()), Err(OsTooOld)),
            (WorkProfile, "15", Ok(()), Err(PersonalDevice)),
        ] {
            let device = device(management, version);
            assert_eq!(WipePartial.supported_by(&device), partial, "{management:?}");
            assert_eq!(EnableLostMode.supported_by(&device), lost, "{management:?} {version}");
            assert_eq!(DisableLostMode.supported_by(&device), lost.and(Err(NotInLostMode)));
            for always in [LockScreen, ResetPasscode, WipeFull] {
                assert_eq!(always.supported_by(&device), Ok(()));
            }
        }
    }

    #[test]
    fn a_lost_device_can_be_located_and_found() {
        let mut lost = device(AndroidManagement::FullyManaged, "15");
        lost.facts.lost_mode = Some(true);
        assert!(ActionKind::RequestLocation.is_available(&lost));
        assert!(ActionKind::DisableLostMode.is_available(&lost));
        assert_eq!(ActionKind::EnableLostMode.supported_by(&lost), Err(Unsupported::AlreadyInLostMode));
    }
}
