//! What devices log; of a lost one, where it is.

use std::time::SystemTime;

use serde::Deserialize;

use crate::names::DeviceName;
use crate::wire::{list, time};
use crate::words::words;
use crate::{Malformed, decode};

words! {
    /// What happened; of the many types those that matter to us.
    UsageLogEventType {
        LostModeLocation = "LOST_MODE_LOCATION",
        LostModeOutgoingPhoneCall = "LOST_MODE_OUTGOING_PHONE_CALL",
        StopLostModeUserAttempt = "STOP_LOST_MODE_USER_ATTEMPT",
        EnrollmentComplete = "ENROLLMENT_COMPLETE",
        WipeFailure = "WIPE_FAILURE",
        RemoteLock = "REMOTE_LOCK",
        BackupServiceToggled = "BACKUP_SERVICE_TOGGLED",
    }
}

/// `BatchUsageLogEvents`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchUsageLogEvents {
    /// Who logged it.
    pub device: DeviceName,
    /// `enterprises/E/users/U`.
    #[serde(default)]
    pub user: Option<String>,
    /// When Google fetched it.
    #[serde(default, deserialize_with = "time::deserialize")]
    pub retrieval_time: Option<SystemTime>,
    /// In the device's order; the first 10,000.
    #[serde(default, deserialize_with = "list::long")]
    pub usage_log_events: Vec<UsageLogEvent>,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsageLogEvent {
    /// The device's own.
    pub event_id: Option<String>,
    /// By the device's clock.
    #[serde(deserialize_with = "time::deserialize")]
    pub event_time: Option<SystemTime>,
    /// What.
    pub event_type: Option<UsageLogEventType>,
    /// With `LOST_MODE_LOCATION`.
    pub lost_mode_location_event: Option<LocationEvent>,
    /// With `STOP_LOST_MODE_USER_ATTEMPT`.
    pub stop_lost_mode_user_attempt_event: Option<AttemptEvent>,
}

/// `lostModeLocationEvent`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LocationEvent {
    location: Option<Coordinates>,
    battery_level: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Coordinates {
    latitude: f64,
    longitude: f64,
}

/// `stopLostModeUserAttemptEvent`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AttemptEvent {
    /// `ATTEMPT_SUCCEEDED` or `ATTEMPT_FAILED`.
    pub status: Option<String>,
}

/// Where a lost device was. There is no word about how exact that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LostModeLocation {
    /// Degrees, -90 to 90.
    pub latitude: f64,
    /// Degrees, -180 to 180.
    pub longitude: f64,
    /// Percent.
    pub battery_level: Option<u8>,
    /// By the device's clock.
    pub at: SystemTime,
}

impl BatchUsageLogEvents {
    /// Reads the content of a `USAGE_LOGS` notification.
    pub fn decode(json: &[u8]) -> Result<Self, Malformed> {
        decode("usage logs", json)
    }

    /// Every place told, as it stands in the log; what is no place on earth, or has no time, is left out.
    pub fn locations(&self) -> impl Iterator<Item = LostModeLocation> {
        self.usage_log_events.iter().filter_map(UsageLogEvent::location)
    }

    /// Whether its user ended lost mode, which a device reports by itself only later.
    pub fn user_ended_lost_mode(&self) -> bool {
        let attempts =
            self.usage_log_events.iter().filter_map(|it| it.stop_lost_mode_user_attempt_event.as_ref());
        attempts.filter_map(|it| it.status.as_deref()).any(|status| status == "ATTEMPT_SUCCEEDED")
    }

    /// Whether a wipe failed.
    pub fn wipe_failed(&self) -> bool {
        self.usage_log_events.iter().any(|it| it.event_type == Some(UsageLogEventType::WipeFailure))
    }
}

impl UsageLogEvent {
    fn location(&self) -> Option<LostModeLocation> {
        let event = self.lost_mode_location_event.as_ref()?;
        let Coordinates { latitude, longitude } = *event.location.as_ref()?;
        let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        let battery_level =
            event.battery_level.and_then(|level| u8::try_from(level).ok()).filter(|it| *it <= 100);
        on_earth.then_some(LostModeLocation { latitude, longitude, battery_level, at: self.event_time? })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::prelude::*;

    fn logs(events: &str) -> BatchUsageLogEvents {
        let json = format!(
            r#"{{"device":"enterprises/E/devices/D","user":"enterprises/E/users/U",
            "retrievalTime":"2024-01-02T00:00:01Z","usageLogEvents":[{events}]}}"#
        );
        BatchUsageLogEvents::decode(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_lost_device_says_where_it_is() {
        let logs = logs(
            r#"{"eventId":"1","eventTime":"2024-01-02T00:00:00Z","eventType":"LOST_MODE_LOCATION",
            "lostModeLocationEvent":{"location":{"latitude":58.5,"longitude":-12.4},"batteryLevel":81}},
            {"eventId":"2","eventTime":"2024-01-02T00:00:00Z","eventType":"REMOTE_LOCK","remoteLockEvent":{}}"#,
        );
        let places: Vec<_> = logs.locations().collect();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_153_600);
        let place = LostModeLocation { latitude: 58.5, longitude: -12.4, battery_level: Some(81), at };
        assert_eq!(places, [place]);
        assert_eq!(logs.usage_log_events[1].event_type, Some(UsageLogEventType::RemoteLock));
        assert!(!logs.wipe_failed() && !logs.user_ended_lost_mode());
    }

    #[test]
    fn no_place_on_earth_and_no_time_is_no_location() {
        for event in [
            r#"{"eventTime":"2024-01-02T00:00:00Z","lostModeLocationEvent":{"location":{"latitude":91,"longitude":0}}}"#,
            r#"{"eventTime":"2024-01-02T00:00:00Z","lostModeLocationEvent":{"location":{"latitude":0,"longitude":181}}}"#,
            r#"{"eventTime":"2024-01-02T00:00:00Z","lostModeLocationEvent":{}}"#,
            r#"{"lostModeLocationEvent":{"location":{"latitude":1,"longitude":1}}}"#,
        ] {
            assert_eq!(logs(event).locations().count(), 0, "{event}");
        }
    }

    #[test]
    fn a_zero_left_out_is_a_zero() {
        let logs = logs(
            r#"{"eventTime":"2024-01-02T00:00:00Z","lostModeLocationEvent":{"location":{"longitude":7}}}"#,
        );
        assert_eq!(logs.locations().next().map(|it| (it.latitude, it.longitude)), Some((0.0, 7.0)));
    }

    #[test]
    fn a_user_who_ended_lost_mode_and_a_failed_wipe_are_told() {
        let attempt = |status| format!(r#"{{"stopLostModeUserAttemptEvent":{{"status":"{status}"}}}}"#);
        assert!(logs(&attempt("ATTEMPT_SUCCEEDED")).user_ended_lost_mode());
        assert!(!logs(&attempt("ATTEMPT_FAILED")).user_ended_lost_mode());
        assert!(logs(r#"{"eventType":"WIPE_FAILURE","wipeFailureEvent":{}}"#).wipe_failed());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = BatchUsageLogEvents::decode(&bytes).map(|logs| logs.locations().count());
        }
    }
}
