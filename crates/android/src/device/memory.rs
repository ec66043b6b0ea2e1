//! How much room there is.

use std::time::SystemTime;

use serde::Deserialize;

use crate::wire::{int64, time};
use crate::words::words;

words! {
    /// What was seen.
    MemoryEventType {
        RamMeasured = "RAM_MEASURED",
        InternalStorageMeasured = "INTERNAL_STORAGE_MEASURED",
        ExternalStorageDetected = "EXTERNAL_STORAGE_DETECTED",
        ExternalStorageRemoved = "EXTERNAL_STORAGE_REMOVED",
        ExternalStorageMeasured = "EXTERNAL_STORAGE_MEASURED",
    }
}

/// `memoryInfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemoryInfo {
    /// Bytes.
    #[serde(with = "int64")]
    pub total_ram: Option<i64>,
    /// Bytes.
    #[serde(with = "int64")]
    pub total_internal_storage: Option<i64>,
}

/// A measurement at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemoryEvent {
    /// What was measured.
    pub event_type: Option<MemoryEventType>,
    /// When.
    #[serde(deserialize_with = "time::deserialize")]
    pub create_time: Option<SystemTime>,
    /// Bytes that are free; of a detected storage, all of it.
    #[serde(with = "int64")]
    pub byte_count: Option<i64>,
}
