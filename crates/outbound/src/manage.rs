//! The domain's port for Google's device management, on the client of [`mod@crate::android`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ::android::{
    CommandRequest, Device, DeviceName, EnrollmentToken, EnrollmentTokenRequest, Enterprise, EnterpriseName,
    EnterprisePatch, Operation, OperationName, Page, PolicyName, PubsubMessage, SignupUrl, SignupUrlName,
    StatusReportingSettings, SubscriptionName, TopicName, WipeDataFlag,
};
use async_trait::async_trait;
use domain::ports::{Android, AndroidAccount, AndroidAccountNames, GoogleFailure, PushRefused, Told};

use crate::android::{
    BadSettings, Clock, Delivery, Error, Google, GoogleSettings, MAX_PULL, PushTokens, Refused,
    ServiceAccount, SignupRequest,
};

/// The most clients that are kept; one for each service account.
const MAX_CLIENTS: usize = 1000;

/// A client for each service account, made when it is first needed.
pub struct Googles {
    settings: GoogleSettings,
    clock: Clock,
    clients: Mutex<HashMap<[u8; 32], Arc<Google>>>,
    pushes: PushTokens,
}

impl Googles {
    /// Clients that reach Google as `settings` say.
    ///
    /// # Errors
    /// What is wrong with the settings, whatever the account.
    pub fn new(settings: GoogleSettings, clock: Clock) -> Result<Self, BadSettings> {
        settings.check()?;
        let pushes = PushTokens::new(&settings, Arc::clone(&clock))?;
        Ok(Self { settings, clock, clients: Mutex::default(), pushes })
    }

    fn client(&self, account: &AndroidAccount) -> Told<Arc<Google>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&account.digest) {
            return Ok(Arc::clone(client));
        }
        let barred = |why: &dyn std::fmt::Display| GoogleFailure::Barred { why: why.to_string() };
        let parsed = ServiceAccount::parse(&account.file).map_err(|error| barred(&error))?;
        let google =
            Google::new(parsed, &self.settings, Arc::clone(&self.clock)).map_err(|error| barred(&error))?;
        let google = Arc::new(google);
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(account.digest, Arc::clone(&google));
        Ok(google)
    }
}

#[async_trait]
impl Android for Googles {
    fn account(&self, file: &[u8]) -> Result<AndroidAccountNames, String> {
        let account = ServiceAccount::parse(file).map_err(|error| error.to_string())?;
        Ok(AndroidAccountNames {
            project: account.project_id().to_owned(),
            email: account.client_email().to_owned(),
        })
    }

    async fn sign_up(
        &self,
        account: &Arc<AndroidAccount>,
        callback_url: &str,
        email: Option<&str>,
    ) -> Told<SignupUrl> {
        let request = SignupRequest { callback_url, admin_email: email };
        sorted(self.client(account)?.create_signup_url(&request).await)
    }

    async fn create_enterprise(
        &self,
        account: &Arc<AndroidAccount>,
        signup: &SignupUrlName,
        token: &str,
        topic: &TopicName,
    ) -> Told<Enterprise> {
        let patch = EnterprisePatch::notifying(topic.clone());
        sorted(self.client(account)?.create_enterprise(signup, token, &patch).await)
    }

    async fn notify(
        &self,
        account: &Arc<AndroidAccount>,
        name: &EnterpriseName,
        topic: &TopicName,
    ) -> Told<Enterprise> {
        let patch = EnterprisePatch::notifying(topic.clone());
        sorted(self.client(account)?.patch_enterprise(name, &patch).await)
    }

    async fn ask_reports(&self, account: &Arc<AndroidAccount>, policy: &PolicyName) -> Told<()> {
        let settings = StatusReportingSettings::everything();
        sorted(self.client(account)?.set_reports(policy, &settings).await).map(drop)
    }

    async fn prepare_subscription(
        &self,
        account: &Arc<AndroidAccount>,
        topic: &TopicName,
        subscription: &SubscriptionName,
    ) -> Told<()> {
        let google = self.client(account)?;
        sorted(google.prepare_topic(topic).await)?;
        sorted(google.prepare_subscription(subscription, topic, &Delivery::Pull).await)
    }

    async fn deliver(
        &self,
        account: &Arc<AndroidAccount>,
        subscription: &SubscriptionName,
        to: Option<&str>,
    ) -> Told<()> {
        let google = self.client(account)?;
        let delivery = to.map_or(Delivery::Pull, |to| Delivery::Push {
            endpoint: to.to_owned(),
            service_account: google.service_account().to_owned(),
            audience: to.to_owned(),
        });
        sorted(google.set_delivery(subscription, &delivery).await)
    }

