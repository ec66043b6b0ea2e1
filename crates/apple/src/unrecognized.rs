//! The 403 that makes a device drop its management (Apple's `mdm/errors/unrecognized.device.yaml`).
//!
//! Sent only on purpose: a device that gets it unenrolls, and takes its managed apps and data with it.

use crate::platform::{OsVersion, Platform};

/// The HTTP status that goes with [`BODY`].
pub const STATUS: u16 = 403;
/// The `Content-Type` that must go with [`BODY`]; without it the device does not look into the body.
pub const CONTENT_TYPE: &str = "application/json";
/// The body; its `description` is for the device's log and is not shown to the user.
pub const BODY: &str =
    r#"{"code":"com.apple.unrecognized.device","description":"this device is no longer managed here"}"#;

/// Whether this OS knows the 403. Older ones unenroll only on a 401.
pub fn understands_unrecognized_device(platform: Platform, os_version: OsVersion) -> bool {
    let since = match platform {
        Platform::IOs | Platform::IPadOs | Platform::TvOs => OsVersion::new(17, 0, 0),
        Platform::MacOs => OsVersion::new(14, 0, 0),
        Platform::WatchOs => OsVersion::new(10, 0, 0),
        Platform::VisionOs => OsVersion::new(1, 1, 0),
    };
    os_version >= since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_that_understands_it_is_apples() {
        for (platform, last_without, first_with) in [
            (Platform::IOs, "16.7.10", "17.0"),
            (Platform::IPadOs, "16.7", "17"),
            (Platform::TvOs, "16.6", "17.0"),
            (Platform::MacOs, "13.7", "14.0"),
            (Platform::WatchOs, "9.6.3", "10.0"),
            (Platform::VisionOs, "1.0.3", "1.1"),
        ] {
            let version = |text: &str| text.parse::<OsVersion>().unwrap();
            assert!(!understands_unrecognized_device(platform, version(last_without)), "{platform:?}");
            assert!(understands_unrecognized_device(platform, version(first_with)), "{platform:?}");
        }
    }

    #[test]
    fn the_body_is_json_with_apples_code() {
        assert!(BODY.starts_with(r#"{"code":"com.apple.unrecognized.device","#));
        assert!(BODY.ends_with("\"}"));
        assert!(!BODY.contains('\\'));
    }
}
