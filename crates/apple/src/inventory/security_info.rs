//! The answer to `SecurityInfo`.

use super::Answers;
use crate::report::Report;

/// How a device is secured, under Apple's names. `None` is unknown; most belong to one OS only, and User
/// Enrollment hides many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityInfo {
    /// `HardwareEncryptionCaps`: 1 block-level, 2 file-level, 3 both; not on macOS.
    pub hardware_encryption_caps: Option<i64>,
    /// `PasscodePresent`; not on macOS, nor under User Enrollment.
    pub passcode_present: Option<bool>,
    /// `PasscodeCompliant` with all requirements, those of Exchange included; not on macOS.
    pub passcode_compliant: Option<bool>,
    /// `PasscodeCompliantWithProfiles`; not on macOS.
    pub passcode_compliant_with_profiles: Option<bool>,
    /// `FDE_Enabled`: FileVault is on.
    pub fde_enabled: Option<bool>,
    /// `FDE_HasPersonalRecoveryKey`.
    pub fde_has_personal_recovery_key: Option<bool>,
    /// `FDE_HasInstitutionalRecoveryKey`.
    pub fde_has_institutional_recovery_key: Option<bool>,
    /// `SystemIntegrityProtectionEnabled`; macOS.
    pub system_integrity_protection_enabled: Option<bool>,
    /// `FirewallSettings.FirewallEnabled`; macOS.
    pub firewall_enabled: Option<bool>,
    /// `RemoteDesktopEnabled`; macOS.
    pub remote_desktop_enabled: Option<bool>,
    /// `IsRecoveryLockEnabled`; macOS 11.5 with Apple silicon.
    pub is_recovery_lock_enabled: Option<bool>,
    /// `SecureBoot.SecureBootLevel`: `off`, `medium`, `full` or `not supported`; macOS.
    pub secure_boot_level: Option<String>,
    /// `BootstrapTokenAllowedForAuthentication`: `allowed`, `disallowed` or `not supported`; macOS.
    pub bootstrap_token_allowed_for_authentication: Option<String>,
    /// `ManagementStatus`: iOS 13, macOS 10.13.2, tvOS 13.
    pub management_status: ManagementStatus,
}

/// How the device came to be managed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagementStatus {
    /// `EnrolledViaDEP`: by Automated Device Enrollment; macOS.
    pub enrolled_via_dep: Option<bool>,
    /// `UserApprovedEnrollment`; macOS.
    pub user_approved_enrollment: Option<bool>,
    /// `IsUserEnrollment`.
    pub is_user_enrollment: Option<bool>,
    /// `IsActivationLockManageable`; macOS.
    pub is_activation_lock_manageable: Option<bool>,
}

impl SecurityInfo {
    /// Reads what a report answers; all unknown if it answers nothing of the kind.
    pub fn from_report(report: &Report) -> SecurityInfo {
        let answers = Answers(Some(&report.body)).inner("SecurityInfo");
        SecurityInfo {
            hardware_encryption_caps: answers.integer("HardwareEncryptionCaps"),
            passcode_present: answers.boolean("PasscodePresent"),
            passcode_compliant: answers.boolean("PasscodeCompliant"),
            passcode_compliant_with_profiles: answers.boolean("PasscodeCompliantWithProfiles"),
            fde_enabled: answers.boolean("FDE_Enabled"),
            fde_has_personal_recovery_key: answers.boolean("FDE_HasPersonalRecoveryKey"),
            fde_has_institutional_recovery_key: answers.boolean("FDE_HasInstitutionalRecoveryKey"),
            system_integrity_protection_enabled: answers.boolean("SystemIntegrityProtectionEnabled"),
            firewall_enabled: answers.inner("FirewallSettings").boolean("FirewallEnabled"),
            remote_desktop_enabled: answers.boolean("RemoteDesktopEnabled"),
            is_recovery_lock_enabled: answers.boolean("IsRecoveryLockEnabled"),
            secure_boot_level: answers.inner("SecureBoot").text("SecureBootLevel"),
            bootstrap_token_allowed_for_authentication: answers
                .text("BootstrapTokenAllowedForAuthentication"),
            management_status: ManagementStatus::read(answers.inner("ManagementStatus")),
        }
    }
}

impl ManagementStatus {
    fn read(answers: Answers<'_>) -> ManagementStatus {
        ManagementStatus {
            enrolled_via_dep: answers.boolean("EnrolledViaDEP"),
            user_approved_enrollment: answers.boolean("UserApprovedEnrollment"),
            is_user_enrollment: answers.boolean("IsUserEnrollment"),
            is_activation_lock_manageable: answers.boolean("IsActivationLockManageable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identifiers;
    use plist::{Dictionary, Value};

    fn answered(pairs: Vec<(&str, Value)>) -> SecurityInfo {
        let ids = Identifiers { udid: Some("U".into()), ..Identifiers::default() };
        SecurityInfo::from_report(
            &Report::acknowledged(ids, "c").with("SecurityInfo", Dictionary::from_iter(pairs)),
        )
    }

    #[test]
    fn a_mac_is_read() {
        let status = Dictionary::from_iter([("EnrolledViaDEP", true), ("UserApprovedEnrollment", true)]);
        let firewall = Dictionary::from_iter([("FirewallEnabled", true)]);
        let read = answered(vec![
            ("FDE_Enabled", true.into()),
            ("FirewallSettings", firewall.into()),
            ("ManagementStatus", status.into()),
        ]);
        assert_eq!((read.fde_enabled, read.firewall_enabled), (Some(true), Some(true)));
        assert_eq!(read.management_status.enrolled_via_dep, Some(true));
        assert_eq!(read.management_status.is_user_enrollment, None);
        assert_eq!(read.passcode_present, None);
    }

    #[test]
    fn values_of_the_wrong_type_are_unknown() {
        let read = answered(vec![
            ("PasscodePresent", "yes".into()),
            ("ManagementStatus", true.into()),
            ("HardwareEncryptionCaps", 3.into()),
        ]);
        assert_eq!((read.passcode_present, read.hardware_encryption_caps), (None, Some(3)));
        assert_eq!(read.management_status, ManagementStatus::default());
    }
}
