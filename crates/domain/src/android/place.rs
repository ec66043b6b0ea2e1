//! A tenant's place at Google: its account, opened, and its enterprise.

use std::{sync::Arc, time::Duration};

use ::android::EnterpriseName;

use crate::{
    Error, Mdm, Result, TenantId, Timestamp,
    ports::{AndroidAccount, AndroidEnterprise, GoogleFailure, Told},
    secrets,
};

/// How many queries all nodes together make in a [`STRETCH`]. Google allows 1,000 in any 100 seconds, and two stretches may
/// meet in the middle of those; the rest is for whatever else uses the project.
const MOST: u32 = 450;

/// The stretch of time in which queries are counted.
const STRETCH: Duration = Duration::from_secs(100);

/// The first wait after a failure; each further one doubles it.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// The longest wait between two tries.
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// A tenant's account and enterprise.
pub(super) struct Place {
    pub(super) tenant: TenantId,
    pub(super) account: Arc<AndroidAccount>,
    pub(super) enterprise: AndroidEnterprise,
}

impl Place {
    /// The enterprise's name, once somebody signed up.
    pub(super) fn name(&self) -> Result<EnterpriseName> {
        let name = self.enterprise.name.as_deref().ok_or_else(not_set_up)?;
        EnterpriseName::parse(name).map_err(Error::internal)
    }
}

/// Where a service account is sealed.
pub(crate) fn account_context(tenant: TenantId) -> String {
    format!("android-account/{tenant}")
}

pub(super) fn not_set_up() -> Error {
    Error::Conflict("the tenant is not set up for Android devices: see `remuda android`".into())
}

/// How long to wait before the next try, if `attempts` went before.
pub(super) fn back_off(attempts: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_RETRY)
}

/// When to try again what failed so; `None` if that makes no sense.
pub(super) fn retry_at(failure: &GoogleFailure, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    match failure {
        GoogleFailure::Later { after, .. } => {
            let back_off = back_off(attempts);
            Some(now.plus(after.map_or(back_off, |after| after.max(back_off))))
        }
        GoogleFailure::Barred { .. } => Some(now.plus(LONGEST_RETRY)),
        GoogleFailure::Gone { .. } | GoogleFailure::Refused { .. } => None,
    }
}

impl Mdm {
    /// The tenant's place at Google; `None` before `remuda android signup`.
    pub(super) async fn place(&self, tenant: TenantId) -> Result<Option<Place>> {
        let Some(enterprise) = self.store.read(tenant).await?.android_enterprise().await? else {
            return Ok(None);
        };
        let file = self.installation.open_sealed(&account_context(tenant), &enterprise.sealed_account)?;
        let account = Arc::new(AndroidAccount { digest: secrets::sha256(&file), file });
        Ok(Some(Place { tenant, account, enterprise }))
    }

    /// Makes a call to Google if the project has a query left, and keeps in mind whether Google answered.
    pub(super) async fn query<T>(
        &self,
        place: &Place,
        call: impl Future<Output = Told<T>>,
    ) -> Result<Told<T>> {
        self.query_within(place, MOST, call).await
    }

    /// The same for what can wait: only while no more than `most` queries were made in this stretch of time, by whomever.
    pub(super) async fn query_within<T>(
        &self,
        place: &Place,
        most: u32,
        call: impl Future<Output = Told<T>>,
    ) -> Result<Told<T>> {
        let now = self.clock.now();
        let stretch = i64::try_from(STRETCH.as_millis()).unwrap_or(i64::MAX);
        let project = &place.enterprise.project;
        if !self.outbox.take_query(project, now.0.div_euclid(stretch), most).await? {
            let rest = u64::try_from(stretch - now.0.rem_euclid(stretch)).unwrap_or_default();
            return Ok(Err(GoogleFailure::Later {
                after: Some(Duration::from_millis(rest)),
                maybe_done: false,
                why: "the project's queries are used up for now".into(),
            }));
        }
        let told = call.await;
        let (trouble, known) = (trouble(told.as_ref().err()), &place.enterprise.query_trouble);
        warn_where_it_begins(place, &trouble, known);
        if trouble != *known {
            let mut tx = self.store.begin(place.tenant).await?;
            tx.note_query(trouble.as_deref()).await?;
            tx.commit().await?;
        }
        Ok(told)
    }

    /// Keeps in mind whether Pub/Sub did what it was asked, where that is news, and when notifications were last taken.
    pub(super) async fn note_delivery(
        &self,
        place: &Place,
        failure: Option<&GoogleFailure>,
        pulled_at: Option<Timestamp>,
    ) -> Result<()> {
        let (trouble, known) = (trouble(failure), &place.enterprise.delivery_trouble);
        warn_where_it_begins(place, &trouble, known);
        if trouble != *known || pulled_at.is_some() {
            let mut tx = self.store.begin(place.tenant).await?;
            tx.note_delivery(trouble.as_deref(), pulled_at).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// What an administrator should know of a failure: not that the thing asked for is refused or gone.
fn trouble(failure: Option<&GoogleFailure>) -> Option<String> {
    let away = |failure: &&GoogleFailure| {
        matches!(failure, GoogleFailure::Later { .. } | GoogleFailure::Barred { .. })
    };
    failure.filter(away).map(ToString::to_string)
}

fn warn_where_it_begins(place: &Place, trouble: &Option<String>, known: &Option<String>) {
    if let (Some(why), None) = (trouble, known) {
        tracing::warn!(tenant = %place.tenant, why, "Google does not do what it is asked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_five_minutes() {
        let waits: Vec<u64> = [1, 2, 3, 10, 60].map(|attempts| back_off(attempts).as_secs()).to_vec();
        assert_eq!(waits, [5, 10, 20, 300, 300]);
    }

    #[test]
    fn only_what_may_do_later_is_tried_again() {
        let why = || "why".to_owned();
        let wait = |failure| retry_at(&failure, 1, Timestamp(0)).map(|at| at.0);
        let after = Some(Duration::from_secs(60));
        assert_eq!(wait(GoogleFailure::Later { after, maybe_done: false, why: why() }), Some(60_000));
        assert_eq!(wait(GoogleFailure::Later { after: None, maybe_done: true, why: why() }), Some(5000));
        assert_eq!(wait(GoogleFailure::Barred { why: why() }), Some(300_000));
        assert_eq!(wait(GoogleFailure::Gone { why: why() }), None);
        assert_eq!(wait(GoogleFailure::Refused { why: why() }), None);
    }
}
