//! What is installed.

use serde::Deserialize;

use crate::words::words;

words! {
    /// Whether the application is there.
    ApplicationState {
        Installed = "INSTALLED",
        Removed = "REMOVED",
    }
}

words! {
    /// Where the application came from.
    ApplicationSource {
        SystemAppFactoryVersion = "SYSTEM_APP_FACTORY_VERSION",
        SystemAppUpdatedVersion = "SYSTEM_APP_UPDATED_VERSION",
        InstalledFromPlayStore = "INSTALLED_FROM_PLAY_STORE",
        Custom = "CUSTOM",
    }
}

/// One application; of a work profile only those within it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationReport {
    /// Such as `com.android.chrome`.
    pub package_name: Option<String>,
    /// What the user sees.
    pub display_name: Option<String>,
    /// Such as `131.0.6778.39`.
    pub version_name: Option<String>,
    /// Grows with every version.
    pub version_code: Option<i64>,
    /// Removed ones are told only if the policy asks for them.
    pub state: Option<ApplicationState>,
    /// Where it came from.
    pub application_source: Option<ApplicationSource>,
    /// Which application installed it.
    pub installer_package_name: Option<String>,
    /// SHA-256 of the package, in hexadecimal or base64 as Google has it.
    pub package_sha256_hash: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read() {
        let json = r#"{"packageName":"com.android.chrome","displayName":"Chrome","versionName":"131.0",
            "versionCode":677803933,"state":"INSTALLED","applicationSource":"SYSTEM_APP_UPDATED_VERSION",
            "installerPackageName":"com.android.vending","packageSha256Hash":"ab","events":[{"eventType":"INSTALLED"}]}"#;
        let report: ApplicationReport = serde_json::from_str(json).unwrap();
        assert_eq!(report.package_name.as_deref(), Some("com.android.chrome"));
        assert_eq!(report.version_code, Some(677_803_933));
        assert_eq!(report.state, Some(ApplicationState::Installed));
        assert_eq!(report.application_source, Some(ApplicationSource::SystemAppUpdatedVersion));
        assert_eq!(report.package_sha256_hash.as_deref(), Some("ab"));
    }
}
