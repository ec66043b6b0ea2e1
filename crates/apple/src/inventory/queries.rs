//! Which properties the `DeviceInformation` command may ask of which device, by Apple's facts.

use crate::facts::{self, Key, Os};
use crate::platform::{OsVersion, Platform};
use crate::validate::{Target, TargetChannel, meets};

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

/// The queries of the inventory that this device knows, and is not forbidden to answer. Without a version, those
/// that every version knows.
pub fn queries_for(
    platform: Platform,
    os_version: Option<OsVersion>,
    kind: EnrollmentKind,
) -> Vec<&'static str> {
    let user = kind == EnrollmentKind::User;
    queries_of(&Target {
        os: Some(platform.into()),
        version: os_version,
        supervised: Some(kind == EnrollmentKind::Device { supervised: true }),
        user_enrollment: Some(user),
        channel: Some(TargetChannel::Device),
        ..Target::default()
    })
}

/// The same for all that is known of a device, its access rights included.
pub fn queries_of(target: &Target) -> Vec<&'static str> {
    let (Some(os), Some(entry)) = (target.os, facts::command("DeviceInformation")) else {
        return Vec::new();
    };
    let mut terms = entry.support[os];
    let mut keys = entry.keys;
    for name in ["Queries", "QueriesItem"] {
        let Some(key) = keys.iter().find(|key| key.name == name) else { return Vec::new() };
        terms = key.support[os].within(&terms);
        keys = key.keys;
    }
    let versions = target.version.map_or([oldest(os), NEWEST], |version| [version, version]);
    let answers = |key: &&Key| {
        let terms = key.support[os].within(&terms);
        versions.iter().all(|version| meets(&Target { version: Some(*version), ..*target }, &terms))
    };
    let asked = keys.iter().filter(|key| INVENTORY.contains(&key.name));
    asked.filter(answers).map(|key| key.name).collect()
}

/// A version that no device is older than which is still managed.
fn oldest(os: Os) -> OsVersion {
    match os {
        Os::IOs => OsVersion::new(7, 0, 0),
        Os::MacOs => OsVersion::new(10, 11, 0),
        Os::TvOs => OsVersion::new(9, 0, 0),
        Os::VisionOs => OsVersion::new(1, 1, 0),
        Os::WatchOs => OsVersion::new(10, 0, 0),
    }
}

/// Behind every version that a query was removed in.
const NEWEST: OsVersion = OsVersion::new(u16::MAX, 0, 0);

/// What an inventory asks for. Left out of Apple's list are queries for Shared iPads and user channels, and
/// those that cost the device something (attestation, the check before an erasure).
const INVENTORY: &[&str] = &[
    "UDID",
    "ProvisioningUDID",
    "LastCloudBackupDate",
    "AwaitingConfiguration",
    "DeviceName",
    "OSVersion",
    "SupplementalOSVersionExtra",
    "BuildVersion",
    "SupplementalBuildVersion",
    "ModelName",
    "Model",
    "ModelNumber",
    "ProductName",
    "SerialNumber",
    "DeviceCapacity",
    "AvailableDeviceCapacity",
    "BatteryLevel",
    "HasBattery",
    "IsSupervised",
    "IsMultiUser",
    "IsAppleSilicon",
    "IsDeviceLocatorServiceEnabled",
    "IsActivationLockEnabled",
    "IsActivationLockSupported",
    "IsDoNotDisturbInEffect",
    "IsCloudBackupEnabled",
    "IsMDMLostModeEnabled",
    "DiagnosticSubmissionEnabled",
    "AppAnalyticsEnabled",
    "TimeZone",
    "AccessibilitySettings",
    "EASDeviceIdentifier",
    "DeviceID",
    "LocalHostName",
    "HostName",
    "SystemIntegrityProtectionEnabled",
    "SupportsLOMDevice",
    "PINRequiredForEraseDevice",
    "PINRequiredForDeviceLock",
    "SupportsiOSAppInstalls",
    "IMEI",
    "MEID",
    "ModemFirmwareVersion",
    "CellularTechnology",
    "ICCID",
    "PhoneNumber",
    "CurrentCarrierNetwork",
    "SubscriberCarrierNetwork",
    "CarrierSettingsVersion",
    "VoiceRoamingEnabled",
    "DataRoamingEnabled",
    "PersonalHotspotEnabled",
    "IsNetworkTethered",
    "IsRoaming",
    "ServiceSubscriptions",
    "BluetoothMAC",
    "WiFiMAC",
    "EthernetMAC",
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
    fn every_query_is_one_of_apples() {
        let entry = facts::command("DeviceInformation").unwrap();
        let queries = entry.keys[0].keys[0].keys;
        for name in INVENTORY {
            assert!(queries.iter().any(|query| query.name == *name), "{name}");
        }
        let different: std::collections::BTreeSet<_> = INVENTORY.iter().collect();
        assert_eq!(different.len(), INVENTORY.len());
    }

    #[test]
    fn without_a_right_its_queries_are_not_asked() {
        let rights = crate::enrollment::AccessRights::new(16);
        let target = Target { rights, ..Target::of(Os::IOs, OsVersion::new(18, 1, 0)) };
        let asked = queries_of(&target);
        assert!(asked.contains(&"OSVersion") && asked.contains(&"UDID"));
        assert!(!asked.contains(&"WiFiMAC"), "that needs the right to query the network");
    }
}
