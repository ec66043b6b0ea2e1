//! The system on the device.

use std::time::SystemTime;

use serde::Deserialize;

use crate::wire::time;
use crate::words::words;

words! {
    /// Whether there is a newer system.
    UpdateStatus {
        UpToDate = "UP_TO_DATE",
        UnknownUpdateAvailable = "UNKNOWN_UPDATE_AVAILABLE",
        SecurityUpdateAvailable = "SECURITY_UPDATE_AVAILABLE",
        OsUpdateAvailable = "OS_UPDATE_AVAILABLE",
    }
}

/// `softwareInfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SoftwareInfo {
    /// What the user sees, such as `15`.
    pub android_version: Option<String>,
    /// Such as `AP4A.250105.002`.
    pub android_build_number: Option<String>,
    /// When it was built.
    #[serde(deserialize_with = "time::deserialize")]
    pub android_build_time: Option<SystemTime>,
    /// Such as `2025-01-05`.
    pub security_patch_level: Option<String>,
    /// Of the kernel.
    pub device_kernel_version: Option<String>,
    /// Of the bootloader.
    pub bootloader_version: Option<String>,
    /// Such as `de-DE`.
    pub primary_language_code: Option<String>,
    /// Of the application that carries out what Google says.
    pub android_device_policy_version_name: Option<String>,
    /// What the system knows of its updates.
    pub system_update_info: Option<SystemUpdateInfo>,
}

/// What the system knows of its updates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SystemUpdateInfo {
    /// Whether there is one.
    pub update_status: Option<UpdateStatus>,
    /// Since when.
    #[serde(deserialize_with = "time::deserialize")]
    pub update_received_time: Option<SystemTime>,
}
