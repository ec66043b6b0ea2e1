//! What a device logs: where a lost one is, and what its user does.

use serde_json::{Value, json};

use crate::google::event::AndroidHappening;
use crate::google::time;
use crate::google::world::World;

impl World {
    /// Publishes one event of a device's usage log.
    pub(super) fn log(&mut self, name: &str, kind: &str, field: &str, event: &Value) {
        let now = time::rfc3339(self.now());
        let id = self.next().to_string();
        let batch = json!({
            "device": name, "retrievalTime": now,
            "usageLogEvents": [{"eventId": id, "eventTime": now, "eventType": kind, (field): event}],
        });
        self.notify(name, "USAGE_LOGS", Some(&batch));
    }

    /// A lost device says where it is.
    pub(super) fn log_location(&mut self, name: &str) {
        let Some(lost) = self.hardware_mut(name).filter(|it| it.lost) else { return };
        let (latitude, longitude) = lost.facts.location;
        let location = json!({"latitude": latitude, "longitude": longitude});
        let event = json!({"location": location.clone(), "batteryLevel": lost.facts.battery_level});
        let what = "LOST_MODE_LOCATION".to_owned();
        self.tell(name, AndroidHappening::Did { what, keys: location });
        self.log(name, "LOST_MODE_LOCATION", "lostModeLocationEvent", &event);
    }

    /// The user gets out of lost mode; false if the device is not in it.
    pub(in crate::google) fn end_lost_mode_by_user(&mut self, name: &str) -> bool {
        let now = self.now();
        let Some(lost) = self.hardware_mut(name).filter(|it| it.lost) else { return false };
        lost.lost = false;
        lost.lost_mode_left_by_user = Some(now);
        let event = json!({"status": "ATTEMPT_SUCCEEDED"});
        self.log(name, "STOP_LOST_MODE_USER_ATTEMPT", "stopLostModeUserAttemptEvent", &event);
        true
    }
}
