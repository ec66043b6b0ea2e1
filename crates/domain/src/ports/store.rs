//! The database, one tenant at a time.

use async_trait::async_trait;

use crate::{
    AccessToken, App, AppPage, ApplicationId, CommandId, CommandState, Device, DeviceFilter, DeviceId,
    DeviceName, EarlierRequests, EnrollmentId, EscrowId, Event, Group, GroupId, HeldDevice, InstalledApp,
    LimitedRequest, ManagedApp, Page, Purge, PurgeCounts, PurgeId, PushCertificate, Result, TenantId,
    Timestamp, User, UserId,
    ports::{AndroidComparisons, AndroidRecords, Tombstone},
};

mod commands;
mod enrollments;

pub use commands::Commands;
pub use enrollments::{Certificates, ChannelState, Declared, Enrollments, Links, PushState};

/// A database.
#[async_trait]
pub trait Store: Send + Sync {
    /// Opens a transaction that sees `tenant` and nothing else, and may write.
    async fn begin(&self, tenant: TenantId) -> Result<Box<dyn Tx>>;

    /// Opens one that only reads and takes no write lock.
    async fn read(&self, tenant: TenantId) -> Result<Box<dyn Tx>>;
}

/// One transaction; dropped without [`Tx::commit`], it never happened.
///
/// Only the transaction is awaited while one is open: no hashing, no network.
#[async_trait]
pub trait Tx:
    AndroidComparisons
    + AndroidRecords
    + Apps
    + Audit
    + Certificates
    + Commands
    + Devices
    + Enrollments
    + Escrow
    + Groups
    + Links
    + Purges
    + PushCertificates
    + RateLimits
    + Tenants
    + Users
    + Send
{
    /// Makes it so.
    async fn commit(self: Box<Self>) -> Result<()>;
}

/// The tenant itself.
#[async_trait]
pub trait Tenants {
    /// The tenant that this transaction sees.
    fn tenant(&self) -> TenantId;

    /// Trusts identities of `certificate` (DER) too, if their subject matches `pattern`.
    async fn add_device_ca(
        &mut self,
        fingerprint: &pki::Fingerprint,
        certificate: &[u8],
        pattern: Option<&str>,
        now: Timestamp,
    ) -> Result<()>;
}

/// People whose devices are managed.
#[async_trait]
pub trait Users {
    /// Adds a user; an e-mail address that is taken anywhere in the installation is a conflict.
    async fn add_user(&mut self, user: &User) -> Result<()>;

    /// A user by e-mail address, whatever its case.
    async fn user_by_email(&mut self, email: &str) -> Result<Option<User>>;

    /// A user by id.
    async fn user(&mut self, id: UserId) -> Result<Option<User>>;

    /// The same, the row locked until the transaction ends where several may write.
    async fn user_for_update(&mut self, id: UserId) -> Result<Option<User>>;

    /// Some, in the order of their ids.
    async fn users(&mut self, page: Page<UserId>) -> Result<Vec<User>>;

    /// How many there are.
    async fn count_users(&mut self) -> Result<u64>;

    /// Writes all of a user but the address and the time.
    async fn set_user(&mut self, user: &User) -> Result<()>;

    /// Removes a user with their access tokens and links; what was theirs is nobody's.
    async fn remove_user(&mut self, id: UserId) -> Result<()>;

    /// Removes a user's access tokens but `keep`, which is written anew.
    async fn revoke_tokens(&mut self, user: UserId, keep: Option<&AccessToken>) -> Result<()>;
}

/// Groups of a tenant.
#[async_trait]
pub trait Groups {
    /// Adds a group; a name that is taken in the tenant is a conflict.
    async fn add_group(&mut self, group: &Group) -> Result<()>;

    /// Every group, by name.
    async fn groups(&mut self) -> Result<Vec<Group>>;

    /// Removes a group; whether there was one.
    async fn remove_group(&mut self, id: GroupId) -> Result<bool>;
}

/// Devices.
#[async_trait]
pub trait Devices {
    /// Adds a device, its IMEIs too.
    async fn add_device(&mut self, device: &Device) -> Result<()>;

    /// Writes all of a device but its last contact; its IMEIs too.
    async fn set_device(&mut self, device: &Device) -> Result<()>;

    /// A device, its row locked until the transaction ends where several may write; before it the enrollments that check-ins
    /// lock first.
    async fn device_for_update(&mut self, id: DeviceId) -> Result<Option<Device>>;

