//! Logging in.

use super::{AccountId, attempts::EACH, digest_of, passwords::LONGEST_PASSWORD};
use crate::{Error, Forbidden, Limited, Mdm, Result, TenantId, secrets};

/// Who wants to log in.
#[derive(Clone, Debug)]
pub struct Login {
    /// As what.
    pub kind: LoginKind,
    /// Their e-mail address.
    pub username: String,
    /// Their password.
    pub password: String,
}

/// As what someone logs in; a person may be both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginKind {
    /// As a person whose devices are managed.
    User,
    /// As an administrator, in a tenant, or in their only one.
    Admin(Option<TenantId>),
}

/// An account that someone claims, and the password that opens it.
struct Claimed {
    account: AccountId,
    tenant: Option<TenantId>,
    password_hash: Option<String>,
}

impl Mdm {
    /// An access token for someone who knows their password.
    ///
    /// A name that nobody has, a wrong password, and an account that may not log in are answered alike, and after the
    /// same time.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; with the right password also for a tenant that the administrator has no role in, and
    /// [`Error::Invalid`] where they have several and name none.
    pub async fn log_in(&self, login: &Login) -> Result<Limited<String>> {
        let email = login.username.trim().to_lowercase();
        let attempts = attempts_at(login.kind, &email);
        if let Some(wait) = self.directory.count_attempt(&attempts, self.clock.now()).await? {
            return Ok(Limited::Blocked(wait));
        }
        let claimed = self.claimed(login.kind, &email).await?;
        let password_hash = claimed.as_ref().and_then(|claimed| claimed.password_hash.as_deref());
        let right = self.is_right(&login.password, password_hash).await?;
        let (Some(claimed), Some(password_hash), true) = (&claimed, password_hash, right) else {
            return Err(Error::Unauthenticated);
        };
        self.directory.forgive_attempt(&attempts, EACH).await?;
        let tenant = self.tenant_of(claimed, login.kind).await?;
        self.issue_token(tenant, claimed.account, digest_of(password_hash)).await.map(Limited::Free)
    }

    async fn claimed(&self, kind: LoginKind, email: &str) -> Result<Option<Claimed>> {
        match kind {
            LoginKind::User => {
                Ok(self.directory.user_by_address(email).await?.map(|(tenant, user)| Claimed {
                    account: AccountId::User(user.id),
                    tenant: Some(tenant),
                    password_hash: user.password_hash.filter(|_| user.enabled),
                }))
            }
            LoginKind::Admin(tenant) => Ok(self.directory.admin(email).await?.map(|admin| Claimed {
                account: AccountId::Admin(admin.id),
                tenant,
                password_hash: Some(admin.password_hash),
            })),
        }
    }

    /// Whether `password` is the one behind `hash`; where there is no hash, it takes as long to say that it is not.
    pub(super) async fn is_right(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let password = if password.len() > LONGEST_PASSWORD { "" } else { password };
        match hash {
            Some(hash) => self.hashing.verify(password, hash).await,
            None => self.hashing.hash(password).await.map(|_| false),
        }
    }

    async fn tenant_of(&self, claimed: &Claimed, kind: LoginKind) -> Result<TenantId> {
        let admin = match (claimed.account, kind) {
            (AccountId::Admin(admin), LoginKind::Admin(_)) => admin,
            _ => return claimed.tenant.ok_or(Error::Unauthenticated),
        };
        let roles = self.directory.roles(admin).await?;
        match (claimed.tenant, &roles[..]) {
            (Some(wanted), roles) if roles.iter().any(|(tenant, _)| *tenant == wanted) => Ok(wanted),
            (Some(_), _) => Err(Error::Unauthenticated),
            (None, [(only, _)]) => Ok(*only),
            (None, []) => Err(Error::Forbidden(Forbidden::Tenant)),
            (None, _) => Err(Error::invalid("mtcid", "needed, since this administrator has several tenants")),
        }
    }
}

/// Where the attempts at an account are counted, whether there is one of that name or not.
pub(super) fn attempts_at(kind: LoginKind, email: &str) -> [u8; 32] {
    let kind = match kind {
        LoginKind::User => "user",
        LoginKind::Admin(_) => "admin",
    };
    secrets::hash(&format!("{kind}:{email}"))
}
