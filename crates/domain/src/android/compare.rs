//! Comparing our devices with those that Google lists: what no notification told is found so.

use std::{collections::HashSet, time::Duration};

use ::android::DeviceName;

use super::place::Place;
use crate::{DeviceFilter, Error, Mdm, PAGE_LIMIT, Page, Platform, Result, ports::GoogleFailure};

/// How often devices are compared.
const EVERY: Duration = Duration::from_hours(6);

/// When a comparison that could not be ended begins anew.
const AGAIN: Duration = Duration::from_mins(10);

impl Mdm {
    /// Compares one tenant's devices with those that Google lists, if it is time; whether it was.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where Google is away: it is tried again in ten minutes.
    pub async fn reconcile_android(&self) -> Result<bool> {
        let now = self.clock.now();
        let Some(tenant) = self.outbox.claim_comparison(now, now.plus(AGAIN)).await? else {
            return Ok(false);
        };
        let Some(place) = self.place(tenant).await? else { return Ok(false) };
        let listed = self.take_listed(&place).await?;
        self.look_for_missing(&place, &listed).await?;
        let mut tx = self.store.begin(tenant).await?;
        if let Some(mut enterprise) = tx.android_enterprise().await? {
            enterprise.compare_at = self.clock.now().plus(EVERY);
            tx.set_android_enterprise(&enterprise).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Takes over what Google lists; the names of it all.
    async fn take_listed(&self, place: &Place) -> Result<HashSet<String>> {
        let name = place.name()?;
        let mut listed = HashSet::new();
        let mut next: Option<String> = None;
        loop {
            let call = self.google.devices(&place.account, &name, next.as_deref());
            let page =
                self.query(place, call).await?.map_err(|failure| Error::Unavailable(failure.to_string()))?;
            for told in page.items {
                listed.insert(told.name.to_string());
                self.take_report(place, told).await?;
            }
            match page.next {
                Some(token) if next.as_deref() != Some(token.as_str()) => next = Some(token),
                _ => return Ok(listed),
            }
        }
    }

    /// A device that is not listed may be in a list that was begun before it came: it is asked for by itself.
    async fn look_for_missing(&self, place: &Place, listed: &HashSet<String>) -> Result<()> {
        let filter = DeviceFilter { managed: Some(true), ..DeviceFilter::default() };
        let mut after = None;
        loop {
            let page = Page { after, skip: 0, limit: PAGE_LIMIT };
            let devices = self.store.read(place.tenant).await?.devices(&filter, page).await?;
            let Some(last) = devices.last() else { return Ok(()) };
            after = Some(last.id);
            for device in &devices {
                if device.facts.platform == Some(Platform::Android) && !listed.contains(&device.key) {
                    self.look_for(place, &device.key).await?;
                }
            }
        }
    }

    async fn look_for(&self, place: &Place, resource: &str) -> Result<()> {
        let name = DeviceName::parse(resource).map_err(Error::internal)?;
        match self.query(place, self.google.device(&place.account, &name)).await? {
            Ok(told) => self.take_report(place, told).await,
            Err(GoogleFailure::Gone { .. }) => self.device_is_gone(place.tenant, resource).await,
            Err(failure) => Err(Error::Unavailable(failure.to_string())),
        }
    }
}
