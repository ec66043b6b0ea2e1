//! How a tenant comes to its place at Google: sign-up, enterprise, policy, notifications.

use std::sync::Arc;

use ::android::{EnterpriseName, SignupUrlName, SubscriptionName, TopicName};
use serde_json::json;

use super::place::{Place, account_context, not_set_up};
use crate::{
    Actor, Error, Event, Mdm, Result, Role, TenantId, Timestamp,
    ports::{AndroidAccount, AndroidEnterprise, GoogleFailure},
    secrets,
};

/// The policy that devices get; what else than reports is in it is its administrator's.
pub(super) const POLICY: &str = "default";

/// How a tenant stands at Google.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndroidState {
    /// The Google Cloud project.
    pub project: String,
    /// `enterprises/…`, once somebody signed up.
    pub enterprise: Option<String>,
    /// From where notifications are taken.
    pub subscription: Option<String>,
    /// Where this server wants them posted to; `None`: it pulls them.
    pub pushed_to: Option<String>,
    /// When they were last taken, maybe none.
    pub pulled_at: Option<Timestamp>,
    /// Why Google does not do what it is asked, or does not hand notifications over.
    pub trouble: Option<String>,
    /// Calls to Google that wait, in the whole installation.
    pub waiting_calls: u64,
    /// Notifications that are not applied, in the whole installation.
    pub waiting_notifications: u64,
}

impl Mdm {
    /// Keeps a service account, sealed, and asks Google where an administrator signs up; Google sends them back to
    /// `callback_url` with `enterpriseToken` in the query.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a file that is no service account's; [`Error::Conflict`] where the tenant has an enterprise.
    pub async fn sign_up_for_android(
        &self,
        actor: &Actor,
        account: &[u8],
        callback_url: &str,
        email: Option<&str>,
    ) -> Result<String> {
        let place = self.new_place(actor, account).await?;
        let url = self.google.sign_up(&place.account, callback_url, email).await.map_err(refused)?;
        let enterprise = AndroidEnterprise { signup: Some(url.name.as_str().to_owned()), ..place.enterprise };
        self.keep_place(actor, "android.signup", &enterprise).await?;
        Ok(url.url)
    }

    /// Makes the enterprise of the administrator who signed up, with its policy and notifications.
    ///
    /// # Errors
    /// [`Error::Conflict`] before [`Mdm::sign_up_for_android`], and with Google's words where it refuses.
    pub async fn create_android_enterprise(&self, actor: &Actor, token: &str) -> Result<String> {
        actor.require(Role::Owner)?;
        let place = self.place(actor.tenant).await?.ok_or_else(not_set_up)?;
        let signup = place.enterprise.signup.as_deref().ok_or_else(not_set_up)?;
        let signup = SignupUrlName::parse(signup).map_err(Error::internal)?;
        let (topic, subscription) = names(&place)?;
        self.prepare_delivery(&place, &topic, &subscription).await?;
        let made = self.google.create_enterprise(&place.account, &signup, token, &topic).await;
        self.settle_in(actor, place, &made.map_err(refused)?.name, &subscription).await
    }

    /// Takes an enterprise that the account has already, and makes it tell us what happens.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a file or a name that is none; [`Error::Conflict`] where the tenant has an enterprise.
    pub async fn adopt_android_enterprise(
        &self,
        actor: &Actor,
        account: &[u8],
        name: &str,
    ) -> Result<String> {
        let name = EnterpriseName::parse(name)
            .map_err(|_| Error::invalid("enterprise", "a name such as enterprises/LC01"))?;
        let place = self.new_place(actor, account).await?;
        let (topic, subscription) = names(&place)?;
        self.prepare_delivery(&place, &topic, &subscription).await?;
        self.google.notify(&place.account, &name, &topic).await.map_err(refused)?;
        self.settle_in(actor, place, &name, &subscription).await
    }

