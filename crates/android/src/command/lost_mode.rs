//! What a lost device shows to its finder.

use serde::Serialize;

use crate::message::UserFacingMessage;

/// `startLostModeParams`; made by [`LostMode::new`], which sees that there is something to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LostMode {
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_message: Option<UserFacingMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_phone_number: Option<UserFacingMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_email_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_street_address: Option<UserFacingMessage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_organization: Option<UserFacingMessage>,
}

/// Google wants a message, a phone number, an e-mail address or a street; the organization alone is not
/// enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("lost mode needs a message, a phone number, an e-mail address or a street address")]
pub struct NothingToShow;

impl LostMode {
    /// The three that a finder needs most; empty ones count as none.
    pub fn new(
        message: Option<&str>,
        phone_number: Option<&str>,
        email_address: Option<&str>,
    ) -> Result<Self, NothingToShow> {
        let lost = Self {
            lost_message: said(message).map(UserFacingMessage::new),
            lost_phone_number: said(phone_number).map(UserFacingMessage::new),
            lost_email_address: said(email_address).map(str::to_owned),
            ..Self::default()
        };
        let shows = lost.lost_message.is_some()
            || lost.lost_phone_number.is_some()
            || lost.lost_email_address.is_some();
        if shows { Ok(lost) } else { Err(NothingToShow) }
    }

    /// Shows also where to bring the device.
    #[must_use]
    pub fn with_street_address(mut self, address: impl Into<String>) -> Self {
        self.lost_street_address = Some(UserFacingMessage::new(address));
        self
    }

    /// Shows also whose it is.
    #[must_use]
    pub fn with_organization(mut self, name: impl Into<String>) -> Self {
        self.lost_organization = Some(UserFacingMessage::new(name));
        self
    }
}

fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, CommandRequest};
    use serde_json::json;

    #[test]
    fn what_is_shown_goes_out_under_googles_names() {
        let lost = LostMode::new(Some("Please call"), Some("+49 30 1"), Some("it@example.org")).unwrap();
        let lost = lost.with_organization("Example").with_street_address("Main Street 1");
        let body = serde_json::to_value(CommandRequest::new(Command::StartLostMode(lost))).unwrap();
        let expected = json!({
            "lostMessage": {"defaultMessage": "Please call"},
            "lostPhoneNumber": {"defaultMessage": "+49 30 1"},
            "lostEmailAddress": "it@example.org",
            "lostStreetAddress": {"defaultMessage": "Main Street 1"},
            "lostOrganization": {"defaultMessage": "Example"},
        });
        assert_eq!(body["type"], "START_LOST_MODE");
        assert_eq!(body["startLostModeParams"], expected);
    }

    #[test]
    fn one_of_the_three_is_enough_and_none_is_too_few() {
        assert!(LostMode::new(None, Some("1"), None).is_ok());
        assert!(LostMode::new(None, None, Some("a@b")).is_ok());
        assert_eq!(LostMode::new(Some(" "), Some(""), None), Err(NothingToShow));
    }
}
