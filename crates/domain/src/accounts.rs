//! Accounts of people, users and administrators alike: they log in with a password, and come back with an access token.
//!
//! A token is 256 random bits of which only the hash is kept. What its account may do is looked up at each use: a
//! demoted administrator is demoted at once, and a token ends with its account, or with the password that it was got
//! with.

use std::time::Duration;

use crate::{
    Actor, Admin, AdminId, Error, Mdm, Person, Result, Role, Subject, TenantId, Timestamp, User, UserId,
    ports::KnownToken, secrets,
};

pub use attempts::{CountedAttempt, count_attempt};
pub use login::{Login, LoginKind};
pub(crate) use passwords::{checked_password, digest_of};

mod attempts;
mod login;
mod passwords;

/// How long an access token is good.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_hours(1);

/// The last quarter of a token's life, in which it is said to expire soon.
const LAST_QUARTER: Duration = Duration::from_mins(15);

/// How long a token that is over is still known as such, so that its owner is not taken for someone who guesses.
const REMEMBERED: Duration = Duration::from_hours(1);

/// Whose account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountId {
    /// A person whose devices are managed.
    User(UserId),
    /// A person who administers tenants.
    Admin(AdminId),
}

/// An account, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub id: AccountId,
    /// Their e-mail address.
    pub email: String,
    /// What is known of the person; nothing of an administrator.
    pub person: Person,
    /// Whether they may log in.
    pub enabled: bool,
}

/// An access token, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// The tenant that it opens.
    pub tenant: TenantId,
    /// For whom.
    pub account: AccountId,
    /// SHA-256 of the password's hash that was right when it was issued: the token ends with that password.
    pub password: [u8; 32],
    /// Since when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Someone who came with a good access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub actor: Actor,
    /// By which token.
    pub token: AccessToken,
    /// Whether the token is in the last quarter of its life.
    pub expires_soon: bool,
}

/// What an access token turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownToken {
    /// Good.
    Live(Box<Session>),
    /// Over, but ours.
    Expired,
    /// None of ours; or revoked, which looks the same.
    Unknown,
}

impl Mdm {
    /// Who calls with this access token. One look-up.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where `tenant` is another one than the token's.
    pub async fn session(&self, token: &str, tenant: Option<TenantId>) -> Result<ShownToken> {
        let Some(known) = self.directory.access_token(&secrets::hash(token)).await? else {
            return Ok(ShownToken::Unknown);
        };
        let now = self.clock.now();
        if known.token.expires_at <= now {
            return Ok(ShownToken::Expired);
        }
        let Some(actor) = actor(&known) else { return Ok(ShownToken::Unknown) };
        if tenant.is_some_and(|meant| meant != actor.tenant) {
            return Err(Error::Unauthenticated);
        }
        let expires_soon = known.token.expires_at.minus(LAST_QUARTER) <= now;
        Ok(ShownToken::Live(Box::new(Session { actor, token: known.token, expires_soon })))
    }

    /// Another token for who came with a good one, which stays good until it expires.
    pub async fn renew_token(&self, session: &Session) -> Result<String> {
        let AccessToken { tenant, account, password, .. } = session.token;
        self.issue_token(tenant, account, password).await
    }

    async fn issue_token(&self, tenant: TenantId, account: AccountId, password: [u8; 32]) -> Result<String> {
        let token = secrets::token(&*self.random);
        let issued_at = self.clock.now();
        let expires_at = issued_at.plus(ACCESS_TOKEN_LIFETIME);
        let kept =
            AccessToken { hash: secrets::hash(&token), tenant, account, password, issued_at, expires_at };
        self.directory.add_access_token(&kept).await?;
        Ok(token)
    }

    /// Removes access tokens that are over, and attempts to log in that no longer count.
    pub async fn sweep_accounts(&self) -> Result<u64> {
        let now = self.clock.now();
        self.directory.sweep_accounts(now.minus(REMEMBERED), now).await
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        let User { id, email, person, enabled, .. } = user;
        Self { id: AccountId::User(id), email, person, enabled }
    }
}

impl From<Admin> for Account {
    fn from(admin: Admin) -> Self {
        Self { id: AccountId::Admin(admin.id), email: admin.email, person: Person::default(), enabled: true }
    }
}

/// The caller that a token makes, if its account still stands as it did.
fn actor(known: &KnownToken) -> Option<Actor> {
    let AccessToken { tenant, account, password, .. } = known.token;
    if !known.enabled || known.password_hash.as_deref().map(digest_of) != Some(password) {
        return None;
    }
    match account {
        AccountId::User(user) => Some(Actor::user(tenant, user)),
        AccountId::Admin(admin) => {
            known.role.map(|role: Role| Actor { tenant, subject: Subject::Admin(admin), role })
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const TENANT: TenantId = TenantId(Uuid::from_u128(1));
    const ADMIN: AccountId = AccountId::Admin(AdminId(Uuid::from_u128(2)));
    const USER: AccountId = AccountId::User(UserId(Uuid::from_u128(3)));

    fn known(account: AccountId) -> KnownToken {
        let (issued_at, expires_at) = (Timestamp(0), Timestamp(1));
        let password = digest_of("hash");
        KnownToken {
            token: AccessToken { hash: [7; 32], tenant: TENANT, account, password, issued_at, expires_at },
            password_hash: Some("hash".into()),
            role: matches!(account, AccountId::Admin(_)).then_some(Role::Viewer),
            enabled: true,
        }
    }

    #[test]
    fn a_token_acts_for_its_account() {
        assert_eq!(actor(&known(USER)), Some(Actor::user(TENANT, UserId(Uuid::from_u128(3)))));
        assert_eq!(actor(&known(ADMIN)).unwrap().role, Role::Viewer);
        let promoted = KnownToken { role: Some(Role::Owner), ..known(ADMIN) };
        assert_eq!(actor(&promoted).unwrap().role, Role::Owner, "the role of now");
    }

    #[test]
    fn a_token_ends_with_its_account_its_password_or_its_role() {
        assert_eq!(actor(&KnownToken { password_hash: None, ..known(USER) }), None);
        assert_eq!(actor(&KnownToken { password_hash: Some("another".into()), ..known(USER) }), None);
        assert_eq!(actor(&KnownToken { enabled: false, ..known(USER) }), None);
        assert_eq!(actor(&KnownToken { role: None, ..known(ADMIN) }), None);
    }
}
