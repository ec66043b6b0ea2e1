//! Changing what is known of a user.

use serde_json::json;

use super::{Person, User};
use crate::{Actor, Error, Event, Mdm, Result, Role, Thing, secrets};

/// What is to change of a user; what is `None` stays, and an empty text takes a field away.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Their Managed Apple Account.
    pub managed_apple_id: Option<String>,
    /// Whether they may log in; a user who may not loses their access tokens.
    pub enabled: Option<bool>,
}

impl Mdm {
    /// A user of the caller's tenant by e-mail address.
    pub async fn user_by_email(&self, actor: &Actor, email: &str) -> Result<User> {
        actor.require(Role::Viewer)?;
        let mut tx = self.store.read(actor.tenant).await?;
        tx.user_by_email(email.trim()).await?.ok_or(Error::NotFound(Thing::User))
    }

    /// Changes what is known of a user; gives them as they are then.
    pub async fn change_user(&self, actor: &Actor, email: &str, change: UserChange) -> Result<User> {
        actor.require(Role::Owner)?;
        let found = self.user_by_email(actor, email).await?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let mut user = tx.user_for_update(found.id).await?.ok_or(Error::NotFound(Thing::User))?;
        user.enabled = change.enabled.unwrap_or(user.enabled);
        user.person = change.of(&user.person).checked()?;
        tx.set_user(&user).await?;
        if !user.enabled {
            tx.revoke_tokens(user.id, None).await?;
        }
        let details = json!({ "user": user.id, "enabled": user.enabled });
        tx.record(&Event::by(actor, "user.changed", None, details, self.clock.now())).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Gives a user a new password that is made up and told this once; their access tokens end.
    pub async fn reset_user_password(&self, actor: &Actor, email: &str) -> Result<String> {
        actor.require(Role::Owner)?;
        let found = self.user_by_email(actor, email).await?;
        let password = secrets::password(&*self.random);
        let hash = self.hashing.hash(&password).await?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let mut user = tx.user_for_update(found.id).await?.ok_or(Error::NotFound(Thing::User))?;
        user.password_hash = Some(hash);
        tx.set_user(&user).await?;
        tx.revoke_tokens(user.id, None).await?;
        let details = json!({ "user": user.id });
        tx.record(&Event::by(actor, "user.password_changed", None, details, self.clock.now())).await?;
        tx.commit().await?;
        Ok(password)
    }
}

impl UserChange {
    fn of(self, before: &Person) -> Person {
        Person {
            first_name: self.first_name.or_else(|| before.first_name.clone()),
            last_name: self.last_name.or_else(|| before.last_name.clone()),
            phone: self.phone.or_else(|| before.phone.clone()),
            managed_apple_id: self.managed_apple_id.or_else(|| before.managed_apple_id.clone()),
        }
    }
}
