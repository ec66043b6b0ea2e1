//! What a device is: its kind, its names, and what it carries.

use domain::{Facts, Platform};

/// The published table has no number for tvOS, watchOS and visionOS. They descend from iOS and take its commands and
/// not those of a Mac, so that they count as what is next to them.
pub(in crate::device_api) fn kind(platform: Platform) -> u8 {
    match platform {
        Platform::Ios | Platform::Ipados | Platform::Tvos | Platform::Watchos | Platform::Visionos => 2,
        Platform::Android => 4,
        Platform::Macos => 7,
    }
}

/// Android devices tell no name: maker, model and serial number stand for it.
pub(super) fn display_name(facts: &Facts) -> Option<String> {
    if facts.android.is_none() || facts.device_name.is_some() {
        return facts.device_name.clone();
    }
    let parts = [&facts.model_name, &facts.product_name, &facts.serial_number];
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| part.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

pub(super) fn os_name(facts: &Facts) -> Option<String> {
    let version = facts.os_version.as_deref();
    Some(match facts.platform?.apple() {
        Some(platform) => platform.os_name(version),
        None => version.map_or_else(|| "Android".to_owned(), |version| format!("Android {version}")),
    })
}

/// What an Android device without an IMEI has.
pub(super) fn meid(facts: &Facts) -> Option<&String> {
    facts.android.as_ref().and(facts.meid.as_ref())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within 0 and 1")]
pub(super) fn battery_level(facts: &Facts) -> Option<u8> {
    facts.battery_level.filter(|level| (0.0..=1.0).contains(level)).map(|level| (level * 100.0).round() as u8)
}

#[cfg(test)]
mod tests {
    use domain::EnrollmentKind;
    use serde_json::json;

    use super::{super::fixtures::shown, *};

    #[test]
    fn a_mac_is_a_mac() {
        let mac = shown(|view| {
            view.device.facts = Facts {
                platform: Some(Platform::Macos),
                enrollment: EnrollmentKind::Automated,
                os_version: Some("15.1".into()),
                supervised: Some(true),
                ..Facts::default()
            }
        });
        assert_eq!(mac["type"], 7);
        assert_eq!(mac["enrollmenttype"], 1);
        assert_eq!(mac["osname"], "macOS 15.1");
        assert_eq!(mac["supervised"], false, "said of iOS and iPadOS only");
        assert_eq!(mac["lostmodeenabled"], false, "a Mac has no lost mode");
    }

    #[test]
    fn an_ipad_runs_ipados_and_relatives_count_as_ios() {
        let named = |platform, version: &str| {
            let version = version.to_owned();
            let device = shown(|view| {
                view.device.facts.platform = Some(platform);
                view.device.facts.os_version = Some(version);
            });
            (device["osname"].clone(), device["type"].clone())
        };
        assert_eq!(named(Platform::Ipados, "18.1"), (json!("iPadOS 18.1"), json!(2)));
        assert_eq!(named(Platform::Tvos, "18.1"), (json!("tvOS 18.1"), json!(2)));
        assert_eq!(named(Platform::Visionos, "2.1"), (json!("visionOS 2.1"), json!(2)));
    }

    #[test]
    fn a_battery_level_is_a_percentage_or_unknown() {
        for (level, percent) in [
            (0.0, json!(0)),
            (0.666, json!(67)),
            (1.0, json!(100)),
            (-1.0, json!(null)),
            (f64::NAN, json!(null)),
        ] {
            let device = shown(|view| view.device.facts.battery_level = Some(level));
            assert_eq!(device["batterylevel"], percent, "{level}");
        }
    }
}
