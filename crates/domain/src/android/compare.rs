//! Comparing our devices with those that Google lists: what no notification told is found so.
//!
//! A comparison goes step by step, a page of Google's list or a few devices at a time, and what is left of it is kept in the
//! database: it outlives a restart, any node goes on with it, and between two steps everything else has its turn.

use std::time::Duration;

use ::android::DeviceName;

use super::place::{Place, back_off};
use crate::{
    Error, Mdm, Result, TenantId, Timestamp,
    ports::{Comparison, GoogleFailure},
};

/// How often devices are compared.
const EVERY: Duration = Duration::from_hours(6);

/// How long a node has a comparison to itself for one step: longer than its queries can take.
const STEP: Duration = Duration::from_mins(10);

/// How many devices that Google did not list are asked for in one step.
const ASKED: u32 = 5;

/// A comparison asks nothing more once so many of the project's queries are made in a stretch of time: the rest of them is for what
/// people wait for.
const SHARE: u32 = 250;

/// How a step ended.
enum Step {
    /// There is more to do, at once.
    More(Comparison),
    /// All is compared.
    Done,
    /// Google cannot be asked now.
    Wait(GoogleFailure),
}

impl Mdm {
    /// Does a step of a comparison that is due, if there is one; whether there was.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where Google is away: it goes on from there once it can.
    pub async fn reconcile_android(&self) -> Result<bool> {
        let now = self.clock.now();
        let Some(tenant) = self.outbox.claim_comparison(now, now.plus(STEP)).await? else {
            return Ok(false);
        };
        let Some(place) = self.place(tenant).await? else { return Ok(false) };
        let under_way = self.store.read(tenant).await?.comparison().await?;
        let comparison = under_way.unwrap_or(Comparison { since: now, page: Some(String::new()) });
        let step = match &comparison.page {
            Some(page) => self.compare_page(&place, &comparison, page).await?,
            None => self.look_for_missing(&place, &comparison).await?,
        };
        let now = self.clock.now();
        match step {
            Step::More(comparison) => self.keep_comparison(tenant, Some(&comparison), now).await?,
            Step::Done => self.keep_comparison(tenant, None, now.plus(EVERY)).await?,
            Step::Wait(GoogleFailure::Refused { why }) => {
                // A page of a list that is too old, for one: it begins anew.
                self.keep_comparison(tenant, None, now.plus(back_off(u32::MAX))).await?;
                return Err(Error::Unavailable(why));
            }
            Step::Wait(failure) => {
                let wait = match &failure {
                    GoogleFailure::Later { after: Some(after), .. } => *after,
                    _ => back_off(u32::MAX),
                };
                self.keep_comparison(tenant, Some(&comparison), now.plus(wait)).await?;
                return Err(Error::Unavailable(failure.to_string()));
            }
        }
        Ok(true)
    }

    async fn keep_comparison(
        &self,
        tenant: TenantId,
        comparison: Option<&Comparison>,
        due: Timestamp,
    ) -> Result<()> {
        let mut tx = self.store.begin(tenant).await?;
        tx.set_comparison(comparison, due).await?;
        tx.commit().await
    }

    /// Takes a page of Google's list over.
    async fn compare_page(&self, place: &Place, comparison: &Comparison, page: &str) -> Result<Step> {
        let name = place.name()?;
        let token = (!page.is_empty()).then_some(page);
        let call = self.google.devices(&place.account, &name, token);
        let listed = match self.query_within(place, SHARE, call).await? {
            Ok(listed) => listed,
            Err(failure) => return Ok(Step::Wait(failure)),
        };
        let mut names = Vec::with_capacity(listed.items.len());
        for told in listed.items {
            let name = told.name.to_string();
            match self.take_listed(place, told).await {
                // One device is no reason to stop at: the others come behind it.
                Err(error) if !matches!(error, Error::Unavailable(_)) => {
                    tracing::error!(
                        name,
                        error = error.chain(),
                        "a device of Google's list could not be taken over"
                    );
                }
                taken => taken?,
            }
            names.push(name);
        }
        let mut tx = self.store.begin(place.tenant).await?;
        tx.mark_listed(&names, comparison.since).await?;
        tx.commit().await?;
        let next = listed.next.filter(|next| next != page);
        Ok(Step::More(Comparison { since: comparison.since, page: next }))
    }

    /// A device that is not listed may be in a list that was begun before it came: it is asked for by itself.
    async fn look_for_missing(&self, place: &Place, comparison: &Comparison) -> Result<Step> {
        let enterprise = place.name()?.to_string();
        let mut tx = self.store.read(place.tenant).await?;
        let missing = tx.unlisted(&enterprise, comparison.since, ASKED).await?;
        drop(tx);
        if missing.is_empty() {
            return Ok(Step::Done);
        }
        for (_, resource) in missing {
            let name = DeviceName::parse(&resource).map_err(Error::internal)?;
            let call = self.google.device(&place.account, &name);
            match self.query_within(place, SHARE, call).await? {
                Ok(told) => self.take_report(place, told).await?,
                Err(GoogleFailure::Gone { .. }) => self.device_is_gone(place.tenant, &resource).await?,
                Err(GoogleFailure::Refused { why }) => {
                    tracing::warn!(tenant = %place.tenant, why, "Google does not tell of a device");
                }
                Err(failure) => return Ok(Step::Wait(failure)),
            }
            let mut tx = self.store.begin(place.tenant).await?;
            tx.mark_listed(&[resource], comparison.since).await?;
            tx.commit().await?;
        }
        Ok(Step::More(Comparison { since: comparison.since, page: None }))
    }
}
