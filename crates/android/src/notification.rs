//! What Google tells through Pub/Sub: messages as they come, and what is in them.

mod message;
mod usage_log;

pub use message::{PubsubMessage, PullResponse, PushBody, ReceivedMessage};
pub use usage_log::{BatchUsageLogEvents, LostModeLocation, UsageLogEvent, UsageLogEventType};

use serde::Deserialize;

use crate::device::Device;
use crate::enterprise::NotificationType;
use crate::names::DeviceName;
use crate::operation::Operation;
use crate::{Malformed, decode};

/// What a message is about. Messages come at least once, in any order and late: a device in one may be older
/// than what is known; compare [`Device::last_status_report_time`], or ask for the device again.
#[derive(Clone, Debug, PartialEq)]
pub enum Notification {
    /// A device enrolled.
    Enrollment(Box<Device>),
    /// A device reported; may be of one that is gone (see [`Device::is_deleted`]).
    StatusReport(Box<Device>),
    /// A command came to its end.
    Command(Box<Operation>),
    /// What devices logged, lost ones where they are.
    UsageLogs(Box<BatchUsageLogEvents>),
    /// The enterprise became one of another kind.
    EnterpriseUpgrade(EnterpriseUpgradeEvent),
    /// Somebody tried whether notifications arrive.
    Test,
    /// Of no known type: nothing to do, but it has to be acknowledged.
    Other(NotificationType),
}

/// `EnterpriseUpgradeEvent`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnterpriseUpgradeEvent {
    /// `enterprises/E`.
    pub enterprise: String,
    /// `UPGRADE_STATE_SUCCEEDED`.
    pub upgrade_state: String,
}

impl Notification {
    /// Reads a message. What fails here will fail for ever: keep it aside and acknowledge it.
    pub fn read(message: &PubsubMessage) -> Result<Self, Malformed> {
        let data = || message.data()?.ok_or(Malformed::Missing("data of a notification"));
        Ok(match message.notification_type()? {
            NotificationType::Enrollment => Self::Enrollment(Box::new(Device::decode(&data()?)?)),
            NotificationType::StatusReport => Self::StatusReport(Box::new(Device::decode(&data()?)?)),
            NotificationType::Command => Self::Command(Box::new(Operation::decode(&data()?)?)),
            NotificationType::UsageLogs => Self::UsageLogs(Box::new(BatchUsageLogEvents::decode(&data()?)?)),
            NotificationType::EnterpriseUpgrade => {
                Self::EnterpriseUpgrade(decode("an enterprise's upgrade", &data()?)?)
            }
            NotificationType::Test => Self::Test,
            other @ (NotificationType::ComplianceReport | NotificationType::Other(_)) => Self::Other(other),
        })
    }

    /// The device that it is about.
    pub fn device_name(&self) -> Option<DeviceName> {
        match self {
            Self::Enrollment(device) | Self::StatusReport(device) => Some(device.name.clone()),
            Self::Command(operation) => Some(operation.name.device()),
            Self::UsageLogs(logs) => Some(logs.device.clone()),
            Self::EnterpriseUpgrade(_) | Self::Test | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    fn message(kind: &str, data: Option<&str>) -> PubsubMessage {
        let data = data.map(|data| format!(r#","data":"{}""#, STANDARD.encode(data))).unwrap_or_default();
        let json = format!(r#"{{"messageId":"1","attributes":{{"notificationType":"{kind}"}}{data}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn each_type_has_its_own_content() {
        let device = r#"{"name":"enterprises/E/devices/D","state":"ACTIVE"}"#;
        let read = |kind, data| Notification::read(&message(kind, data)).unwrap();
        assert!(matches!(read("ENROLLMENT", Some(device)), Notification::Enrollment(_)));
        assert!(matches!(read("STATUS_REPORT", Some(device)), Notification::StatusReport(_)));
        let operation = r#"{"name":"enterprises/E/devices/D/operations/1","done":true}"#;
        let command = read("COMMAND", Some(operation));
        assert!(matches!(command, Notification::Command(_)));
        assert_eq!(command.device_name().unwrap().as_str(), "enterprises/E/devices/D");
        let upgrade = r#"{"enterprise":"enterprises/E","upgradeState":"UPGRADE_STATE_SUCCEEDED"}"#;
        assert!(matches!(read("ENTERPRISE_UPGRADE", Some(upgrade)), Notification::EnterpriseUpgrade(_)));
        assert_eq!(read("TEST", None), Notification::Test);
        assert_eq!(read("BRAND_NEW", None), Notification::Other(NotificationType::Other("BRAND_NEW".into())));
    }

    #[test]
    fn a_message_without_what_its_type_needs_is_malformed() {
        let fails = |kind, data| Notification::read(&message(kind, data)).unwrap_err();
        assert_eq!(fails("COMMAND", None), Malformed::Missing("data of a notification"));
        assert!(matches!(fails("COMMAND", Some("{}")), Malformed::Json { .. }));
        let no_type: PubsubMessage = serde_json::from_str(r#"{"messageId":"1"}"#).unwrap();
        assert_eq!(Notification::read(&no_type), Err(Malformed::Missing("notificationType")));
    }

    proptest! {
        #[test]
        fn no_content_makes_it_panic(
            kind in prop::sample::select(vec!["ENROLLMENT", "STATUS_REPORT", "COMMAND", "USAGE_LOGS", "TEST", ""]),
            data in any::<String>(),
        ) {
            let _ = Notification::read(&message(kind, Some(&data)));
        }
    }
}