    async fn pusher(&self, authorization: &str, audience: &str) -> Result<String, PushRefused> {
        self.pushes.sender(authorization, audience).await.map_err(|refused| match refused {
            Refused::NotGenuine(why) => PushRefused::NotGenuine(why),
            Refused::Unknown(error) => PushRefused::Unknown(error.to_string()),
        })
    }

    async fn pull(
        &self,
        account: &Arc<AndroidAccount>,
        from: &SubscriptionName,
    ) -> Told<Vec<(String, PubsubMessage)>> {
        let received = sorted(self.client(account)?.pull(from, MAX_PULL).await)?;
        Ok(received.into_iter().map(|received| (received.ack_id, received.message)).collect())
    }

    async fn acknowledge(
        &self,
        account: &Arc<AndroidAccount>,
        on: &SubscriptionName,
        acks: &[String],
    ) -> Told<()> {
        sorted(self.client(account)?.acknowledge(on, acks).await)
    }

    async fn create_enrollment_token(
        &self,
        account: &Arc<AndroidAccount>,
        enterprise: &EnterpriseName,
        request: &EnrollmentTokenRequest,
    ) -> Told<EnrollmentToken> {
        sorted(self.client(account)?.create_enrollment_token(enterprise, request).await)
    }

    async fn device(&self, account: &Arc<AndroidAccount>, name: &DeviceName) -> Told<Device> {
        sorted(self.client(account)?.device(name).await)
    }

    async fn devices(
        &self,
        account: &Arc<AndroidAccount>,
        enterprise: &EnterpriseName,
        page: Option<&str>,
    ) -> Told<Page<Device>> {
        sorted(self.client(account)?.devices(enterprise, page).await)
    }

    async fn delete_device(
        &self,
        account: &Arc<AndroidAccount>,
        name: &DeviceName,
        flags: &[WipeDataFlag],
    ) -> Told<()> {
        sorted(self.client(account)?.delete_device(name, flags, None).await)
    }

    async fn issue_command(
        &self,
        account: &Arc<AndroidAccount>,
        device: &DeviceName,
        request: &CommandRequest,
    ) -> Told<Operation> {
        sorted(self.client(account)?.issue_command(device, request).await)
    }

    async fn operation(&self, account: &Arc<AndroidAccount>, name: &OperationName) -> Told<Operation> {
        sorted(self.client(account)?.operation(name).await)
    }

    async fn operations(&self, account: &Arc<AndroidAccount>, device: &DeviceName) -> Told<Vec<Operation>> {
        Ok(sorted(self.client(account)?.operations(device, None).await)?.items)
    }
}

fn sorted<T>(answer: Result<T, Error>) -> Told<T> {
    answer.map_err(|error| {
        let why = error.to_string();
        match error {
            Error::Quota { after, .. } => GoogleFailure::Later { after, maybe_done: false, why },
            Error::TryLater { after, maybe_done, .. } => GoogleFailure::Later { after, maybe_done, why },
            Error::Conflict { .. } => GoogleFailure::Later { after: None, maybe_done: false, why },
            Error::Malformed(_) => GoogleFailure::Later { after: None, maybe_done: true, why },
            Error::Unauthenticated { .. } | Error::Forbidden { .. } => GoogleFailure::Barred { why },
            Error::NotFound { .. } => GoogleFailure::Gone { why },
            Error::Refused { .. } => GoogleFailure::Refused { why },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_sorted_by_what_there_is_to_do() {
        let why = || "why".to_owned();
        let failed = |error| sorted::<()>(Err(error)).unwrap_err();
        let lost = failed(Error::TryLater { after: None, maybe_done: true, why: why() });
        assert!(matches!(lost, GoogleFailure::Later { maybe_done: true, .. }));
        let quota = failed(Error::Quota { after: None, why: why() });
        assert!(matches!(quota, GoogleFailure::Later { maybe_done: false, .. }));
        assert!(matches!(failed(Error::Forbidden { why: why() }), GoogleFailure::Barred { .. }));
        assert!(matches!(failed(Error::NotFound { why: why() }), GoogleFailure::Gone { .. }));
        let refused = Error::Refused { status: 400, word: "INVALID_ARGUMENT".into(), why: why() };
        assert!(matches!(failed(refused), GoogleFailure::Refused { .. }));
    }
}
