//! How safe the device is.

use serde::Deserialize;

use crate::words::words;

words! {
    /// Google's judgement.
    DevicePosture {
        Secure = "SECURE",
        AtRisk = "AT_RISK",
        PotentiallyCompromised = "POTENTIALLY_COMPROMISED",
    }
}

words! {
    /// Whether what is stored is encrypted.
    EncryptionStatus {
        Unsupported = "UNSUPPORTED",
        Inactive = "INACTIVE",
        Activating = "ACTIVATING",
        Active = "ACTIVE",
        ActiveDefaultKey = "ACTIVE_DEFAULT_KEY",
        ActivePerUser = "ACTIVE_PER_USER",
    }
}

/// `securityPosture`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SecurityPosture {
    /// The judgement.
    pub device_posture: Option<DevicePosture>,
}

/// `deviceSettings`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeviceSettings {
    /// Whether a PIN, pattern or password is set.
    pub is_device_secure: Option<bool>,
    /// How the storage is encrypted.
    pub encryption_status: Option<EncryptionStatus>,
    /// Whether it is.
    pub is_encrypted: Option<bool>,
    /// Whether the debug bridge is on.
    pub adb_enabled: Option<bool>,
    /// Whether the settings for developers are.
    pub development_settings_enabled: Option<bool>,
    /// Whether applications may come from anywhere.
    pub unknown_sources_enabled: Option<bool>,
    /// Whether Google Play Protect looks at applications.
    pub verify_apps_enabled: Option<bool>,
}
