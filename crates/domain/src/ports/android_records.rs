//! What the database keeps of Google: enterprises, calls that wait, and notifications as they came.

use async_trait::async_trait;

use crate::{CommandId, DeviceId, EnrollmentId, Result, TenantId, Timestamp};

/// A tenant's place at Google.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndroidEnterprise {
    /// The service account's file, sealed.
    pub sealed_account: Vec<u8>,
    /// The account's project: its quota is shared by all of its tenants.
    pub project: String,
    /// The sign-up under way: `signupUrls/…`.
    pub signup: Option<String>,
    /// `enterprises/…`, once somebody signed up.
    pub name: Option<String>,
    /// `projects/…/subscriptions/…`, from which notifications are taken.
    pub subscription: Option<String>,
    /// When the devices are next compared with those that Google lists.
    pub compare_at: Timestamp,
    /// When notifications were last taken, maybe none.
    pub pulled_at: Option<Timestamp>,
    /// Why Google's management API did not do what it was last asked; `None` if it did.
    pub query_trouble: Option<String>,
    /// Why Pub/Sub did not do what it was last asked; `None` if it did, or notifications came by themselves since.
    pub delivery_trouble: Option<String>,
}

impl AndroidEnterprise {
    /// What is wrong at Google, if anything is: one part of it that answers does not hide another that does not.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.query_trouble.as_deref().or(self.delivery_trouble.as_deref())
    }
}

/// What a call to Google is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AndroidCallKind {
    /// Issues the command of the same id, and follows it to its end.
    Issue,
    /// Asks what the device is, for the command of the same id.
    Report,
    /// Gives up a device whose record is gone here.
    Delete,
}

impl AndroidCallKind {
    /// As it is stored.
    pub fn code(self) -> i16 {
        match self {
            Self::Issue => 0,
            Self::Report => 1,
            Self::Delete => 2,
        }
    }

    /// The kind of that code.
    pub fn of(code: i16) -> Option<Self> {
        [Self::Issue, Self::Report, Self::Delete].into_iter().find(|kind| kind.code() == code)
    }
}

/// A call to Google that waits, or a command of one that is on its way to its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AndroidCall {
    /// That of its command, where it has one.
    pub id: CommandId,
    /// What it is for.
    pub kind: AndroidCallKind,
    /// The device's record here; none where that is gone.
    pub device: Option<DeviceId>,
    /// `enterprises/…/devices/…`.
    pub resource: String,
    /// It waits until that command succeeded.
    pub after: Option<CommandId>,
    /// `…/operations/…`, once Google has taken the command.
    pub operation: Option<String>,
    /// When Google gives the command up.
    pub ends_at: Option<Timestamp>,
    /// When to go on with it.
    pub due_at: Timestamp,
    /// How often it was begun since it last got further, this time included.
    pub attempts: u32,
    /// Google may have heard of it with its present parameters, although it has not answered: look before it is asked again.
    pub asked: bool,
    /// Until when a worker has it to itself.
    pub claimed_until: Timestamp,
    /// What Google said when it last failed.
    pub said: Option<String>,
}

/// A notification as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawNotification {
    /// Pub/Sub's: the same at each delivery.
    pub message_id: String,
    /// The device that it is about, where that can be read.
    pub resource: Option<String>,
    /// The message, JSON.
    pub body: String,
    /// When it came first.
    pub received_at: Timestamp,
}

/// What a tenant's transactions know of Google.
#[async_trait]
pub trait AndroidRecords {
    /// The tenant's enterprise.
    async fn android_enterprise(&mut self) -> Result<Option<AndroidEnterprise>>;

    /// Adds it, or replaces it.
    async fn set_android_enterprise(&mut self, enterprise: &AndroidEnterprise) -> Result<()>;

    /// Notes whether the management API did what it was asked.
    async fn note_query(&mut self, trouble: Option<&str>) -> Result<()>;

    /// Notes whether Pub/Sub did, and when notifications were last taken (`None` leaves that as it is).
    async fn note_delivery(&mut self, trouble: Option<&str>, pulled_at: Option<Timestamp>) -> Result<()>;

    /// The device that has this resource at Google, with its enrollment; not locked.
    async fn android_device(&mut self, resource: &str) -> Result<Option<(DeviceId, EnrollmentId)>>;

    /// Adds a call.
    async fn add_android_call(&mut self, call: &AndroidCall) -> Result<()>;

