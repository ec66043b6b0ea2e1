//! What can be changed of a device: its wished state, the reason shown, and its policy.

use serde::Serialize;

use crate::message::UserFacingMessage;
use crate::names::PolicyName;

/// The only two states that may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SettableState {
    /// In use.
    Active,
    /// Cannot be used, but is still managed.
    Disabled,
}

/// The body of `devices.patch`; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DevicePatch {
    /// The wished state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SettableState>,
    /// Shown while the device is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<UserFacingMessage>,
    /// The policy that it shall have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<PolicyName>,
}

impl DevicePatch {
    /// Puts the device out of use, with a reason for whoever holds it.
    pub fn disable(reason: UserFacingMessage) -> Self {
        Self { state: Some(SettableState::Disabled), disabled_reason: Some(reason), policy_name: None }
    }

    /// Puts it back to use.
    pub fn enable() -> Self {
        Self { state: Some(SettableState::Active), ..Self::default() }
    }

    /// `updateMask`: without one Google would overwrite every field that can be set.
    pub fn update_mask(&self) -> String {
        let fields = [
            (self.state.is_some(), "state"),
            (self.disabled_reason.is_some(), "disabledReason"),
            (self.policy_name.is_some(), "policyName"),
        ];
        let named: Vec<&str> = fields.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
        named.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_names_what_it_changes_and_nothing_else() {
        let patch = DevicePatch::disable(UserFacingMessage::new("Ask IT"));
        assert_eq!(patch.update_mask(), "state,disabledReason");
        let json = r#"{"state":"DISABLED","disabledReason":{"defaultMessage":"Ask IT"}}"#;
        assert_eq!(serde_json::to_string(&patch).unwrap(), json);
        assert_eq!(DevicePatch::enable().update_mask(), "state");
        assert_eq!(serde_json::to_string(&DevicePatch::enable()).unwrap(), r#"{"state":"ACTIVE"}"#);
    }
}
