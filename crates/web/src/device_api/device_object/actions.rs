//! What can be asked of a device, and how it stands.

use domain::{ActionKind, DeviceView};
use serde::Serialize;
use utoipa::ToSchema;

/// What can be asked of a device.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct Actions {
    disablelostmode: ActionObject,
    enablelostmode: ActionObject,
    lockscreen: ActionObject,
    requestlocation: ActionObject,
    resetpasscode: ActionObject,
    wipefull: ActionObject,
    wipepartial: ActionObject,
}

/// How an action stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[schema(as = Action)]
struct ActionObject {
    /// 1: it is queued or sent, and not yet answered.
    #[schema(example = 0)]
    status: u8,
    /// Whether it can be done on this device now.
    visible: bool,
}

impl Actions {
    pub(super) fn of(view: &DeviceView) -> Self {
        let action = |kind: ActionKind| ActionObject {
            status: u8::from(view.pending.iter().any(|pending| pending == kind.name())),
            visible: kind.is_available(&view.device),
        };
        Self {
            disablelostmode: action(ActionKind::DisableLostMode),
            enablelostmode: action(ActionKind::EnableLostMode),
            lockscreen: action(ActionKind::LockScreen),
            requestlocation: action(ActionKind::RequestLocation),
            resetpasscode: action(ActionKind::ResetPasscode),
            wipefull: action(ActionKind::WipeFull),
            wipepartial: action(ActionKind::WipePartial),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::shown;

    #[test]
    fn a_pending_action_has_status_one_and_the_others_do_not() {
        let device = shown(|view| view.pending = vec!["lockscreen".into(), "inventory".into()]);
        for (name, action) in device["actions"].as_object().unwrap() {
            assert_eq!(action["status"], i32::from(name == "lockscreen"), "{name}");
        }
    }

    #[test]
    fn only_a_managed_device_can_be_locked() {
        assert_eq!(shown(|_| ())["actions"]["lockscreen"]["visible"], true);
        assert_eq!(shown(|view| view.device.managed = false)["actions"]["lockscreen"]["visible"], false);
    }
}
