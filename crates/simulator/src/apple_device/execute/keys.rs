//! What of a command may be shown to people: its keys without secrets and long data.

use apple::Command;
use apple::command::{EraseDevice, ObliterationBehavior};
use serde_json::{Map, Value};

use crate::apple_device::handed::Handed;

/// Compact JSON. PINs and tokens are never in it, profiles only by their length.
pub(crate) fn shown(handed: &Handed) -> String {
    let Ok(command) = &handed.command else { return "{}".into() };
    let mut keys = Keys(Map::new());
    keys.put_all(command);
    Value::Object(keys.0).to_string()
}

struct Keys(Map<String, Value>);

impl Keys {
    fn put_all(&mut self, command: &Command) {
        match command {
            Command::DeviceLock(lock) => {
                self.put("Message", lock.message.as_deref());
                self.put("PhoneNumber", lock.phone_number.as_deref());
                self.put_hidden("PIN", lock.pin.is_some());
            }
            Command::EraseDevice(erase) => self.put_erasure(erase),
            Command::EnableLostMode(lost) => {
                self.put("Message", lost.message.as_deref());
                self.put("PhoneNumber", lost.phone_number.as_deref());
                self.put("Footnote", lost.footnote.as_deref());
            }
            Command::ClearPasscode(_) => self.put_hidden("UnlockToken", true),
            Command::DeviceInformation(information) => {
                self.put("Queries", Some(format!("{} queries", information.queries.len())));
            }
            Command::InstallProfile(profile) => {
                self.put("Payload", Some(format!("{} bytes", profile.payload.len())));
            }
            Command::RemoveProfile(profile) => self.put("Identifier", Some(profile.identifier.as_str())),
            Command::InstalledApplicationList(list) => {
                self.put_list("Identifiers", &list.identifiers);
                self.put_list("Items", &list.items);
                self.put("ManagedAppsOnly", list.managed_apps_only.then_some(true));
            }
            Command::ManagedApplicationList(list) => self.put_list("Identifiers", &list.identifiers),
            _ => {}
        }
    }

    fn put_erasure(&mut self, erase: &EraseDevice) {
        self.put_hidden("PIN", erase.pin.is_some());
        self.put("PreserveDataPlan", erase.preserve_data_plan.then_some(true));
        self.put("DisallowProximitySetup", erase.disallow_proximity_setup.then_some(true));
        self.put("ObliterationBehavior", erase.obliteration_behavior.map(ObliterationBehavior::as_str));
    }

    fn put<T: Into<Value>>(&mut self, key: &str, value: Option<T>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
    }

    fn put_list(&mut self, key: &str, texts: &[String]) {
        self.put(key, (!texts.is_empty()).then(|| texts.to_vec()));
    }

    fn put_hidden(&mut self, key: &str, is_there: bool) {
        self.put(key, is_there.then_some("(hidden)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apple::command::{
        ClearPasscode, DeviceLock, EnableLostMode, InstallProfile, InstalledApplicationList, Pin,
    };

    fn of(command: impl Into<Command>) -> String {
        let command = command.into();
        let request_type = command.request_type().to_owned();
        shown(&Handed { command_uuid: "c".into(), request_type, command: Ok(command), raw: None })
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

    #[test]
    fn an_erasure_is_shown_without_its_pin() {
        let erase = EraseDevice {
            pin: Some(Pin::new("482913").unwrap()),
            obliteration_behavior: Some(ObliterationBehavior::Always),
            ..EraseDevice::default()
        };
        assert_eq!(of(erase), r#"{"ObliterationBehavior":"Always","PIN":"(hidden)"}"#);
        let plan = EraseDevice { preserve_data_plan: true, ..EraseDevice::default() };
        assert_eq!(of(plan), r#"{"PreserveDataPlan":true}"#);
    }

    #[test]
    fn what_a_lost_device_shows_is_shown_and_an_unlock_token_is_not() {
        let lost = EnableLostMode { message: Some("Call us".into()), ..EnableLostMode::default() };
        assert_eq!(of(lost), r#"{"Message":"Call us"}"#);
        let clear = ClearPasscode { unlock_token: b"secret".to_vec() };
        assert_eq!(of(clear), r#"{"UnlockToken":"(hidden)"}"#);
    }

    #[test]
    fn a_list_is_shown_by_what_it_asks_for() {
        assert_eq!(of(InstalledApplicationList::default()), "{}");
        let few = InstalledApplicationList {
            identifiers: vec!["com.example".into()],
            managed_apps_only: true,
            ..InstalledApplicationList::default()
        };
        assert_eq!(of(few), r#"{"Identifiers":["com.example"],"ManagedAppsOnly":true}"#);
    }
}
