//! Who may log in, and with what they come back: read before a tenant is known.

use std::time::Duration;

use async_trait::async_trait;

use crate::{AccessToken, Admin, AdminId, Result, Role, TenantId, Timestamp, User, UserId};

/// Accounts of users and administrators, across tenants.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// A user by e-mail address, whatever its case, and whose they are.
    async fn user_by_address(&self, email: &str) -> Result<Option<(TenantId, User)>>;

    /// A user by id, in whichever tenant.
    async fn user_by_id(&self, id: UserId) -> Result<Option<User>>;

    /// An administrator by id.
    async fn admin_by_id(&self, id: AdminId) -> Result<Option<Admin>>;

    /// Every administrator, by e-mail address.
    async fn admins(&self) -> Result<Vec<Admin>>;

    /// The tenants in which an administrator has a role, by id.
    async fn roles(&self, admin: AdminId) -> Result<Vec<(TenantId, Role)>>;

    /// Takes an administrator's role in a tenant away; whether there was one.
    async fn remove_role(&self, admin: AdminId, tenant: TenantId) -> Result<bool>;

    /// Replaces an administrator's password if it still is `old`, and removes their access tokens but `keep`, which is
    /// written anew; whether it still was.
    async fn set_admin_password(
        &self,
        admin: AdminId,
        old: &str,
        new: &str,
        keep: Option<&AccessToken>,
    ) -> Result<bool>;

    /// Counts an attempt to prove that one holds an account, by the rule of [`crate::count_attempt`]; how long one has to
    /// wait where it is one too many. Attempts at one account are counted one by one, on whatever nodes.
    async fn count_attempt(&self, account: &[u8; 32], now: Timestamp) -> Result<Option<Duration>>;

    /// Takes an attempt back, since it succeeded.
    async fn forgive_attempt(&self, account: &[u8; 32], worth: Duration) -> Result<()>;

    /// Adds an access token.
    async fn add_access_token(&self, token: &AccessToken) -> Result<()>;

    /// An access token by its hash, and how the account behind it stands now.
    async fn access_token(&self, hash: &[u8; 32]) -> Result<Option<KnownToken>>;

    /// Removes access tokens that ended before `tokens`, and attempts that no longer count at `now`.
    async fn sweep_accounts(&self, tokens: Timestamp, now: Timestamp) -> Result<u64>;
}

/// A token, and what its account has come to since it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownToken {
    /// The token.
    pub token: AccessToken,
    /// The password of its account (PHC string); `None` without one, or without the account.
    pub password_hash: Option<String>,
    /// The role that an administrator now has in the token's tenant.
    pub role: Option<Role>,
    /// Whether the account may log in.
    pub enabled: bool,
}
