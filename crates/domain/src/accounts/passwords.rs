//! Changing a password.

use serde_json::json;

use super::{AccessToken, AccountId, Session, attempts::EACH, login::attempts_at};
use crate::{AdminId, Error, Event, Limited, LoginKind, Mdm, Result, Thing, UserId, secrets};

/// How many characters a new password has at least.
const SHORTEST_PASSWORD: usize = 8;

/// The longest password, bytes.
pub(super) const LONGEST_PASSWORD: usize = 1024;

impl Mdm {
    /// Gives an account a new password, for who knows the old one; false where that was wrong, which counts as an attempt
    /// to log in. All other access tokens of the account end; the one of `session` stays.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a new password of under 8 characters or over 1024 bytes; [`Error::Conflict`] where the
    /// password was changed at the same time.
    pub async fn change_password(&self, session: &Session, old: &str, new: &str) -> Result<Limited<bool>> {
        checked_password("newpassword", new)?;
        let (attempts, old_hash) = self.present_password(session.token.account).await?;
        if let Some(wait) = self.directory.count_attempt(&attempts, self.clock.now()).await? {
            return Ok(Limited::Blocked(wait));
        }
        if !self.is_right(old, Some(&old_hash)).await? {
            return Ok(Limited::Free(false));
        }
        self.directory.forgive_attempt(&attempts, EACH).await?;
        let new_hash = self.hashing.hash(new).await?;
        let kept = AccessToken { password: digest_of(&new_hash), ..session.token.clone() };
        match session.token.account {
            AccountId::User(user) => {
                self.set_own_password(session, user, &old_hash, &new_hash, &kept).await?;
            }
            AccountId::Admin(admin) => self.set_admins(admin, &old_hash, &new_hash, Some(&kept)).await?,
        }
        Ok(Limited::Free(true))
    }

    /// Gives an administrator a new password that is made up and told this once; their access tokens end.
    pub async fn reset_admin_password(&self, email: &str) -> Result<String> {
        let email = email.trim().to_lowercase();
        let admin = self.directory.admin(&email).await?.ok_or(Error::NotFound(Thing::Admin))?;
        let password = secrets::password(&*self.random);
        let hash = self.hashing.hash(&password).await?;
        self.set_admins(admin.id, &admin.password_hash, &hash, None).await?;
        Ok(password)
    }

    /// Where attempts at the account are counted, and the hash of its password.
    async fn present_password(&self, account: AccountId) -> Result<([u8; 32], String)> {
        match account {
            AccountId::User(id) => {
                let found = self.directory.user_by_id(id).await?;
                let user = found.ok_or(Error::NotFound(Thing::User))?;
                let hash = user.password_hash.ok_or(Error::NotFound(Thing::User))?;
                Ok((attempts_at(LoginKind::User, &user.email), hash))
            }
            AccountId::Admin(id) => {
                let admin = self.directory.admin_by_id(id).await?.ok_or(Error::NotFound(Thing::Admin))?;
                Ok((attempts_at(LoginKind::Admin(None), &admin.email), admin.password_hash))
            }
        }
    }

    async fn set_own_password(
        &self,
        session: &Session,
        id: UserId,
        old_hash: &str,
        new_hash: &str,
        kept: &AccessToken,
    ) -> Result<()> {
        let mut tx = self.store.begin(session.token.tenant).await?;
        let mut user = tx.user_for_update(id).await?.ok_or(Error::NotFound(Thing::User))?;
        if user.password_hash.as_deref() != Some(old_hash) {
            return Err(changed_meanwhile());
        }
        user.password_hash = Some(new_hash.to_owned());
        tx.set_user(&user).await?;
        tx.revoke_tokens(id, Some(kept)).await?;
        let details = json!({ "user": id });
        tx.record(&Event::by(&session.actor, "user.password_changed", None, details, self.clock.now()))
            .await?;
        tx.commit().await
    }

    async fn set_admins(&self, id: AdminId, old: &str, new: &str, keep: Option<&AccessToken>) -> Result<()> {
        let set = self.directory.set_admin_password(id, old, new, keep).await?;
        if set { Ok(()) } else { Err(changed_meanwhile()) }
    }
}

/// Refuses what is too short or too long for a new password; `field` is the one at fault.
pub(crate) fn checked_password(field: &'static str, password: &str) -> Result<()> {
    let sound = password.len() <= LONGEST_PASSWORD && password.chars().count() >= SHORTEST_PASSWORD;
    if sound { Ok(()) } else { Err(Error::invalid(field, "at least 8 characters and at most 1024 bytes")) }
}

/// What a token remembers of the password that it was got with.
pub(crate) fn digest_of(password_hash: &str) -> [u8; 32] {
    secrets::hash(password_hash)
}

fn changed_meanwhile() -> Error {
    Error::Conflict("the password was changed at the same time".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_has_eight_characters_and_at_most_a_kibibyte() {
        for (password, sound) in [
            (String::new(), false),
            ("1234567".into(), false),
            ("12345678".into(), true),
            ("äöüßäöü".into(), false),
            ("äöüßäöüß".into(), true),
            ("x".repeat(1024), true),
            ("x".repeat(1025), false),
        ] {
            assert_eq!(checked_password("newpassword", &password).is_ok(), sound, "{password}");
        }
    }
}
