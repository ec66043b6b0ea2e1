//! Which properties the `DeviceInformation` command may ask of which OS.
//!
//! After Apple's `mdm/commands/information.device.yaml` (18.2, and what 26.0 and 27.0 removed). Left out are
//! queries for Shared iPads and user channels, and those that cost the device something (attestation, the
//! check before an erasure).

use crate::platform::{OsVersion, Platform};

/// How a device is managed, as far as it changes what it may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnrollmentKind {
    /// The whole device is managed.
    Device {
        /// Whether the organisation owns it, as far as that is known.
        supervised: bool,
    },
    /// User Enrollment: the device is the user's own, and hides what would identify it.
    User,
}

/// The queries that this device knows, and is not forbidden to answer. Without a version, those that every
/// version knows.
pub fn queries_for(
    platform: Platform,
    os_version: Option<OsVersion>,
    kind: EnrollmentKind,
) -> Vec<&'static str> {
    let may = |query: &&Query| {
        let known = query.known_to[column(platform)].covers(os_version);
        known
            && match query.askable {
                Askable::Always => true,
                Askable::NotUserEnrolled => kind != EnrollmentKind::User,
                Askable::Supervised => kind == EnrollmentKind::Device { supervised: true },
            }
    };
    QUERIES.iter().filter(may).map(|query| query.name).collect()
}

struct Query {
    name: &'static str,
    /// In the order of [`column`].
    known_to: [Known; 5],
    askable: Askable,
}

#[derive(Clone, Copy)]
enum Askable {
    Always,
    NotUserEnrolled,
    Supervised,
}

/// The versions of one OS that know a query.
#[derive(Clone, Copy)]
enum Known {
    Never,
    Ever,
    Since(u16, u16),
    Until(u16, u16),
}

impl Known {
    fn covers(self, version: Option<OsVersion>) -> bool {
        match (self, version) {
            (Known::Never, _) => false,
            (Known::Ever, _) => true,
            (Known::Since(major, minor), version) => {
                version.is_some_and(|version| version >= OsVersion::new(major, minor, 0))
            }
            (Known::Until(major, minor), version) => {
                version.is_some_and(|version| version < OsVersion::new(major, minor, 0))
            }
        }
    }
}

fn column(platform: Platform) -> usize {
    match platform {
        Platform::IOs | Platform::IPadOs => 0,
        Platform::MacOs => 1,
        Platform::TvOs => 2,
        Platform::VisionOs => 3,
        Platform::WatchOs => 4,
    }
}

const fn query(name: &'static str, known_to: [Known; 5], askable: Askable) -> Query {
    Query { name, known_to, askable }
}

use Askable::{Always, NotUserEnrolled, Supervised};
use Known::{Ever, Never, Since, Until};