    /// The same with all its enrollments, those that are over too.
    async fn device_for_removal(&mut self, id: DeviceId) -> Result<Option<Device>>;

    /// The devices of these names, in their order; of several with a serial number the managed one, else the newest. IMEIs
    /// find nothing here.
    async fn find_devices(&mut self, names: &[DeviceName]) -> Result<Vec<Option<DeviceId>>>;

    /// Those of `ids` that there are, in the order of their ids, their rows and those of their enrollments locked until the
    /// transaction ends where several may write.
    async fn devices_for_update(&mut self, ids: &[DeviceId]) -> Result<Vec<Device>>;

    /// Those of `ids` that there are, in the order of their ids, only their enrollments locked.
    async fn hold_devices(&mut self, ids: &[DeviceId]) -> Result<Vec<HeldDevice>>;

    /// A device by any of its names; of several with that IMEI or serial number the managed one, else the newest.
    async fn device_named(&mut self, name: &DeviceName) -> Result<Option<Device>>;

    /// The same of the devices of one user only.
    async fn device_of_user(&mut self, owner: UserId, name: &DeviceName) -> Result<Option<Device>>;

    /// The device, not in quarantine, that holds a key; its row locked like [`Devices::device_for_update`].
    async fn device_by_key(&mut self, key: &str) -> Result<Option<Device>>;

    /// The device with this external id.
    async fn device_by_external_id(&mut self, id: &str) -> Result<Option<DeviceId>>;

    /// Those that match, in the order of their ids.
    async fn devices(&mut self, filter: &DeviceFilter, page: Page) -> Result<Vec<Device>>;

    /// How many match.
    async fn count_devices(&mut self, filter: &DeviceFilter) -> Result<u64>;

    /// Removes a quarantined device's record and IMEIs, and nothing of its enrollment but the channels.
    async fn discard_quarantined(&mut self, id: DeviceId) -> Result<()>;

    /// Removes every trace of a device: every row of every table that names it, its enrollments or their certificates,
    /// but tombstones and purges.
    async fn remove_device(&mut self, id: DeviceId) -> Result<()>;
}

/// The apps that devices reported, by bundle identifier.
#[async_trait]
pub trait Apps {
    /// Replaces what is installed on `device`, as a whole; each id once. What is then neither installed nor managed is gone.
    async fn set_installed_apps(&mut self, device: DeviceId, apps: &[InstalledApp]) -> Result<()>;

    /// Replaces what is managed on `device`, in the same way.
    async fn set_managed_apps(&mut self, device: DeviceId, apps: &[ManagedApp]) -> Result<()>;

    /// One stretch of the apps of `device`, by id.
    async fn apps(&mut self, device: DeviceId, page: AppPage) -> Result<Vec<App>>;

    /// How many there are.
    async fn count_apps(&mut self, device: DeviceId) -> Result<u64>;

    /// One of them.
    async fn app(&mut self, device: DeviceId, id: &str) -> Result<Option<App>>;
}

/// A secret that we keep for someone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowRow {
    /// Its id.
    pub id: EscrowId,
    /// Of which device.
    pub device: DeviceId,
    /// In which of its enrollments.
    pub enrollment: EnrollmentId,
    /// What it is, such as `lock-pin`.
    pub kind: String,
    /// The command that sets it.
    pub command: Option<CommandId>,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// When it was kept.
    pub created_at: Timestamp,
    /// When the device confirmed that it has it, or told it.
    pub confirmed_at: Option<Timestamp>,
    /// When the device refused it.
    pub refused_at: Option<Timestamp>,
}

/// A secret with what became of the command that sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowEntry {
    /// The secret.
    pub row: EscrowRow,
    /// How far its command got, and whether it was ever handed over; `None` without one, and once it is forgotten.
    pub command: Option<(CommandState, bool)>,
}

/// A token that a device left in one of its enrollments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftToken {
    /// Which enrollment.
    pub enrollment: EnrollmentId,
    /// The token, sealed.
    pub sealed: Vec<u8>,
    /// Since when it is kept; `None` for those from before that was written down.
    pub at: Option<Timestamp>,
}

/// Secrets in escrow; never overwritten, only added.
#[async_trait]
pub trait Escrow {
    /// Keeps a secret.
    async fn add_escrow(&mut self, row: &EscrowRow) -> Result<()>;

