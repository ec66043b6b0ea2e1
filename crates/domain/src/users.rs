//! Users: the people whose devices are managed.

use crate::{Actor, Mdm, Result, Role, Timestamp, UserId, admins::checked_email, secrets};

/// A person whose devices are managed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id: `usersid` of the Device API.
    pub id: UserId,
    /// Their e-mail address, unique in the installation whatever its case.
    pub email: String,
    /// Their password, hashed (PHC string).
    pub password_hash: String,
    /// Since when.
    pub created_at: Timestamp,
}

impl Mdm {
    /// Adds a user; their new password is told once, here.
    pub async fn add_user(&self, actor: &Actor, email: &str) -> Result<(UserId, String)> {
        actor.require(Role::Owner)?;
        let email = checked_email(email)?;
        let password = secrets::password(&*self.random);
        let password_hash = self.hashing.hash(&password).await?;
        let user = User { id: UserId(self.random.id()), email, password_hash, created_at: self.clock.now() };
        let mut tx = self.store.begin(actor.tenant).await?;
        tx.add_user(&user).await?;
        tx.commit().await?;
        Ok((user.id, password))
    }
}
