//! What of a command may be shown to people: its keys without secrets and long data.

use apple::Command;
use serde_json::{Map, Value, json};

use crate::apple_device::handed::Handed;

/// Compact JSON. PINs are never in it, profiles only by their length.
pub(crate) fn shown(handed: &Handed) -> String {
    let Ok(command) = &handed.command else { return "{}".into() };
    let mut keys = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            keys.insert(key.to_owned(), value);
        }
    };
    match command {
        Command::DeviceLock(lock) => {
            put("Message", lock.message.as_deref().map(Value::from));
            put("PhoneNumber", lock.phone_number.as_deref().map(Value::from));
            put("PIN", lock.pin.as_ref().map(|_| json!("(hidden)")));
        }
        Command::DeviceInformation(information) => {
            put("Queries", Some(json!(format!("{} queries", information.queries.len()))));
        }
        Command::InstallProfile(profile) => {
            put("Payload", Some(json!(format!("{} bytes", profile.payload.len()))));
        }
        Command::RemoveProfile(profile) => put("Identifier", Some(json!(profile.identifier))),
        _ => {}
    }
    Value::Object(keys).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use apple::command::{DeviceLock, InstallProfile, Pin};

    fn of(command: impl Into<Command>) -> String {
        let command = command.into();
        let request_type = command.request_type().to_owned();
        shown(&Handed { command_uuid: "c".into(), request_type, command: Ok(command) })
    }

    #[test]
    fn a_message_is_shown_and_a_pin_is_not() {
        let lock = DeviceLock { message: Some("hello".into()), ..DeviceLock::default() };
        assert_eq!(of(lock.clone()), r#"{"Message":"hello"}"#);
        let with_pin = of(DeviceLock { pin: Some(Pin::new("482913").unwrap()), ..lock });
        assert!(!with_pin.contains("482913"), "{with_pin}");
    }

    #[test]
    fn a_profile_is_shown_by_its_length() {
        assert_eq!(of(InstallProfile { payload: b"secret".to_vec() }), r#"{"Payload":"6 bytes"}"#);
    }
}
