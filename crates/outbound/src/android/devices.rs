//! Devices, and what they are told to do.

use ::android::{
    CommandRequest, Device, DeviceName, DevicePatch, EnterpriseName, Operation, Page, WipeDataFlag,
};
use http::Method;
use serde::Deserialize;

use super::Google;
use super::call::Call;
use super::error::Error;

/// Google would give a hundred, but each may name hundreds of applications, and an answer has a bound.
const PAGE_SIZE: &str = "20";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Devices {
    devices: Vec<Device>,
    next_page_token: Option<String>,
}

impl Google {
    /// `devices.get`; [`Error::NotFound`] of a device that Google has no more.
    pub async fn device(&self, name: &DeviceName) -> Result<Device, Error> {
        self.ask("a device", Call::management(Method::GET, name.as_str())).await
    }

    /// A page of an enterprise's devices (`devices.list`), at most 20; deleted ones are not in it.
    pub async fn devices(
        &self,
        enterprise: &EnterpriseName,
        page: Option<&str>,
    ) -> Result<Page<Device>, Error> {
        let call = Call::management(Method::GET, format!("{enterprise}/devices"))
            .query("pageSize", PAGE_SIZE)
            .maybe("pageToken", page);
        let list: Devices = self.ask("a list of devices", call).await?;
        Ok(Page::new(list.devices, list.next_page_token))
    }

    /// `devices.patch`, of the fields that `patch` has.
    pub async fn patch_device(&self, name: &DeviceName, patch: &DevicePatch) -> Result<Device, Error> {
        let call = Call::management(Method::PATCH, name.as_str())
            .query("updateMask", patch.update_mask())
            .body(patch)?;
        self.ask("a device", call).await
    }

    /// `devices.delete`: the record goes at once, and the device is told to wipe itself when it next
    /// connects, which nothing will confirm. `reason` is shown on a personal device, at most 200 characters.
    pub async fn delete_device(
        &self,
        name: &DeviceName,
        flags: &[WipeDataFlag],
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let call = Call::management(Method::DELETE, name.as_str()).maybe("wipeReasonMessage", reason);
        let call = flags.iter().fold(call, |call, flag| call.query("wipeDataFlags", flag.word()));
        self.tell(call).await
    }

    /// `devices.issueCommand`. A repetition issues it again: after [`Error::TryLater`] with `maybe_done` look
    /// at [`Google::operations`] first.
    pub async fn issue_command(
        &self,
        name: &DeviceName,
        request: &CommandRequest,
    ) -> Result<Operation, Error> {
        let call = Call::management(Method::POST, format!("{name}:issueCommand")).body(request)?;
        self.ask("an operation", call).await
    }
}
