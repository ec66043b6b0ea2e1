//! The hardware.

use serde::Deserialize;

use crate::wire::list;

/// `hardwareInfo`, which needs no setting of the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HardwareInfo {
    /// Such as `Google`.
    pub manufacturer: Option<String>,
    /// Such as `google`.
    pub brand: Option<String>,
    /// Such as `Pixel 9`.
    pub model: Option<String>,
    /// Of a personal device from Android 12 on the same as
    /// [`enterprise_specific_id`](Self::enterprise_specific_id), and not what is printed on it.
    pub serial_number: Option<String>,
    /// Stays the same when the device enrolls again in the same enterprise.
    pub enterprise_specific_id: Option<String>,
    /// The name of the hardware, such as `tokay`.
    pub hardware: Option<String>,
    /// The radio's firmware.
    pub device_baseband_version: Option<String>,
    /// The chips for eSIMs.
    #[serde(deserialize_with = "list::deserialize")]
    pub euicc_chip_info: Vec<EuiccChip>,
}

/// A chip for eSIMs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EuiccChip {
    /// Its number, of 32 digits.
    pub eid: Option<String>,
}
