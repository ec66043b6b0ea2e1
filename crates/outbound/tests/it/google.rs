//! The client of the Android Management API against the pretend Google.

mod account;
mod commands;
mod devices;
mod failures;
mod notifications;
mod pushes;
mod setup;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use android::{
    EnrollmentTokenRequest, EnterpriseName, EnterprisePatch, Method, PolicyName, StatusReportingSettings,
    SubscriptionName, TopicName,
};
use outbound::android::{Delivery, SignupRequest};
use outbound::{Google, GoogleSettings, ServiceAccount};
use simulator::google::{AndroidDevice, PretendGoogle, PretendGoogleSettings};

/// A clock that only a test moves.
#[derive(Clone)]
pub struct Hands(Arc<AtomicU64>);

impl Hands {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_700_000_000)))
    }

    pub fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    pub fn clock(&self) -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
        let seconds = Arc::clone(&self.0);
        Arc::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.load(Ordering::Relaxed)))
    }
}

/// A pretend Google and a client, both on the same clock.
pub struct Table {
    pub hands: Hands,
    pub pretend: PretendGoogle,
    pub google: Google,
}

pub fn settings_for(pretend: &PretendGoogle) -> GoogleSettings {
    GoogleSettings {
        management_url: pretend.url(),
        pubsub_url: pretend.url(),
        certificates_url: pretend.certificates_url(),
        request_timeout: Duration::from_secs(10),
        ..GoogleSettings::default()
    }
}

impl Table {
    pub async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut PretendGoogleSettings)) -> Self {
        let hands = Hands::new();
        let mut settings = PretendGoogleSettings::new(hands.clock());
        change(&mut settings);
        let pretend = PretendGoogle::start(settings).await.unwrap();
        let account = ServiceAccount::parse(pretend.service_account().as_bytes()).unwrap();
        let google = Google::new(account, &settings_for(&pretend), hands.clock()).unwrap();
        Self { hands, pretend, google }
    }

    /// How often a method's path was called with that ending, and answered so.
    pub fn count(&self, ending: &str, status: u16) -> usize {
        let arrivals = self.pretend.arrivals();
        arrivals.iter().filter(|it| it.path.ends_with(ending) && it.status == status).count()
    }
}

/// An enterprise that tells what happens, with a policy that reports.
pub struct Office {
    pub table: Table,
    pub enterprise: EnterpriseName,
    pub policy: PolicyName,
    pub subscription: SubscriptionName,
}

impl Office {
    pub async fn open() -> Self {
        Self::with(Table::start().await, Delivery::Pull).await
    }

    pub async fn with(table: Table, delivery: Delivery) -> Self {
        let google = &table.google;
        let topic = TopicName::parse("projects/pretend-project/topics/remuda").unwrap();
        let subscription = SubscriptionName::parse("projects/pretend-project/subscriptions/remuda").unwrap();
        google.prepare_topic(&topic).await.unwrap();
        google.prepare_subscription(&subscription, &topic, &delivery).await.unwrap();
        let request = SignupRequest { callback_url: "https://mdm.example/signup", admin_email: None };
        let signup = google.create_signup_url(&request).await.unwrap();
        let token = table.pretend.sign_up(&signup.url).unwrap();
        let patch = EnterprisePatch::notifying(topic);
        let enterprise = google.create_enterprise(&signup.name, &token, &patch).await.unwrap().name;
        let policy = enterprise.policy("default").unwrap();
        google.set_reports(&policy, &StatusReportingSettings::everything()).await.unwrap();
        Self { table, enterprise, policy, subscription }
    }

    pub fn google(&self) -> &Google {
        &self.table.google
    }

    pub fn pretend(&self) -> &PretendGoogle {
        &self.table.pretend
    }

    /// A token's secret value.
    pub async fn token(&self, method: Method) -> String {
        let request = EnrollmentTokenRequest::new(self.policy.clone(), method, Duration::from_secs(3600));
        let token = self.google().create_enrollment_token(&self.enterprise, &request).await.unwrap();
        token.value.unwrap()
    }

    /// A device that has enrolled and reported.
    pub async fn enrolled(&self, method: Method, device: AndroidDevice) -> android::DeviceName {
        let name = self.pretend().enroll(&self.token(method).await, device).unwrap();
        self.pretend().sync(&name).unwrap();
        android::DeviceName::parse(&name).unwrap()
    }

    pub async fn phone(&self) -> android::DeviceName {
        self.enrolled(Method::FullyManaged, AndroidDevice::phone(1)).await
    }
}
