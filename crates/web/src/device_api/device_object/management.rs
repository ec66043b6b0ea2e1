//! How a device is managed, in the numbers of the published table.

use domain::{AndroidChannel, AndroidManagement, EnrollmentKind, Facts, Platform};

/// Automated enrollment counts on Macs only, user enrollment on everything else: so the published table has it.
pub(super) fn enrollment_type(facts: &Facts) -> Option<u8> {
    if let Some(android) = &facts.android {
        return android.channel.map(|channel| match channel {
            AndroidChannel::ZeroTouch => 0,
            AndroidChannel::Knox => 3,
        });
    }
    match (facts.enrollment, facts.platform) {
        (EnrollmentKind::Automated, Some(Platform::Macos)) => Some(1),
        (EnrollmentKind::User, platform) if platform != Some(Platform::Macos) => Some(2),
        (EnrollmentKind::Profile | EnrollmentKind::Automated | EnrollmentKind::User, _) => None,
    }
}

/// How an Android device is managed; 0 on Apple devices, as published.
pub(super) fn management(facts: &Facts) -> u8 {
    match facts.android.as_ref().and_then(|android| android.management) {
        Some(AndroidManagement::WorkProfile) => 2,
        Some(AndroidManagement::FullyManaged) => 3,
        Some(AndroidManagement::CompanyOwnedWorkProfile) => 4,
        None => 0,
    }
}

/// The published table says it of iOS and iPadOS only.
pub(super) fn supervised(facts: &Facts) -> Option<bool> {
    match facts.platform {
        None | Some(Platform::Ios | Platform::Ipados) => facts.supervised,
        Some(
            Platform::Macos | Platform::Tvos | Platform::Watchos | Platform::Visionos | Platform::Android,
        ) => Some(false),
    }
}

/// Macs, Apple TVs, Apple Visions and devices that are not supervised have no lost mode, and so are known not to be in it;
/// of any other device that is silent about it, nothing is known.
pub(super) fn lost_mode(facts: &Facts) -> Option<bool> {
    let has_none = matches!(facts.platform, Some(Platform::Macos | Platform::Tvos | Platform::Visionos));
    facts.lost_mode.or((has_none || facts.supervised == Some(false)).then_some(false))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{super::fixtures::shown, *};

    #[test]
    fn the_kind_of_enrollment_is_shown_where_the_published_table_has_it() {
        let kind = |enrollment, platform| {
            shown(|view| {
                view.device.facts.enrollment = enrollment;
                view.device.facts.platform = Some(platform);
            })["enrollmenttype"]
                .clone()
        };
        assert_eq!(kind(EnrollmentKind::User, Platform::Ipados), 2);
        assert_eq!(kind(EnrollmentKind::User, Platform::Macos), Value::Null);
        assert_eq!(kind(EnrollmentKind::Automated, Platform::Ios), Value::Null);
        assert_eq!(kind(EnrollmentKind::Profile, Platform::Macos), Value::Null);
    }

    #[test]
    fn a_device_that_cannot_be_lost_is_not_and_one_that_may_be_is_unknown() {
        let lost = |supervised| {
            shown(|view| {
                view.device.facts.lost_mode = None;
                view.device.facts.supervised = supervised;
            })["lostmodeenabled"]
                .clone()
        };
        assert_eq!(lost(Some(false)), false);
        assert_eq!(lost(Some(true)), Value::Null);
        assert_eq!(lost(None), Value::Null);
    }
}
