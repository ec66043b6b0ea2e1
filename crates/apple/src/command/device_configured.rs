//! `DeviceConfigured` (Apple's `mdm/commands/device.configured.yaml`; no right).

use plist::Dictionary;

use super::Request;
use crate::fields::{Fields, Malformed};

/// Lets a device that said `AwaitingConfiguration` go on through Setup Assistant, which waits for ever without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceConfigured;

impl Request for DeviceConfigured {
    const REQUEST_TYPE: &'static str = "DeviceConfigured";
    const KEYS: &'static [&'static str] = &[];

    fn write(&self, _keys: &mut Dictionary) {}

    fn read(_fields: Fields<'_>) -> Result<DeviceConfigured, Malformed> {
        Ok(DeviceConfigured)
    }
}
