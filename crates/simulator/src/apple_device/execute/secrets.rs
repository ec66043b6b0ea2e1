//! Commands that set or tell passwords, keys and codes; they travel as they are written by an administrator.

use apple::command::RawCommand;
use apple::{Dictionary, Value};

use super::Outcome;
use crate::apple_device::model::DeviceModel;

/// Carries out such a command; `None` for all others.
pub(in crate::apple_device) fn secrets(
    model: &mut DeviceModel,
    unlock_token: Option<&[u8]>,
    command: &RawCommand,
) -> Option<Outcome> {
    Some(match command.request_type() {
        "SetRecoveryLock" => set_recovery_lock(model, command),
        "SetFirmwarePassword" => set_firmware_password(model, command),
        "RotateFileVaultKey" => rotate_recovery_key(model, command),
        "ActivationLockBypassCode" => {
            told("ActivationLockBypassCode", model.secrets.bypass_code.clone().map(Value::String))
        }
        "RequestUnlockToken" => told("UnlockToken", unlock_token.map(|token| Value::Data(token.to_vec()))),
        _ => return None,
    })
}

/// Apple's `mdm/commands/passcode.recovery.set.yaml`: Macs with Apple silicon only, and who changes it has to know it.
fn set_recovery_lock(model: &mut DeviceModel, command: &RawCommand) -> Outcome {
    if !model.is_apple_silicon() {
        return Outcome::error(12, "MDMClientError", "Recovery lock is for Apple silicon.");
    }
    if !knows(command, model.secrets.recovery_lock.as_deref()) {
        return Outcome::error(13, "MDMClientError", "The current recovery lock password is wrong.");
    }
    model.secrets.recovery_lock = new_password(command);
    Outcome::done()
}

/// Apple's `mdm/commands/passcode.firmware.set.yaml`: Macs with an Intel processor only; a wrong password is no error, but
/// an answer that says so, one level deep.
fn set_firmware_password(model: &mut DeviceModel, command: &RawCommand) -> Outcome {
    if model.is_apple_silicon() {
        return Outcome::error(12, "MDMClientError", "A firmware password is not for Apple silicon.");
    }
    let changed = knows(command, model.secrets.firmware_password.as_deref());
    if changed {
        model.secrets.firmware_password = new_password(command);
    }
    let answer = Dictionary::from_iter([("PasswordChanged", Value::from(changed))]);
    Outcome::Acknowledged(Dictionary::from_iter([("SetFirmwarePassword", Value::Dictionary(answer))]))
}

/// Apple's `mdm/commands/rotate.file.vault.key.yaml`: somebody's password unlocks it.
fn rotate_recovery_key(model: &mut DeviceModel, command: &RawCommand) -> Outcome {
    let unlock = command.keys().get("FileVaultUnlock").and_then(Value::as_dictionary);
    let password = unlock.and_then(|unlock| unlock.get("Password")).and_then(Value::as_string);
    if password.is_none_or(str::is_empty) {
        return Outcome::error(14, "MDMClientError", "FileVault could not be unlocked.");
    }
    let mut key = model.secrets.recovery_key.take().unwrap_or_else(|| b"recovery key ".to_vec());
    key.push(b'+');
    model.secrets.recovery_key = Some(key.clone());
    let result = Dictionary::from_iter([("EncryptedNewRecoveryKey", Value::Data(key))]);
    Outcome::Acknowledged(Dictionary::from_iter([("RotateResult", Value::Dictionary(result))]))
}

fn told(key: &str, value: Option<Value>) -> Outcome {
    match value {
        Some(value) => Outcome::Acknowledged(Dictionary::from_iter([(key.to_owned(), value)])),
        None => Outcome::error(12078, "MCMDMErrorDomain", "It is not available."),
    }
}

fn text<'a>(command: &'a RawCommand, key: &str) -> Option<&'a str> {
    command.keys().get(key).and_then(Value::as_string)
}

fn knows(command: &RawCommand, password: Option<&str>) -> bool {
    password.is_none() || text(command, "CurrentPassword") == password
}

/// An empty one takes the password away.
fn new_password(command: &RawCommand) -> Option<String> {
    text(command, "NewPassword").filter(|password| !password.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn done(model: &mut DeviceModel, command: &serde_json::Value) -> bool {
        let command = RawCommand::from_json(command).unwrap();
        matches!(secrets(model, None, &command), Some(Outcome::Acknowledged(_)))
    }

    #[test]
    fn a_recovery_lock_is_changed_by_who_knows_it() {
        let mut mac = DeviceModel::mac(0);
        let mut set = |new: &str, current: &str| {
            let command =
                json!({ "RequestType": "SetRecoveryLock", "NewPassword": new, "CurrentPassword": current });
            (done(&mut mac, &command), mac.secrets.recovery_lock.clone())
        };
        assert_eq!(set("one", ""), (true, Some("one".into())));
        assert_eq!(set("two", "wrong"), (false, Some("one".into())));
        assert_eq!(set("two", "one"), (true, Some("two".into())));
        assert_eq!(set("", "two"), (true, None));
    }

    #[test]
    fn a_firmware_password_is_for_intel_and_a_wrong_one_is_answered() {
        let set = |current: &str| json!({ "RequestType": "SetFirmwarePassword", "NewPassword": "new", "CurrentPassword": current });
        assert!(!done(&mut DeviceModel::mac(0), &set("")));
        let mut intel = DeviceModel::intel_mac(0);
        intel.secrets.firmware_password = Some("old".into());
        assert!(done(&mut intel, &set("wrong")));
        assert_eq!(intel.secrets.firmware_password.as_deref(), Some("old"));
        assert!(done(&mut intel, &set("old")));
        assert_eq!(intel.secrets.firmware_password.as_deref(), Some("new"));
    }

    #[test]
    fn what_a_device_does_not_have_it_does_not_tell() {
        let mut ipad = DeviceModel::supervised_ipad(0);
        for request_type in ["ActivationLockBypassCode", "RequestUnlockToken"] {
            assert!(!done(&mut ipad, &json!({ "RequestType": request_type })));
        }
        ipad.secrets.bypass_code = Some("NP1FC".into());
        assert!(done(&mut ipad, &json!({ "RequestType": "ActivationLockBypassCode" })));
        let other = RawCommand::from_json(&json!({ "RequestType": "RestartDevice" })).unwrap();
        assert_eq!(secrets(&mut ipad, None, &other), None);
    }
}
