//! Notifications: stored as they come, then applied, each once in the end, in whatever order.

use std::{collections::BTreeMap, time::Duration};

use ::android::{Notification, PubsubMessage, SubscriptionName};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::place::{Place, back_off};
use crate::{
    Error, Mdm, Result, TenantId,
    ports::{GoogleFailure, RawNotification, Worker},
};

/// How long a worker has a notification to itself.
const CLAIM: Duration = Duration::from_mins(5);

/// How many are claimed at once.
const BATCH: u32 = 64;

/// How long the id of a notification is kept: longer than Pub/Sub keeps the notification, which is a week.
const REMEMBERED: Duration = Duration::from_hours(24 * 8);

impl Mdm {
    /// Takes what waits in a tenant's subscription, and says so to Google once it is stored; how many were taken.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where Google is away: to be tried again later.
    pub async fn pull_android_notifications(&self, tenant: TenantId) -> Result<usize> {
        let Some(place) = self.place(tenant).await? else { return Ok(0) };
        let Some(subscription) = &place.enterprise.subscription else { return Ok(0) };
        let subscription = SubscriptionName::parse(subscription).map_err(Error::internal)?;
        let pulled = self.google.pull(&place.account, &subscription).await;
        let at = pulled.is_ok().then(|| self.clock.now());
        self.note_delivery(&place, pulled.as_ref().err(), at).await?;
        if let Err(GoogleFailure::Refused { .. }) = pulled {
            // A subscription that pushes cannot be pulled from: the server was set otherwise before.
            self.settle_android_delivery(tenant).await?;
        }
        let messages = pulled.map_err(|failure| Error::Unavailable(failure.to_string()))?;
        if messages.is_empty() {
            return Ok(0);
        }
        self.keep_notifications(tenant, messages.iter().map(|(_, message)| message)).await?;
        let acks: Vec<String> = messages.into_iter().map(|(ack, _)| ack).collect();
        // What Google does not hear of comes again, and is known then.
        if let Err(failure) = self.google.acknowledge(&place.account, &subscription, &acks).await {
            tracing::warn!(%tenant, why = %failure, "notifications could not be acknowledged yet");
        }
        Ok(acks.len())
    }

    /// The tenants that have subscriptions of notifications.
    pub async fn android_tenants(&self) -> Result<Vec<TenantId>> {
        let enterprises = self.outbox.android_enterprises().await?;
        let pulls = enterprises.into_iter().filter(|(_, it)| it.name.is_some() && it.subscription.is_some());
        Ok(pulls.map(|(tenant, _)| tenant).collect())
    }

    /// Stores messages as they came; those that are known already are passed over.
    pub(super) async fn keep_notifications(
        &self,
        tenant: TenantId,
        messages: impl Iterator<Item = &PubsubMessage>,
    ) -> Result<()> {
        let received_at = self.clock.now();
        let raw: Vec<RawNotification> = messages
            .map(|message| RawNotification {
                message_id: message.message_id.clone(),
                resource: Notification::read(message)
                    .ok()
                    .and_then(|told| told.device_name())
                    .map(|it| it.to_string()),
                body: written(message),
                received_at,
            })
            .collect();
        let mut tx = self.store.begin(tenant).await?;
        for notification in &raw {
            tx.add_notification(notification).await?;
        }
        tx.commit().await?;
        self.wake.wake(Worker::AndroidNotifications);
        Ok(())
    }

    /// Applies notifications that are stored and not yet applied, oldest first; how many there were. One that cannot be
    /// applied for now waits, longer each time.
    pub async fn apply_android_notifications(&self) -> Result<usize> {
        let now = self.clock.now();
        let claimed = self.outbox.claim_notifications(now, now.plus(CLAIM), BATCH).await?;
        for (tenant, raw, attempts) in &claimed {
            let applied = self.apply_notification(*tenant, raw).await;
            let mut tx = self.store.begin(*tenant).await?;
            match applied {
                Ok(()) => {
                    tx.finish_notification(&raw.message_id).await?;
                }
                Err(error) => {
                    tracing::warn!(%tenant, error = error.chain(), "a notification could not be applied yet");
                    tx.postpone_notification(&raw.message_id, self.clock.now().plus(back_off(*attempts)))
                        .await?;
                }
            }
            tx.commit().await?;
        }
        Ok(claimed.len())
    }

    async fn apply_notification(&self, tenant: TenantId, raw: &RawNotification) -> Result<()> {
        let Some(place) = self.place(tenant).await? else { return Ok(()) };
        let told = serde_json::from_str(&raw.body).map_err(|error| error.to_string());
        let told = told.and_then(|message: PubsubMessage| {
            Notification::read(&message).map_err(|error| error.to_string())
        });
        match told {
            Ok(told) if !is_of(&place, &told) => {
                tracing::warn!(%tenant, "a notification is of another enterprise");
                Ok(())
            }
            Ok(Notification::Enrollment(device) | Notification::StatusReport(device)) => {
                self.take_report(&place, *device).await
            }
            Ok(Notification::Command(operation)) => self.settle_operation(tenant, &operation).await,
            Ok(Notification::UsageLogs(logs)) => self.take_logs(&place, &logs).await,
            Ok(Notification::EnterpriseUpgrade(_) | Notification::Test | Notification::Other(_)) => Ok(()),
            Err(problem) => {
                tracing::warn!(%tenant, id = raw.message_id, problem, "a notification cannot be read");
                Ok(())
            }
        }
    }

    /// Forgets the ids of notifications that cannot come again.
    pub async fn sweep_android_notifications(&self) -> Result<u64> {
        self.outbox.sweep_notifications(self.clock.now().minus(REMEMBERED)).await
    }
}

/// Whether it is about a device of the tenant's own, or about none.
fn is_of(place: &Place, told: &Notification) -> bool {
    let owner = told.device_name().map(|device| device.enterprise().to_string());
    owner.is_none() || owner == place.enterprise.name
}

/// The message as it is kept; [`PubsubMessage`] reads it again.
fn written(message: &PubsubMessage) -> String {
    let attributes: &BTreeMap<String, String> = &message.attributes;
    let data = message.data().ok().flatten().map(|data| STANDARD.encode(data));
    json!({ "messageId": message.message_id, "attributes": attributes, "data": data }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_kept_as_it_came() {
        let json = r#"{"messageId":"1","attributes":{"notificationType":"STATUS_REPORT"},"data":"e30="}"#;
        let message: PubsubMessage = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::from_str::<PubsubMessage>(&written(&message)).unwrap(), message);
    }
}
