//! `DisableLostMode` (Apple's `mdm/commands/device.lostmode.disable.yaml`; no right).

use plist::Dictionary;

use super::Request;
use crate::fields::{Fields, Malformed};

/// Ends what [`EnableLostMode`](super::EnableLostMode) began, for the same devices; one that is not lost
/// answers with error 12067.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DisableLostMode;

impl Request for DisableLostMode {
    const REQUEST_TYPE: &'static str = "DisableLostMode";
    const KEYS: &'static [&'static str] = &[];

    fn write(&self, _keys: &mut Dictionary) {}

    fn read(_fields: Fields<'_>) -> Result<DisableLostMode, Malformed> {
        Ok(DisableLostMode)
    }
}
