//! Ask which apps there are.

use super::{
    ActionKind, AndroidRequest, AppleRequest, Asked, Spec,
    rules::{Ability, takes},
};
use crate::{Device, Result};

/// Ask which apps are installed, and how those are that we manage: two commands, of which a device may take one only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestAppList;

impl Spec for RequestAppList {
    fn kind(&self) -> ActionKind {
        ActionKind::RequestAppList
    }

    fn apple(&self, asked: &Asked<'_>) -> Result<Vec<AppleRequest>> {
        let installed = apple::command::InstalledApplicationList::default();
        let managed = apple::command::ManagedApplicationList::default();
        let requests = [
            AppleRequest { dedupe: "installed-apps", ..AppleRequest::plain(self.kind(), installed) },
            AppleRequest { dedupe: "managed-apps", ..AppleRequest::plain(self.kind(), managed) },
        ];
        let taken = |request: &AppleRequest| takes(asked.device, request.command.request_type()).is_ok();
        Ok(requests.into_iter().filter(taken).collect())
    }

    fn android(&self, _: &Device) -> Result<Vec<AndroidRequest>> {
        Ok(vec![AndroidRequest::Report])
    }
}

/// Apple's rules for the two commands: one of them is enough. A Mac under User Enrollment tells of managed apps only.
pub(super) fn supported_by(device: &Device) -> Ability {
    takes(device, "InstalledApplicationList").or_else(|why| {
        // What is said of the list of all apps says more than what is said of the other one.
        takes(device, "ManagedApplicationList").map_err(|_| why)
    })
}