    /// A call, locked.
    async fn android_call(&mut self, id: CommandId) -> Result<Option<AndroidCall>>;

    /// The call whose command is that operation; not locked.
    async fn android_call_of(&mut self, operation: &str) -> Result<Option<AndroidCall>>;

    /// Calls of a device, oldest first.
    async fn android_calls(&mut self, device: DeviceId) -> Result<Vec<AndroidCall>>;

    /// Writes what changes of a call, and ends the claim on it, whoever has it.
    async fn set_android_call(&mut self, call: &AndroidCall) -> Result<()>;

    /// Notes that Google is asked now, and prolongs the claim; false where somebody else has the call by now, or it is gone.
    async fn ask_google(&mut self, call: &AndroidCall, until: Timestamp) -> Result<bool>;

    /// Removes a call; whether it was there.
    async fn remove_android_call(&mut self, id: CommandId) -> Result<bool>;

    /// Removes every call of a device that has its record here.
    async fn drop_android_calls(&mut self, device: DeviceId) -> Result<()>;

    /// Whether the device is being given up at Google: nothing that is told of it counts.
    async fn is_given_up(&mut self, resource: &str) -> Result<bool>;

    /// Says that a command is handed to Google; whether it still waited.
    async fn hand_over(&mut self, device: DeviceId, id: CommandId, at: Timestamp) -> Result<bool>;

    /// Says that Google has not taken a command after all: it waits again. Whether it was handed over.
    async fn hand_back(&mut self, device: DeviceId, id: CommandId) -> Result<bool>;

    /// Moves the last contact of a device forward, never back.
    async fn touch_device(&mut self, device: DeviceId, at: Timestamp) -> Result<()>;

    /// Keeps a notification; whether it is new.
    async fn add_notification(&mut self, notification: &RawNotification) -> Result<bool>;

    /// Forgets all of a notification but its id; whether it was not applied yet.
    async fn finish_notification(&mut self, message_id: &str) -> Result<bool>;

    /// Lets a notification wait until `at`.
    async fn postpone_notification(&mut self, message_id: &str, at: Timestamp) -> Result<()>;
}

/// How far a comparison with Google's list has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// When it began.
    pub since: Timestamp,
    /// The page of the list that comes next, empty for the first; `None` once all are read, and only the devices that were
    /// in none are still asked for.
    pub page: Option<String>,
}

/// Comparisons of the tenant's devices with those that Google lists.
#[async_trait]
pub trait AndroidComparisons {
    /// The one under way.
    async fn comparison(&mut self) -> Result<Option<Comparison>>;

    /// Notes how far it has come, `None` where it is over, and when to go on.
    async fn set_comparison(&mut self, comparison: Option<&Comparison>, due: Timestamp) -> Result<()>;

    /// Notes that the devices of these names were listed, or asked for; names that are not known are passed over.
    async fn mark_listed(&mut self, resources: &[String], at: Timestamp) -> Result<()>;

    /// Managed devices of `enterprise` that were not listed since, at most `limit`, by their names.
    async fn unlisted(
        &mut self,
        enterprise: &str,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(DeviceId, String)>>;
}

/// What workers claim, across tenants.
#[async_trait]
pub trait AndroidOutbox: Send + Sync {
    /// Up to `limit` calls that are due, claimed until `until`, counted as begun: those that wait to be made, or those whose
    /// command is on its way.
    async fn claim_android_calls(
        &self,
        on_their_way: bool,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, AndroidCall)>>;

    /// Up to `limit` notifications that are not applied, oldest first, claimed until `until`; with how often each was claimed.
    async fn claim_notifications(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TenantId, RawNotification, u32)>>;

    /// Every tenant's enterprise.
    async fn android_enterprises(&self) -> Result<Vec<(TenantId, AndroidEnterprise)>>;

    /// A tenant whose devices are to be compared, claimed until `next`.
    async fn claim_comparison(&self, now: Timestamp, next: Timestamp) -> Result<Option<TenantId>>;

    /// Takes one query out of the `most` that a project has in `window`; whether there was one left.
    async fn take_query(&self, project: &str, window: i64, most: u32) -> Result<bool>;

    /// Forgets the ids of notifications that came before `before` and are applied.
    async fn sweep_notifications(&self, before: Timestamp) -> Result<u64>;

    /// How much waits: calls not yet made, notifications not yet applied.
    async fn android_backlog(&self) -> Result<(u64, u64)>;
}