/// Versions that no managed device runs any more (before iOS 7, macOS 10.11) count as ever. Columns: iOS and
/// iPadOS, macOS, tvOS, visionOS, watchOS.
#[rustfmt::skip]
const QUERIES: &[Query] = &[
    query("UDID", [Ever, Ever, Ever, Ever, Ever], NotUserEnrolled),
    query("ProvisioningUDID", [Never, Since(11, 3), Never, Never, Never], NotUserEnrolled),
    query("LastCloudBackupDate", [Since(8, 0), Never, Never, Ever, Never], NotUserEnrolled),
    query("AwaitingConfiguration", [Since(9, 0), Ever, Since(10, 2), Since(2, 0), Ever], NotUserEnrolled),
    query("DeviceName", [Ever, Ever, Ever, Ever, Ever], Always),
    query("OSVersion", [Ever, Ever, Ever, Ever, Ever], Always),
    query("SupplementalOSVersionExtra", [Since(16, 1), Since(13, 0), Since(16, 1), Ever, Ever], Always),
    query("BuildVersion", [Ever, Ever, Ever, Ever, Ever], Always),
    query("SupplementalBuildVersion", [Since(16, 1), Since(13, 0), Since(16, 1), Ever, Ever], Always),
    query("ModelName", [Ever, Ever, Ever, Ever, Ever], Always),
    query("Model", [Ever, Ever, Ever, Never, Ever], Always),
    query("ModelNumber", [Since(16, 4), Since(13, 3), Since(16, 4), Ever, Ever], Always),
    query("ProductName", [Ever, Ever, Ever, Ever, Ever], Always),
    query("SerialNumber", [Ever, Ever, Ever, Ever, Ever], NotUserEnrolled),
    query("DeviceCapacity", [Ever, Ever, Never, Ever, Ever], Always),
    query("AvailableDeviceCapacity", [Ever, Ever, Never, Ever, Ever], Always),
    query("BatteryLevel", [Ever, Since(13, 3), Never, Ever, Ever], Always),
    query("HasBattery", [Never, Since(13, 3), Never, Never, Never], Always),
    query("IsSupervised", [Ever, Since(10, 15), Ever, Ever, Ever], Always),
    query("IsMultiUser", [Since(9, 3), Never, Never, Never, Never], Always),
    query("IsAppleSilicon", [Never, Since(12, 0), Never, Never, Never], Always),
    query("IsDeviceLocatorServiceEnabled", [Ever, Never, Never, Ever, Ever], Always),
    query("IsActivationLockEnabled", [Ever, Since(10, 15), Never, Never, Ever], NotUserEnrolled),
    query("IsActivationLockSupported", [Never, Since(10, 15), Never, Never, Never], NotUserEnrolled),
    query("IsDoNotDisturbInEffect", [Ever, Never, Never, Ever, Ever], NotUserEnrolled),
    query("IsCloudBackupEnabled", [Since(7, 1), Never, Never, Ever, Never], NotUserEnrolled),
    query("IsMDMLostModeEnabled", [Since(9, 3), Never, Never, Never, Ever], NotUserEnrolled),
    query("DiagnosticSubmissionEnabled", [Since(9, 3), Never, Never, Ever, Ever], Always),
    query("AppAnalyticsEnabled", [Since(9, 3), Never, Never, Ever, Ever], Always),
    query("TimeZone", [Since(14, 0), Since(26, 0), Since(14, 0), Since(2, 0), Ever], Always),
    query("AccessibilitySettings", [Since(16, 0), Never, Never, Never, Ever], Supervised),
    query("EASDeviceIdentifier", [Ever, Never, Never, Ever, Never], Always),
    query("DeviceID", [Never, Never, Ever, Never, Never], Always),
    query("LocalHostName", [Never, Ever, Never, Never, Never], Always),
    query("HostName", [Never, Ever, Never, Never, Never], Always),
    query("SystemIntegrityProtectionEnabled", [Never, Since(10, 12), Never, Never, Never], Always),
    query("SupportsLOMDevice", [Never, Since(11, 0), Never, Never, Never], Always),
    query("PINRequiredForEraseDevice", [Never, Since(11, 0), Never, Never, Never], NotUserEnrolled),
    query("PINRequiredForDeviceLock", [Never, Since(11, 0), Never, Never, Never], NotUserEnrolled),
    query("SupportsiOSAppInstalls", [Never, Since(11, 0), Never, Never, Never], Always),
    query("IMEI", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("MEID", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("ModemFirmwareVersion", [Ever, Never, Never, Never, Never], NotUserEnrolled),
    query("CellularTechnology", [Ever, Never, Never, Never, Never], Always),
    query("ICCID", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("PhoneNumber", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("CurrentCarrierNetwork", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("SubscriberCarrierNetwork", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("CarrierSettingsVersion", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("VoiceRoamingEnabled", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("DataRoamingEnabled", [Ever, Never, Never, Never, Never], NotUserEnrolled),
    query("PersonalHotspotEnabled", [Ever, Never, Never, Never, Never], NotUserEnrolled),
    query("IsNetworkTethered", [Since(10, 3), Never, Never, Never, Never], Always),
    query("IsRoaming", [Until(26, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("ServiceSubscriptions", [Since(12, 0), Never, Never, Never, Never], NotUserEnrolled),
    query("BluetoothMAC", [Ever, Ever, Ever, Ever, Never], NotUserEnrolled),
    query("WiFiMAC", [Ever, Ever, Ever, Ever, Ever], NotUserEnrolled),
    query("EthernetMAC", [Never, Ever, Never, Never, Never], NotUserEnrolled),
];

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: EnrollmentKind = EnrollmentKind::Device { supervised: false };

    fn queries(platform: Platform, version: &str, kind: EnrollmentKind) -> Vec<&'static str> {
        queries_for(platform, Some(version.parse().unwrap()), kind)
    }

    #[test]
    fn from_ios_26_on_the_imei_is_asked_only_by_subscription() {
        let old = queries(Platform::IOs, "18.7", WHOLE);
        assert!(old.contains(&"IMEI") && old.contains(&"IsRoaming") && old.contains(&"ServiceSubscriptions"));
        for platform in [Platform::IOs, Platform::IPadOs] {
            let new = queries(platform, "26.0", WHOLE);
            assert!(new.contains(&"ServiceSubscriptions"));
            for removed in [
                "IMEI",
                "MEID",
                "ICCID",
                "PhoneNumber",
                "IsRoaming",
                "VoiceRoamingEnabled",
                "CurrentCarrierNetwork",
            ] {
                assert!(!new.contains(&removed), "{removed}");
            }
        }
    }

    #[test]
    fn user_enrollment_is_never_asked_what_identifies_the_device() {
        for (platform, version) in
            [(Platform::IOs, "17.5"), (Platform::MacOs, "15.0"), (Platform::VisionOs, "2.0")]
        {
            let asked = queries(platform, version, EnrollmentKind::User);
            assert!(asked.contains(&"OSVersion") && asked.contains(&"DeviceName"));
            for hidden in [
                "UDID",
                "SerialNumber",
                "IMEI",
                "WiFiMAC",
                "BluetoothMAC",
                "PhoneNumber",
                "IsMDMLostModeEnabled",
            ] {
                assert!(!asked.contains(&hidden), "{hidden} on {platform}");
            }
        }
    }

    #[test]
    fn only_a_supervised_device_is_asked_for_its_accessibility_settings() {
        let asked = |kind| queries(Platform::IOs, "18.0", kind).contains(&"AccessibilitySettings");
        assert!(asked(EnrollmentKind::Device { supervised: true }));
        assert!(!asked(WHOLE) && !asked(EnrollmentKind::User));
    }

    #[test]
    fn a_mac_is_asked_for_its_pins_and_an_iphone_is_not() {
        let mac = queries(Platform::MacOs, "15.1", WHOLE);
        assert!(mac.contains(&"PINRequiredForDeviceLock") && mac.contains(&"IsAppleSilicon"));
        assert!(!mac.contains(&"IMEI") && !mac.contains(&"IsMDMLostModeEnabled"));
        let iphone = queries(Platform::IOs, "18.1", WHOLE);
        assert!(iphone.contains(&"IsMDMLostModeEnabled"));
        assert!(!iphone.contains(&"PINRequiredForDeviceLock") && !iphone.contains(&"HasBattery"));
    }

    #[test]
    fn an_old_mac_is_not_asked_what_it_does_not_know() {
        let mac = queries(Platform::MacOs, "10.15.7", WHOLE);
        assert!(mac.contains(&"IsSupervised") && mac.contains(&"IsActivationLockEnabled"));
        for newer in ["PINRequiredForDeviceLock", "IsAppleSilicon", "BatteryLevel", "ModelNumber"] {
            assert!(!mac.contains(&newer), "{newer}");
        }
    }

    #[test]
    fn without_a_version_only_what_every_version_knows_is_asked() {
        let asked = queries_for(Platform::IOs, None, WHOLE);
        assert!(asked.contains(&"OSVersion") && asked.contains(&"SerialNumber"));
        assert!(!asked.contains(&"IMEI") && !asked.contains(&"ServiceSubscriptions"));
    }

    #[test]
    fn no_query_stands_twice() {
        let mut names: Vec<_> = QUERIES.iter().map(|query| query.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
