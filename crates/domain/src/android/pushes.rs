//! Notifications that Google posts to us, where the server is set so; else they are pulled.

use ::android::{SubscriptionName, notification::PushBody};

use super::place::Place;
use crate::{
    Error, Mdm, Result, TenantId,
    ports::{GoogleFailure, PushRefused},
};

/// Where pushes arrive, below the address of devices; the tenant's id follows.
pub const ANDROID_PUSH_PATH: &str = "/android/notifications";

/// Why a push is not taken. Google sends it again, whatever the reason, for a week.
#[derive(Debug, thiserror::Error)]
pub enum PushRefusal {
    /// Who sent it is not whom it must come from.
    #[error("{0}")]
    Stranger(String),
    /// It is no push.
    #[error("the body is no push: {0}")]
    Malformed(String),
    /// Whether it may be taken, or the taking itself, is to be tried again.
    #[error("{0}")]
    Failed(#[from] Error),
}

/// Whoever has proven to be allowed to push notifications to a tenant.
pub struct AndroidPusher {
    place: Place,
}

impl Mdm {
    /// Whether notifications are pushed to this server, instead of pulled by it.
    pub fn takes_android_pushes(&self) -> bool {
        self.settings.android_push
    }

    /// Where a tenant's notifications are posted to; `None` where they are pulled.
    ///
    /// # Errors
    /// [`Error::Conflict`] without an address that Google could reach.
    pub fn android_push_address(&self, tenant: TenantId) -> Result<Option<String>> {
        if !self.takes_android_pushes() {
            return Ok(None);
        }
        Ok(Some(format!("{}{ANDROID_PUSH_PATH}/{tenant}", self.settings.enrollment_base()?)))
    }

    /// Judges who pushes, by the `Authorization` header alone: the token is Google's, for this tenant's address, and in
    /// the name of its service account. Nothing is read from the database for a token that Google has not signed.
    ///
    /// # Errors
    /// [`PushRefusal::Stranger`] for everyone else, and where pushes are not taken; [`PushRefusal::Failed`] while
    /// Google's keys cannot be had.
    pub async fn android_pusher(
        &self,
        tenant: TenantId,
        authorization: &str,
    ) -> std::result::Result<AndroidPusher, PushRefusal> {
        let stranger = |why: &str| PushRefusal::Stranger(why.to_owned());
        let address = self.android_push_address(tenant)?.ok_or_else(|| stranger("pushes are not taken"))?;
        let email = self.google.pusher(authorization, &address).await?;
        let place =
            self.place(tenant).await?.ok_or_else(|| stranger("the tenant has no account at Google"))?;
        let account = self.google.account(&place.account.file).map_err(Error::internal)?;
        if account.email != email {
            return Err(stranger("the push is in the name of another service account"));
        }
        Ok(AndroidPusher { place })
    }

    /// Stores what was pushed, unless it is known already; once this is done Google need not send it again.
    ///
    /// # Errors
    /// [`PushRefusal::Stranger`] for messages of another subscription than the tenant's.
    pub async fn take_android_push(
        &self,
        pusher: &AndroidPusher,
        body: &[u8],
    ) -> std::result::Result<(), PushRefusal> {
        let AndroidPusher { place } = pusher;
        let push = PushBody::decode(body).map_err(|fault| PushRefusal::Malformed(fault.to_string()))?;
        if place.enterprise.subscription.as_deref() != Some(push.subscription.as_str()) {
            return Err(PushRefusal::Stranger("the push is of another subscription".to_owned()));
        }
        self.keep_notifications(place.tenant, std::iter::once(&push.message)).await?;
        self.note_delivery(place, None, Some(self.clock.now())).await?;
        Ok(())
    }

    /// Tells Google which way this server wants a tenant's notifications: one call of Pub/Sub, which may be repeated.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where Google did not take it: to be tried again later.
    pub async fn settle_android_delivery(&self, tenant: TenantId) -> Result<()> {
        let Some(place) = self.place(tenant).await? else { return Ok(()) };
        let Some(subscription) = &place.enterprise.subscription else { return Ok(()) };
        let subscription = SubscriptionName::parse(subscription).map_err(Error::internal)?;
        let told = self.deliver_as_set(&place, &subscription).await?;
        self.note_delivery(&place, told.as_ref().err(), None).await?;
        told.map_err(|failure| Error::Unavailable(failure.to_string()))
    }

    /// The same, for a place that is not kept yet.
    pub(super) async fn deliver_as_set(
        &self,
        place: &Place,
        subscription: &SubscriptionName,
    ) -> Result<std::result::Result<(), GoogleFailure>> {
        let address = self.android_push_address(place.tenant)?;
        Ok(self.google.deliver(&place.account, subscription, address.as_deref()).await)
    }
}

impl From<PushRefused> for PushRefusal {
    fn from(refused: PushRefused) -> Self {
        let why = refused.to_string();
        match refused {
            PushRefused::NotGenuine(_) => Self::Stranger(why),
            PushRefused::Unknown(_) => Self::Failed(Error::Unavailable(why)),
        }
    }
}
