//! What a pretend Android device does, told to whoever listens.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// Is told of everything that a device does, in its order; must neither block nor call the pretend Google.
pub type AndroidListener = Arc<dyn Fn(&AndroidEvent) + Send + Sync>;

/// Something that a device did. Its text is one line without secrets: `device 4A000000000001 did LOCK {}`.
#[derive(Clone, Debug, PartialEq)]
pub struct AndroidEvent {
    /// The serial number, as Google tells it.
    pub serial_number: String,
    /// What happened.
    pub what: AndroidHappening,
}

/// What happened to a device.
#[derive(Clone, Debug, PartialEq)]
pub enum AndroidHappening {
    /// It used a token.
    Enrolled,
    /// It carried out a command, reported, or told where it is.
    Did {
        /// Google's word for it: `LOCK`, `STATUS_REPORT`, `LOST_MODE_LOCATION` …
        what: String,
        /// Its parameters, without secrets.
        keys: Value,
    },
    /// It found that it could not carry out a command.
    CouldNot {
        /// The command's type.
        what: String,
        /// Its parameters, without secrets.
        keys: Value,
        /// Google's word.
        why: String,
    },
    /// It is managed no more.
    Unenrolled {
        /// What became of it.
        why: &'static str,
    },
}

impl fmt::Display for AndroidEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device {} ", self.serial_number)?;
        match &self.what {
            AndroidHappening::Enrolled => f.write_str("enrolled"),
            AndroidHappening::Did { what, keys } => write!(f, "did {what} {keys}"),
            AndroidHappening::CouldNot { what, keys, why } => write!(f, "could not do {what} {keys}: {why}"),
            AndroidHappening::Unenrolled { why } => write!(f, "unenrolled: {why}"),
        }
    }
}

/// The parameters of a command as they may be shown: texts for a finder as such, the new password not at all.
pub(super) fn shown_keys(command: &Value) -> Value {
    let mut keys = serde_json::Map::new();
    for (name, value) in command.as_object().into_iter().flatten() {
        match name.as_str() {
            "type" | "duration" | "newPassword" => {}
            name if name.ends_with("Params") => keys.extend(value.as_object().cloned().unwrap_or_default()),
            name => drop(keys.insert(name.to_owned(), value.clone())),
        }
    }
    for value in keys.values_mut() {
        if let Some(message) = value.get("defaultMessage").cloned() {
            *value = message;
        }
    }
    Value::Object(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_one_line() {
        let event = |what| AndroidEvent { serial_number: "4A0".into(), what }.to_string();
        let keys = json!({"lostMessage": "Please\ncall"});
        let did = AndroidHappening::Did { what: "START_LOST_MODE".into(), keys: keys.clone() };
        assert_eq!(event(did), r#"device 4A0 did START_LOST_MODE {"lostMessage":"Please\ncall"}"#);
        let why = "INVALID_VALUE".into();
        let could_not = AndroidHappening::CouldNot { what: "RESET_PASSWORD".into(), keys: json!({}), why };
        assert_eq!(event(could_not), "device 4A0 could not do RESET_PASSWORD {}: INVALID_VALUE");
        assert_eq!(event(AndroidHappening::Enrolled), "device 4A0 enrolled");
    }

    #[test]
    fn no_password_is_shown() {
        let reset = json!({"type": "RESET_PASSWORD", "newPassword": "847362", "resetPasswordFlags": ["LOCK_NOW"],
            "duration": "604800s"});
        assert_eq!(shown_keys(&reset), json!({"resetPasswordFlags": ["LOCK_NOW"]}));
        let lost = json!({"type": "START_LOST_MODE",
            "startLostModeParams": {"lostMessage": {"defaultMessage": "hello"}, "lostEmailAddress": "it@a.example"}});
        assert_eq!(shown_keys(&lost), json!({"lostMessage": "hello", "lostEmailAddress": "it@a.example"}));
    }
}
