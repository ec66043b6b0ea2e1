//! Answers to `SecurityInfo` (Apple's `mdm/commands/information.security.yaml`).

use apple::{Dictionary, Value};

use crate::apple_device::model::DeviceModel;

/// What a device tells under User Enrollment beside how it is managed.
const KNOWN_TO_EMPLOYERS: [&str; 2] = ["PasscodeCompliant", "PasscodeCompliantWithProfiles"];

/// Everything that this device tells of its security.
pub(super) fn answers(model: &DeviceModel) -> Dictionary {
    let mut answers = if model.is_mac() { mac(model) } else { mobile(model) };
    if model.is_user_enrolled() {
        answers.retain(|key, _| KNOWN_TO_EMPLOYERS.contains(&key.as_str()));
    }
    answers.insert("ManagementStatus".into(), Value::Dictionary(management(model)));
    answers
}

fn mobile(model: &DeviceModel) -> Dictionary {
    Dictionary::from_iter([
        // Block level (1) and file level (2).
        ("HardwareEncryptionCaps", Value::from(3)),
        ("PasscodePresent", Value::from(model.passcode_set)),
        ("PasscodeCompliant", Value::from(true)),
        ("PasscodeCompliantWithProfiles", Value::from(true)),
        ("PasscodeLockGracePeriod", Value::from(0)),
        ("PasscodeLockGracePeriodEnforced", Value::from(0)),
        ("AutoLockTime", Value::from(120)),
    ])
}

fn mac(model: &DeviceModel) -> Dictionary {
    let secure_boot =
        Dictionary::from_iter([("SecureBootLevel", "full"), ("ExternalBootLevel", "disallowed")]);
    let firewall = Dictionary::from_iter([
        ("FirewallEnabled", Value::from(true)),
        ("BlockAllIncoming", Value::from(false)),
        ("StealthMode", Value::from(true)),
        ("Applications", Value::Array(Vec::new())),
    ]);
    let mut answers = Dictionary::from_iter([
        ("FDE_Enabled", Value::from(true)),
        ("FDE_HasPersonalRecoveryKey", Value::from(true)),
        ("FDE_HasInstitutionalRecoveryKey", Value::from(false)),
        ("SystemIntegrityProtectionEnabled", Value::from(true)),
        ("FirewallSettings", Value::Dictionary(firewall)),
        ("SecureBoot", Value::Dictionary(secure_boot)),
        ("RemoteDesktopEnabled", Value::from(false)),
        ("AuthenticatedRootVolumeEnabled", Value::from(true)),
        ("BootstrapTokenAllowedForAuthentication", Value::from("not supported")),
        ("BootstrapTokenRequiredForSoftwareUpdate", Value::from(true)),
        ("BootstrapTokenRequiredForKernelExtensionApproval", Value::from(true)),
        ("IsRecoveryLockEnabled", Value::from(model.secrets.recovery_lock.is_some())),
    ]);
    if let Some(key) = &model.secrets.recovery_key {
        answers.insert("FDE_PersonalRecoveryKeyCMS".into(), Value::Data(key.clone()));
    }
    answers
}

fn management(model: &DeviceModel) -> Dictionary {
    let mut management = Dictionary::from_iter([
        ("EnrolledViaDEP", Value::from(model.supervised)),
        ("IsUserEnrollment", Value::from(model.is_user_enrolled())),
    ]);
    if model.is_mac() {
        management.insert("UserApprovedEnrollment".into(), Value::from(true));
        management.insert("IsActivationLockManageable".into(), Value::from(true));
    }
    management
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_own_device_tells_how_it_is_managed_and_little_more() {
        let keys: Vec<_> =
            answers(&DeviceModel::user_enrolled_iphone(0)).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["PasscodeCompliant", "PasscodeCompliantWithProfiles", "ManagementStatus"]);
        let management = management(&DeviceModel::user_enrolled_iphone(0));
        assert_eq!(management.get("IsUserEnrollment"), Some(&Value::from(true)));
    }

    #[test]
    fn a_mac_tells_of_its_disk_and_an_iphone_of_its_passcode() {
        let (mac, iphone) = (answers(&DeviceModel::mac(0)), answers(&DeviceModel::iphone(0)));
        assert!(mac.contains_key("FDE_Enabled") && !mac.contains_key("PasscodePresent"));
        assert!(iphone.contains_key("PasscodePresent") && !iphone.contains_key("FDE_Enabled"));
    }
}