    /// The newest secrets of a kind, newest first.
    async fn escrow(&mut self, device: DeviceId, kind: &str, limit: u32) -> Result<Vec<EscrowRow>>;

    /// The newest secrets of a kind, up to `limit`, newest first, and with them the newest that was confirmed in
    /// `enrollment`, or else in any. Of those that one command was to set one after the other only the last.
    async fn escrow_entries(
        &mut self,
        device: DeviceId,
        enrollment: EnrollmentId,
        kind: &str,
        limit: u32,
    ) -> Result<Vec<EscrowEntry>>;

    /// Writes down that the device has, or refused, what `command` was to set; of several secrets the last one.
    async fn settle_escrow(
        &mut self,
        device: DeviceId,
        command: CommandId,
        confirmed: bool,
        at: Timestamp,
    ) -> Result<()>;

    /// The unlock tokens that `device` left, one for each enrollment, newest first, at most 100.
    async fn unlock_tokens(&mut self, device: DeviceId) -> Result<Vec<LeftToken>>;

    /// Replaces the unlock token of an enrollment's device channel, if there is such a channel.
    async fn set_unlock_token(
        &mut self,
        enrollment: EnrollmentId,
        sealed: &[u8],
        at: Timestamp,
    ) -> Result<()>;

    /// The bootstrap tokens, as [`Self::unlock_tokens`].
    async fn bootstrap_tokens(&mut self, device: DeviceId) -> Result<Vec<LeftToken>>;
}

/// Purge jobs.
#[async_trait]
pub trait Purges {
    /// Adds a job with the ids that it names, as they were sent.
    async fn add_purge(&mut self, purge: &Purge, external_ids: &[String], guids: &[String]) -> Result<()>;

    /// A job.
    async fn purge(&mut self, id: PurgeId) -> Result<Option<Purge>>;

    /// The newest jobs, newest first.
    async fn purges(&mut self, limit: u32) -> Result<Vec<Purge>>;

    /// The next ids of a job that are not done: whether it is a GUID, and the id.
    async fn open_purge_ids(&mut self, id: PurgeId, limit: u32) -> Result<Vec<(bool, String)>>;

    /// Removes the id from the job, adds to its counts, and holds the claim on the job until `until`.
    async fn finish_purge_id(
        &mut self,
        id: PurgeId,
        is_guid: bool,
        name: &str,
        counts: PurgeCounts,
        until: Timestamp,
    ) -> Result<()>;

    /// Says that a job is done.
    async fn finish_purge(&mut self, id: PurgeId, at: Timestamp) -> Result<()>;

    /// Adds a tombstone; its farewell, where it has one, is due at once.
    async fn add_tombstone(&mut self, tombstone: &Tombstone, now: Timestamp) -> Result<()>;
}

/// The tenant's push certificate; there is one topic for ever.
#[async_trait]
pub trait PushCertificates {
    /// The certificate.
    async fn push_certificate(&mut self) -> Result<Option<PushCertificate>>;

    /// Adds it, or replaces it.
    async fn set_push_certificate(&mut self, certificate: &PushCertificate) -> Result<()>;

    /// The key of the last request, sealed.
    async fn push_request_key(&mut self) -> Result<Option<Vec<u8>>>;

    /// Keeps the key of a request, sealed, in place of the one before.
    async fn set_push_request_key(&mut self, sealed: &[u8], now: Timestamp) -> Result<()>;

    /// Whether any enrollment of the tenant is not over.
    async fn has_live_enrollments(&mut self) -> Result<bool>;
}

/// The times of an application's requests, in a ring.
#[async_trait]
pub trait RateLimits {
    /// Adds a request at `now`, or at the time of the last one if that is later (clocks of nodes differ), and gives that
    /// time with those of the earlier requests that decide. Requests of one application and kind are counted one by one.
    async fn count_request(
        &mut self,
        application: ApplicationId,
        request: LimitedRequest,
        now: Timestamp,
    ) -> Result<(Timestamp, EarlierRequests)>;
}

/// The audit log: appended, and kept.
#[async_trait]
pub trait Audit {
    /// Appends `event`.
    async fn record(&mut self, event: &Event) -> Result<()>;

    /// The newest events, newest first; those of one device, or all.
    async fn events(&mut self, device: Option<DeviceId>, limit: u32) -> Result<Vec<Event>>;
}
