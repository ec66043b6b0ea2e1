//! Text that a device shows to its user.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `UserFacingMessage`: a text for everyone, and translations by language (BCP 47, such as `de`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserFacingMessage {
    /// Shown where there is no better translation.
    pub default_message: String,
    /// By language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub localized_messages: BTreeMap<String, String>,
}

impl UserFacingMessage {
    /// One text for every language.
    pub fn new(text: impl Into<String>) -> Self {
        Self { default_message: text.into(), localized_messages: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_googles_object() {
        let mut message = UserFacingMessage::new("Lost");
        assert_eq!(serde_json::to_string(&message).unwrap(), r#"{"defaultMessage":"Lost"}"#);
        message.localized_messages.insert("de".to_owned(), "Verloren".to_owned());
        let json = r#"{"defaultMessage":"Lost","localizedMessages":{"de":"Verloren"}}"#;
        assert_eq!(serde_json::to_string(&message).unwrap(), json);
        assert_eq!(serde_json::from_str::<UserFacingMessage>(json).unwrap(), message);
    }
}
