//! What is looked up before a tenant is known, and what no tenant owns.

use async_trait::async_trait;

use super::{Accounts, Seals};
use crate::{
    Admin, AdminId, ApiKey, ApiKeyId, Application, ApplicationId, CertificateState, DeviceId, EnrollmentId,
    EnrollmentState, Link, Result, Role, Tenant, TenantId, Timestamp, UserId,
};

/// The few tables that are read across tenants, each by one unique key.
#[async_trait]
pub trait Directory: Accounts + Seals + Send + Sync {
    /// Whose certificate this is.
    async fn identity(&self, fingerprint: &pki::Fingerprint) -> Result<Option<Identity>>;

    /// What is left of a purged device, by its certificate.
    async fn tombstone(&self, fingerprint: &pki::Fingerprint) -> Result<Option<Tombstone>>;

    /// The CAs that tenants brought along: tenant, certificate (DER), pattern of the subject.
    async fn device_cas(&self) -> Result<Vec<(TenantId, Vec<u8>, Option<String>)>>;

    /// An enrollment link by the hash of its token.
    async fn link(&self, token_hash: &[u8; 32]) -> Result<Option<LinkRow>>;

    /// Adds a tenant; a name that is taken is a conflict.
    async fn add_tenant(&self, tenant: &Tenant) -> Result<()>;

    /// A tenant by its id.
    async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>>;

    /// Every tenant, by name.
    async fn tenants(&self) -> Result<Vec<Tenant>>;

    /// Adds an administrator; an e-mail address that is taken is a conflict.
    async fn add_admin(&self, admin: &Admin) -> Result<()>;

    /// An administrator by e-mail address, whatever its case.
    async fn admin(&self, email: &str) -> Result<Option<Admin>>;

    /// Gives an administrator a role in a tenant, in place of any before.
    async fn set_role(&self, admin: AdminId, tenant: TenantId, role: Role) -> Result<()>;

    /// Adds an API key.
    async fn add_api_key(&self, key: &ApiKey) -> Result<()>;

    /// Every API key.
    async fn api_keys(&self) -> Result<Vec<ApiKey>>;

    /// Revokes a key; whether there was one.
    async fn revoke_api_key(&self, key: ApiKeyId, at: Timestamp) -> Result<bool>;

    /// The administrator behind a live key, and the tenants and roles that they have, by the hash of the key.
    async fn api_key_roles(&self, hash: &[u8; 32]) -> Result<Option<(AdminId, Vec<(TenantId, Role)>)>>;

    /// Adds an application.
    async fn add_application(&self, application: &Application) -> Result<()>;

    /// An application by its id, revoked or not.
    async fn application(&self, id: ApplicationId) -> Result<Option<Application>>;

    /// Every application of a tenant, or of all.
    async fn applications(&self, tenant: Option<TenantId>) -> Result<Vec<Application>>;

    /// Revokes an application; whether there was one.
    async fn revoke_application(&self, id: ApplicationId, at: Timestamp) -> Result<bool>;

    /// A value of the installation, such as the device CA, sealed by the domain.
    async fn installation_value(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Stores a value unless there is one, and gives the stored one: of several nodes that start at once, one wins.
    async fn settle_installation_value(&self, name: &str, value: &[u8]) -> Result<Vec<u8>>;

    /// Replaces `name` if it is still `old`; whether it was.
    async fn replace_installation_value(&self, name: &str, old: &[u8], new: &[u8]) -> Result<bool>;

    /// Answers if the database does.
    async fn ping(&self) -> Result<()>;
}

/// Who a certificate belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose device.
    pub tenant: TenantId,
    /// Which one.
    pub device: DeviceId,
    /// Which enrollment.
    pub enrollment: EnrollmentId,
    /// UDID or enrollment id that the enrollment is bound to; `None` before `Authenticate`.
    pub key: Option<String>,
    /// How far the enrollment got.
    pub enrollment_state: EnrollmentState,
    /// Whether the certificate may be used.
    pub certificate_state: CertificateState,
}

/// A link and its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// Whose.
    pub tenant: TenantId,
    /// The link.
    pub link: Link,
    /// The user's name, for the page.
    pub user: Option<UserId>,
}

/// What is left of a purged device until its certificate expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The certificate.
    pub fingerprint: pki::Fingerprint,
    /// Whose it was.
    pub tenant: TenantId,
    /// Until when the certificate was good.
    pub expires_at: Timestamp,
    /// Whether its OS understands `com.apple.unrecognized.device`; else it is answered 401.
    pub understands_unrecognized: bool,
    /// How to wake it once more: topic, token and magic; gone once the push was accepted.
    pub farewell: Option<Farewell>,
}

/// The last push to a purged device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// `Token` of its device channel.
    pub push_token: Vec<u8>,
    /// `PushMagic` of its device channel.
    pub push_magic: String,
}
