//! The battery.

use std::time::SystemTime;

use serde::Deserialize;

use crate::wire::time;
use crate::words::words;

words! {
    /// What happened.
    PowerEventType {
        BatteryLevelCollected = "BATTERY_LEVEL_COLLECTED",
        PowerConnected = "POWER_CONNECTED",
        PowerDisconnected = "POWER_DISCONNECTED",
        BatteryLow = "BATTERY_LOW",
        BatteryOkay = "BATTERY_OKAY",
        BootCompleted = "BOOT_COMPLETED",
        Shutdown = "SHUTDOWN",
    }
}

/// Something that happened to the battery.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PowerEvent {
    /// What.
    pub event_type: Option<PowerEventType>,
    /// When.
    #[serde(deserialize_with = "time::deserialize")]
    pub create_time: Option<SystemTime>,
    /// Percent; with `BATTERY_LEVEL_COLLECTED`.
    pub battery_level: Option<f64>,
}
