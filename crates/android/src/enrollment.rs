//! How a device comes to be managed: tokens, what is written into them, and how they reach the device.

mod qr;
mod token_data;

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

pub use qr::{
    ADMIN_COMPONENT, PACKAGE_URL, Provisioning, SIGNATURE_CHECKSUM, Wifi, WifiSecurity, enrollment_link,
};
pub use token_data::{Channel, MAX_ADDITIONAL_DATA, TokenData, TooLong};

use crate::names::{EnrollmentTokenName, PolicyName};
use crate::wire::{span, time};

/// `allowPersonalUsage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PersonalUsage {
    /// A work profile.
    #[serde(rename = "PERSONAL_USAGE_ALLOWED")]
    Allowed,
    /// The whole device is for work.
    #[serde(rename = "PERSONAL_USAGE_DISALLOWED")]
    Disallowed,
    /// The device is for one purpose, and has no user.
    #[serde(rename = "PERSONAL_USAGE_DISALLOWED_USERLESS")]
    DisallowedUserless,
}

/// What a token makes of the device that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// A work profile on a personal device, opened by a link.
    WorkProfile,
    /// The whole device, set up by QR code, zero-touch or Knox.
    FullyManaged,
    /// A work profile on a new device of the company's, set up by QR code, zero-touch or Knox.
    CompanyOwnedWorkProfile,
    /// A fully managed device without a user.
    Dedicated,
}

impl Method {
    /// What the token has to say. For Google both work profiles are the same: where the token is used makes
    /// the difference.
    pub fn personal_usage(self) -> PersonalUsage {
        match self {
            Self::WorkProfile | Self::CompanyOwnedWorkProfile => PersonalUsage::Allowed,
            Self::FullyManaged => PersonalUsage::Disallowed,
            Self::Dedicated => PersonalUsage::DisallowedUserless,
        }
    }
}

/// The body of `enrollmentTokens.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentTokenRequest {
    /// The policy that the device gets first.
    pub policy_name: PolicyName,
    #[serde(serialize_with = "span::serialize")]
    duration: Option<Duration>,
    /// One device only.
    pub one_time_only: bool,
    /// What becomes of the device.
    pub allow_personal_usage: PersonalUsage,
    /// Comes back as [`Device::enrollment_token_data`](crate::Device).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_data: Option<TokenData>,
}

impl EnrollmentTokenRequest {
    /// Google's least is a minute; its most is not told, and is Google's to refuse.
    pub const SHORTEST: Duration = Duration::from_secs(60);

    /// A token for one device. A duration of less than a minute becomes a minute.
    pub fn new(policy_name: PolicyName, method: Method, duration: Duration) -> Self {
        Self {
            policy_name,
            duration: Some(duration.max(Self::SHORTEST)),
            one_time_only: true,
            allow_personal_usage: method.personal_usage(),
            additional_data: None,
        }
    }

    /// For any number of devices, as zero-touch and Knox need it.
    #[must_use]
    pub fn for_many(mut self) -> Self {
        self.one_time_only = false;
        self
    }

    /// Says something to be told again by every device that uses the token.
    #[must_use]
    pub fn with_data(mut self, data: TokenData) -> Self {
        self.additional_data = Some(data);
        self
    }
}

/// An enrollment token.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentToken {
    /// By which it is deleted.
    pub name: EnrollmentTokenName,
    /// Secret: whoever has it can enroll a device. Only a creation answers it.
    #[serde(default)]
    pub value: Option<String>,
    /// Until when it can be used.
    #[serde(default, deserialize_with = "time::deserialize")]
    pub expiration_timestamp: Option<SystemTime>,
    /// Google's own text for a QR code, JSON as a string; secret too.
    #[serde(default)]
    pub qr_code: Option<String>,
}

impl fmt::Debug for EnrollmentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrollmentToken")
            .field("name", &self.name)
            .field("expiration_timestamp", &self.expiration_timestamp)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy() -> PolicyName {
        PolicyName::parse("enterprises/E/policies/P").unwrap()
    }

    #[test]
    fn each_method_says_what_becomes_of_the_device() {
        let says = |method| {
            let request = EnrollmentTokenRequest::new(policy(), method, Duration::from_secs(3600));
            serde_json::to_value(request).unwrap()["allowPersonalUsage"].clone()
        };
        assert_eq!(says(Method::WorkProfile), "PERSONAL_USAGE_ALLOWED");
        assert_eq!(says(Method::CompanyOwnedWorkProfile), "PERSONAL_USAGE_ALLOWED");
        assert_eq!(says(Method::FullyManaged), "PERSONAL_USAGE_DISALLOWED");
        assert_eq!(says(Method::Dedicated), "PERSONAL_USAGE_DISALLOWED_USERLESS");
    }

    #[test]
    fn a_request_is_googles_object() {
        let data = TokenData::new(Channel::ZeroTouch).with_reference("link").unwrap();
        let request = EnrollmentTokenRequest::new(policy(), Method::FullyManaged, Duration::from_secs(1));
        let json = serde_json::to_value(request.clone().for_many().with_data(data)).unwrap();
        let expected = json!({"policyName": "enterprises/E/policies/P", "duration": "60s", "oneTimeOnly": false,
            "allowPersonalUsage": "PERSONAL_USAGE_DISALLOWED",
            "additionalData": r#"{"remuda":1,"channel":"zero-touch","reference":"link"}"#});
        assert_eq!(json, expected);
        assert_eq!(serde_json::to_value(request).unwrap()["oneTimeOnly"], true);
    }

    #[test]
    fn a_token_is_read_and_stays_out_of_logs() {
        let json = r#"{"name":"enterprises/E/enrollmentTokens/T","value":"SECRET","qrCode":"{SECRET}",
            "expirationTimestamp":"2024-01-02T00:00:00Z","allowPersonalUsage":"PERSONAL_USAGE_ALLOWED"}"#;
        let token: EnrollmentToken = serde_json::from_str(json).unwrap();
        assert_eq!(token.value.as_deref(), Some("SECRET"));
        assert!(token.expiration_timestamp.is_some());
        assert!(!format!("{token:?}").contains("SECRET"));
    }
}
