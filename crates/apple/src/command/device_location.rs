//! `DeviceLocation` (Apple's `mdm/commands/device.lostmode.location.yaml`; no right).

use plist::Dictionary;

use super::Request;
use crate::fields::{Fields, Malformed};

/// Asks where a device in Lost Mode is; [`crate::inventory::DeviceLocationReport`] reads the answer. Out of
/// Lost Mode the answer is error 12067, and 12068 where the device does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceLocation;

impl Request for DeviceLocation {
    const REQUEST_TYPE: &'static str = "DeviceLocation";
    const KEYS: &'static [&'static str] = &[];

    fn write(&self, _keys: &mut Dictionary) {}

    fn read(_fields: Fields<'_>) -> Result<DeviceLocation, Malformed> {
        Ok(DeviceLocation)
    }
}
