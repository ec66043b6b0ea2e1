//! What devices log: where a lost one is, and that its user ended the lost mode.

use ::android::notification::BatchUsageLogEvents;
use serde_json::json;

use super::{operations::end_location, place::Place};
use crate::{CommandState, Event, Mdm, Result, Timestamp};

impl Mdm {
    /// Takes logs over, in whatever order they come.
    pub(super) async fn take_logs(&self, place: &Place, logs: &BatchUsageLogEvents) -> Result<()> {
        let resource = logs.device.as_str();
        let mut tx = self.store.read(place.tenant).await?;
        if tx.is_given_up(resource).await? {
            return Ok(());
        }
        let known = tx.android_device(resource).await?;
        drop(tx);
        if known.is_none() {
            // The logs came before the enrollment did.
            self.meet(place, &logs.device).await?;
        }
        let now = self.clock.now();
        let mut tx = self.store.begin(place.tenant).await?;
        let Some((id, enrollment)) = tx.android_device(resource).await? else { return Ok(()) };
        tx.enrollment_for_update(enrollment).await?;
        let Some(mut device) = tx.device_for_update(id).await?.filter(|device| device.managed) else {
            return Ok(());
        };
        let mut located = false;
        for place in logs.locations() {
            located |= device.facts.take_place(place.latitude, place.longitude, place.at);
            if let Some(level) = place.battery_level {
                device.facts.take_battery(level, Some(place.at.into()));
            }
        }
        if located {
            end_location(&mut *tx, &device, CommandState::Acknowledged, now).await?;
        }
        if let Some(at) = ended_by_user(logs)
            && device
                .facts
                .android
                .as_ref()
                .is_none_or(|known| known.lost_mode_at.is_none_or(|known| at >= known))
        {
            device.lost_mode_is(false, at);
            end_location(&mut *tx, &device, CommandState::Cancelled, now).await?;
        }
        if logs.wipe_failed() {
            tx.record(&Event::of_device("device.wipe_failed", id, json!({}), now)).await?;
        }
        tx.set_device(&device).await?;
        if let Some(at) = logs.retrieval_time {
            tx.touch_device(id, Timestamp::from(at).min(now)).await?;
        }
        tx.commit().await
    }
}

/// When the user got out of lost mode.
fn ended_by_user(logs: &BatchUsageLogEvents) -> Option<Timestamp> {
    let succeeded = |event: &&::android::notification::UsageLogEvent| {
        event
            .stop_lost_mode_user_attempt_event
            .as_ref()
            .is_some_and(|attempt| attempt.status.as_deref() == Some("ATTEMPT_SUCCEEDED"))
    };
    let times = logs.usage_log_events.iter().filter(succeeded).filter_map(|event| event.event_time);
    times.max().map(Timestamp::from)
}
