//! `SecurityInfo` (Apple's `mdm/commands/information.security.yaml`; right 1024).

use plist::Dictionary;

use super::Request;
use crate::fields::{Fields, Malformed};

/// Asks how the device is secured; [`crate::inventory::SecurityInfo`] reads the answer. A locked device may
/// put it off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityInfo;

impl Request for SecurityInfo {
    const REQUEST_TYPE: &'static str = "SecurityInfo";
    const KEYS: &'static [&'static str] = &[];

    fn write(&self, _keys: &mut Dictionary) {}

    fn read(_fields: Fields<'_>) -> Result<SecurityInfo, Malformed> {
        Ok(SecurityInfo)
    }
}
