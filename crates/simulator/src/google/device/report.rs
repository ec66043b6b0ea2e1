//! What a device reports: what its policy asks for, and no more.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::Hardware;
use super::enroll::hardware_info;
use crate::google::time;

impl Hardware {
    /// Writes a report into the device's record; `wanted` is the policy's `statusReportingSettings`.
    pub(super) fn report(&self, resource: &mut Value, wanted: &Value, now: SystemTime) {
        let at = time::rfc3339(now);
        let ownership = resource["ownership"].as_str().unwrap_or_default().to_owned();
        let personal = ownership == "PERSONALLY_OWNED";
        resource["lastStatusReportTime"] = json!(at);
        resource["lastPolicySyncTime"] = json!(at);
        resource["hardwareInfo"] = hardware_info(&self.facts, &ownership);
        resource["appliedState"] = if self.lost { json!("LOST") } else { resource["state"].clone() };
        let switches = [
            ("softwareInfoEnabled", self.software()),
            ("memoryInfoEnabled", self.memory(&at)),
            ("networkInfoEnabled", self.network(personal)),
            ("deviceSettingsEnabled", self.settings()),
            ("applicationReportsEnabled", self.applications()),
            ("powerManagementEventsEnabled", if personal { Map::new() } else { self.power(&at) }),
        ];
        for (switch, fields) in switches {
            for (field, value) in fields {
                match wanted[switch] == true {
                    true => resource[field] = value,
                    false => drop(resource.as_object_mut().map(|it| it.remove(&field))),
                }
            }
        }
    }

    fn software(&self) -> Map<String, Value> {
        let version = self.facts.android_version.to_string();
        one(
            "softwareInfo",
            json!({"androidVersion": version, "androidBuildNumber": "AP4A.250105.002",
            "securityPatchLevel": "2025-01-05", "primaryLanguageCode": "en-US",
            "androidDevicePolicyVersionName": "122.44.1", "androidDevicePolicyVersionCode": 12_244_100,
            "systemUpdateInfo": {"updateStatus": "UP_TO_DATE"}}),
        )
    }

    /// 64-bit integers are strings.
    fn memory(&self, at: &str) -> Map<String, Value> {
        let (storage, free) = (self.facts.storage.to_string(), self.facts.free_storage.to_string());
        let mut fields =
            one("memoryInfo", json!({"totalRam": "12000000000", "totalInternalStorage": storage}));
        let measured = |kind, bytes: &str| json!({"eventType": kind, "createTime": at, "byteCount": bytes});
        let events = [measured("RAM_MEASURED", "5000000000"), measured("INTERNAL_STORAGE_MEASURED", &free)];
        fields.insert("memoryEvents".to_owned(), json!(events));
        fields
    }

    fn network(&self, personal: bool) -> Map<String, Value> {
        let mut network = json!({"networkOperatorName": "Pretend Mobile"});
        if !personal {
            network["wifiMacAddress"] = json!("02:00:00:00:00:01");
            if let Some(imei) = &self.facts.imei {
                network["imei"] = json!(imei);
            }
        }
        one("networkInfo", network)
    }

    fn settings(&self) -> Map<String, Value> {
        one(
            "deviceSettings",
            json!({"isDeviceSecure": self.facts.secure, "encryptionStatus": "ACTIVE_PER_USER", "isEncrypted": true,
            "adbEnabled": false, "developmentSettingsEnabled": false, "unknownSourcesEnabled": false,
            "verifyAppsEnabled": true}),
        )
    }

    fn power(&self, at: &str) -> Map<String, Value> {
        let level = self.facts.battery_level;
        let event = json!({"eventType": "BATTERY_LEVEL_COLLECTED", "createTime": at, "batteryLevel": level});
        one("powerManagementEvents", json!([event]))
    }

    fn applications(&self) -> Map<String, Value> {
        let each = self.facts.applications.iter().map(|it| {
            json!({"packageName": it.package_name, "displayName": it.display_name,
                "versionName": it.version_name, "versionCode": 1, "state": "INSTALLED",
                "applicationSource": "INSTALLED_FROM_PLAY_STORE", "installerPackageName": "com.android.vending",
                "packageSha256Hash": "q80="})
        });
        one("applicationReports", each.collect())
    }
}

fn one(field: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(field.to_owned(), value)])
}
