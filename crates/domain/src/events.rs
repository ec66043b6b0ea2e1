//! What happened, for the audit log.

use serde_json::{Value, json};

use crate::{Actor, Command, CommandId, CommandState, DeviceId, Link, Subject, Timestamp};

/// Something that an administrator may want to know of.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Such as `device.enrolled`.
    pub kind: String,
    /// Who did it, as [`Subject::audit_name`] writes it.
    pub actor: String,
    /// To which device; events of a purged device go with it.
    pub device: Option<DeviceId>,
    /// More, without secrets.
    pub details: Value,
    /// When.
    pub at: Timestamp,
}

impl Event {
    pub(crate) fn of_device(kind: &str, device: DeviceId, details: Value, at: Timestamp) -> Self {
        Self { kind: kind.into(), actor: Subject::System.audit_name(), device: Some(device), details, at }
    }

    /// What became of a command that its device has answered; `errors` are the codes and domains that it gave.
    pub fn of_result(
        (device, command): (DeviceId, CommandId),
        request_type: &str,
        state: CommandState,
        errors: &Value,
        at: Timestamp,
    ) -> Self {
        let kind = if state == CommandState::Acknowledged { "command.done" } else { "command.failed" };
        let details = json!({ "command": command, "request_type": request_type, "errors": errors });
        Self::of_device(kind, device, details, at)
    }

    pub(crate) fn action_asked(actor: &Actor, command: &Command, at: Timestamp) -> Self {
        let details = json!({ "action": command.action, "command": command.id });
        Self::by(actor, "action.asked", Some(command.device), details, at)
    }

    /// An event of the device for which the link was made, where it was made for one: it goes with that.
    pub(crate) fn link_added(actor: &Actor, link: &Link, at: Timestamp) -> Self {
        let details = json!({ "link": link.id, "uses": link.max_uses, "user": link.user });
        Self::by(actor, "link.added", link.device, details, at)
    }

    pub(crate) fn by(
        actor: &Actor,
        kind: &str,
        device: Option<DeviceId>,
        details: Value,
        at: Timestamp,
    ) -> Self {
        Self { kind: kind.into(), actor: actor.subject.audit_name(), device, details, at }
    }

    pub(crate) fn of_tenant(kind: &str, details: Value, at: Timestamp) -> Self {
        Self { kind: kind.into(), actor: Subject::System.audit_name(), device: None, details, at }
    }
}
