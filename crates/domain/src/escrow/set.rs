//! Secrets that commands set: they are kept before the command can leave, and the device's answer says whether it has them.

use apple::{Report, Value, command::RawCommand};

use super::DeviceSecret;
use crate::{Command, CommandState};

/// Which commands set which secret, and the key that holds it.
const SET: [(&str, &str, DeviceSecret); 4] = [
    ("DeviceLock", "PIN", DeviceSecret::LockPin),
    ("EraseDevice", "PIN", DeviceSecret::ErasePin),
    ("SetRecoveryLock", "NewPassword", DeviceSecret::RecoveryLockPassword),
    ("SetFirmwarePassword", "NewPassword", DeviceSecret::FirmwarePassword),
];

/// The secret that a command sets. An empty password takes the one before away (Apple: `NewPassword`).
pub(crate) fn set_by(request: &RawCommand) -> Option<(DeviceSecret, &str)> {
    let (_, key, secret) =
        SET.into_iter().find(|(request_type, ..)| *request_type == request.request_type())?;
    Some((secret, request.keys().get(key)?.as_string()?))
}

/// Whether such a command may set one.
pub(super) fn sets(request_type: &str) -> bool {
    SET.iter().any(|(setting, ..)| *setting == request_type)
}

/// Whether a device that answered has what the command was to set. A Mac acknowledges a `SetFirmwarePassword` that it did
/// not carry out as well, and says so one level deep in its answer.
pub(super) fn took(command: &Command, report: Option<&Report>) -> bool {
    let answer =
        report.and_then(|report| report.body.get("SetFirmwarePassword")).and_then(Value::as_dictionary);
    let changed = answer.and_then(|answer| answer.get("PasswordChanged")).and_then(Value::as_boolean);
    command.state == CommandState::Acknowledged && changed != Some(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_sets_what_its_key_holds() {
        let of = |request| {
            set_by(&RawCommand::from_json(&request).unwrap()).map(|(secret, text)| (secret, text.to_owned()))
        };
        let pin = json!({ "RequestType": "DeviceLock", "PIN": "482913" });
        assert_eq!(of(pin), Some((DeviceSecret::LockPin, "482913".into())));
        let cleared =
            json!({ "RequestType": "SetRecoveryLock", "NewPassword": "", "CurrentPassword": "old" });
        assert_eq!(of(cleared), Some((DeviceSecret::RecoveryLockPassword, String::new())));
        for none in [
            json!({ "RequestType": "DeviceLock", "Message": "hello" }),
            json!({ "RequestType": "VerifyRecoveryLock", "Password": "x" }),
            json!({ "RequestType": "RestartDevice", "PIN": "482913" }),
        ] {
            assert_eq!(of(none), None);
        }
        assert!(SET.iter().all(|(request_type, ..)| sets(request_type)) && !sets("VerifyRecoveryLock"));
    }
}
