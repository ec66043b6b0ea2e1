//! A customer of Google's: signing up, where its notifications go, and tokens for Google's pages within ours.

use serde::{Deserialize, Serialize};

use crate::names::{EnterpriseName, SignupUrlName, TopicName};
use crate::wire::list;
use crate::words::words;

words! {
    /// What Google tells of.
    NotificationType {
        Enrollment = "ENROLLMENT",
        StatusReport = "STATUS_REPORT",
        Command = "COMMAND",
        UsageLogs = "USAGE_LOGS",
        EnterpriseUpgrade = "ENTERPRISE_UPGRADE",
        ComplianceReport = "COMPLIANCE_REPORT",
        Test = "TEST",
    }
}

impl NotificationType {
    /// What Remuda listens to. Without `USAGE_LOGS` no lost device could say where it is.
    pub const WANTED: [Self; 4] = [Self::Enrollment, Self::StatusReport, Self::Command, Self::UsageLogs];
}

/// `signupUrls.create` answers this.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SignupUrl {
    /// Needed to create the enterprise afterwards.
    pub name: SignupUrlName,
    /// Where an administrator signs up; not in a frame.
    pub url: String,
}

/// An enterprise.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enterprise {
    /// Google's.
    pub name: EnterpriseName,
    /// What users see.
    #[serde(default)]
    pub enterprise_display_name: Option<String>,
    /// Where notifications go: `projects/P/topics/T`.
    #[serde(default)]
    pub pubsub_topic: Option<String>,
    /// What is told of.
    #[serde(default, deserialize_with = "list::deserialize")]
    pub enabled_notification_types: Vec<NotificationType>,
}

/// What is set of an enterprise, when it is created or changed; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnterprisePatch {
    /// What users see, at most 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_display_name: Option<String>,
    /// Where notifications go; Google must be allowed to publish there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pubsub_topic: Option<TopicName>,
    /// Needs a topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled_notification_types: Option<Vec<NotificationType>>,
}

impl EnterprisePatch {
    /// Sends every notification that Remuda listens to to `topic`.
    pub fn notifying(topic: TopicName) -> Self {
        Self {
            enterprise_display_name: None,
            pubsub_topic: Some(topic),
            enabled_notification_types: Some(NotificationType::WANTED.to_vec()),
        }
    }

    /// `updateMask`.
    pub fn update_mask(&self) -> String {
        let fields = [
            (self.enterprise_display_name.is_some(), "enterpriseDisplayName"),
            (self.pubsub_topic.is_some(), "pubsubTopic"),
            (self.enabled_notification_types.is_some(), "enabledNotificationTypes"),
        ];
        let named: Vec<&str> = fields.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
        named.join(",")
    }
}

/// A page of Google's that may be shown in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebTokenFeature {
    /// Looking for applications.
    PlaySearch,
    /// The enterprise's own applications.
    PrivateApps,
    /// Links as applications.
    WebApps,
    /// The order of the store.
    StoreBuilder,
    /// What applications are told.
    ManagedConfigurations,
    /// Zero-touch enrollment.
    ZeroTouchCustomerManagement,
}

/// The body of `webTokens.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebTokenRequest {
    /// The page that holds the frame; `https`.
    pub parent_frame_url: String,
    /// What it shows; empty means everything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enabled_features: Vec<WebTokenFeature>,
}

/// What `webTokens.create` answers.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct WebToken {
    /// Secret; goes into the address of the frame.
    pub value: String,
}

impl std::fmt::Debug for WebToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_says_where_notifications_go() {
        let patch = EnterprisePatch::notifying(TopicName::parse("projects/p/topics/t").unwrap());
        assert_eq!(patch.update_mask(), "pubsubTopic,enabledNotificationTypes");
        let expected = json!({"pubsubTopic": "projects/p/topics/t",
            "enabledNotificationTypes": ["ENROLLMENT", "STATUS_REPORT", "COMMAND", "USAGE_LOGS"]});
        assert_eq!(serde_json::to_value(&patch).unwrap(), expected);
    }

    #[test]
    fn an_enterprise_is_read() {
        let json = r#"{"name":"enterprises/LC01","enabledNotificationTypes":["COMMAND","BRAND_NEW"],"primaryColor":1}"#;
        let enterprise: Enterprise = serde_json::from_str(json).unwrap();
        let brand_new = NotificationType::Other("BRAND_NEW".into());
        assert_eq!(enterprise.enabled_notification_types, [NotificationType::Command, brand_new]);
    }

    #[test]
    fn a_web_token_names_its_page_and_stays_out_of_logs() {
        let request = WebTokenRequest {
            parent_frame_url: "https://mdm.example".to_owned(),
            enabled_features: vec![WebTokenFeature::ZeroTouchCustomerManagement],
        };
        let expected = json!({"parentFrameUrl": "https://mdm.example",
            "enabledFeatures": ["ZERO_TOUCH_CUSTOMER_MANAGEMENT"]});
        assert_eq!(serde_json::to_value(&request).unwrap(), expected);
        let token: WebToken = serde_json::from_str(r#"{"value":"secret"}"#).unwrap();
        assert!(!format!("{token:?}").contains("secret"));
    }
}
