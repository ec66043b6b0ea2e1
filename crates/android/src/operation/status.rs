//! What single commands say of their end.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::wire::list;
use crate::words::words;

words! {
    /// `errorCode` of a command: the device could not do it.
    CommandErrorCode {
        Unspecified = "COMMAND_ERROR_CODE_UNSPECIFIED",
        Unknown = "UNKNOWN",
        ApiLevel = "API_LEVEL",
        ManagementMode = "MANAGEMENT_MODE",
        InvalidValue = "INVALID_VALUE",
        Unsupported = "UNSUPPORTED",
    }
}

/// A status that is one word; for each command a set of its own, of which `SUCCESS` is in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StatusWord {
    /// Such as `SUCCESS`, `ALREADY_IN_LOST_MODE`.
    pub status: Option<String>,
}

/// Of `CLEAR_APP_DATA`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ClearAppsDataStatus {
    /// By package name.
    pub results: BTreeMap<String, PerAppResult>,
}

/// Of one application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PerAppResult {
    /// `SUCCESS`, `APP_NOT_FOUND`, `APP_PROTECTED`, `API_LEVEL`.
    pub clearing_result: Option<String>,
}

/// Of `ADD_ESIM` and `REMOVE_ESIM`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EsimStatus {
    /// `SUCCESS`, `IN_PROGRESS`, `PENDING_USER_ACTION`, or why not.
    pub status: Option<String>,
}

/// Of `REQUEST_DEVICE_INFO`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestDeviceInfoStatus {
    /// `SUCCEEDED`, `PENDING_USER_ACTION`, `USER_DECLINED`, `UNSUPPORTED`.
    pub status: Option<String>,
    /// What was asked for.
    pub eid_info: EidInfo,
}

/// The numbers of the chips for eSIMs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EidInfo {
    /// One for each chip.
    #[serde(deserialize_with = "list::deserialize")]
    pub eids: Vec<crate::device::EuiccChip>,
}