    /// How the tenant stands at Google; `None` before it signed up.
    pub async fn android_state(&self, actor: &Actor) -> Result<Option<AndroidState>> {
        actor.require(Role::Viewer)?;
        let Some(enterprise) = self.store.read(actor.tenant).await?.android_enterprise().await? else {
            return Ok(None);
        };
        let (waiting_calls, waiting_notifications) = self.outbox.android_backlog().await?;
        let trouble = enterprise.trouble().map(str::to_owned);
        let AndroidEnterprise { project, name, subscription, pulled_at, .. } = enterprise;
        Ok(Some(AndroidState {
            project,
            enterprise: name,
            subscription,
            pushed_to: self.android_push_address(actor.tenant)?,
            pulled_at,
            trouble,
            waiting_calls,
            waiting_notifications,
        }))
    }

    async fn new_place(&self, actor: &Actor, file: &[u8]) -> Result<Place> {
        actor.require(Role::Owner)?;
        let tenant = actor.tenant;
        let names =
            self.google.account(file).map_err(|problem| Error::invalid("service account", problem))?;
        let before = self.store.read(tenant).await?.android_enterprise().await?;
        if before.is_some_and(|before| before.name.is_some()) {
            return Err(Error::Conflict("the tenant has an enterprise already".into()));
        }
        let enterprise = AndroidEnterprise {
            sealed_account: self.installation.seal(&account_context(tenant), file)?,
            project: names.project,
            signup: None,
            name: None,
            subscription: None,
            compare_at: self.clock.now(),
            pulled_at: None,
            query_trouble: None,
            delivery_trouble: None,
        };
        let account = Arc::new(AndroidAccount { digest: secrets::sha256(file), file: file.to_vec() });
        Ok(Place { tenant, account, enterprise })
    }

    /// Makes what notifications take their way through, in the way that this server is set to.
    async fn prepare_delivery(
        &self,
        place: &Place,
        topic: &TopicName,
        subscription: &SubscriptionName,
    ) -> Result<()> {
        let prepared = self.google.prepare_subscription(&place.account, topic, subscription).await;
        prepared.map_err(refused)?;
        self.deliver_as_set(place, subscription).await?.map_err(refused)
    }

    async fn settle_in(
        &self,
        actor: &Actor,
        place: Place,
        name: &EnterpriseName,
        subscription: &SubscriptionName,
    ) -> Result<String> {
        let policy = name.policy(POLICY).map_err(Error::internal)?;
        let enterprise = AndroidEnterprise {
            signup: None,
            name: Some(name.to_string()),
            subscription: Some(subscription.to_string()),
            compare_at: self.clock.now(),
            ..place.enterprise
        };
        // The enterprise is kept before anything else can fail: a token makes one only once.
        self.keep_place(actor, "android.enterprise", &enterprise).await?;
        self.google.ask_reports(&place.account, &policy).await.map_err(refused)?;
        Ok(name.to_string())
    }

    async fn keep_place(&self, actor: &Actor, event: &str, enterprise: &AndroidEnterprise) -> Result<()> {
        let mut tx = self.store.begin(actor.tenant).await?;
        tx.set_android_enterprise(enterprise).await?;
        let details = json!({ "project": enterprise.project, "enterprise": enterprise.name });
        tx.record(&Event::by(actor, event, None, details, self.clock.now())).await?;
        tx.commit().await
    }
}

/// The topic and the subscription of a tenant: its own, so that tenants of one project do not take each other's messages.
fn names(place: &Place) -> Result<(TopicName, SubscriptionName)> {
    let TenantId(id) = place.tenant;
    let (project, id) = (&place.enterprise.project, id.simple());
    let topic = TopicName::parse(&format!("projects/{project}/topics/remuda-{id}"));
    let subscription = SubscriptionName::parse(&format!("projects/{project}/subscriptions/remuda-{id}"));
    Ok((topic.map_err(Error::internal)?, subscription.map_err(Error::internal)?))
}

/// Google's refusal, as whoever asked is told.
pub(super) fn refused(failure: GoogleFailure) -> Error {
    match failure {
        GoogleFailure::Later { why, .. } => Error::Unavailable(why),
        GoogleFailure::Barred { why } | GoogleFailure::Gone { why } | GoogleFailure::Refused { why } => {
            Error::Conflict(why)
        }
    }
}
