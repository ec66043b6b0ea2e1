//! Administrators and the keys that act for them.

use crate::{
    Actor, AdminId, ApiKeyId, Error, Forbidden, Mdm, Result, Role, Subject, TenantId, Thing, Timestamp,
    secrets,
};

/// A person who administers tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Their id.
    pub id: AdminId,
    /// Their e-mail address, unique whatever its case.
    pub email: String,
    /// Their password, hashed (PHC string).
    pub password_hash: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// A key that acts for an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// For whom it acts.
    pub admin: AdminId,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub revoked_at: Option<Timestamp>,
}

impl Mdm {
    /// Adds an administrator with a role in a tenant, or gives one that exists that role; the new password, or `None`
    /// for one that has theirs.
    pub async fn add_admin(
        &self,
        email: &str,
        tenant: TenantId,
        role: Role,
    ) -> Result<(AdminId, Option<String>)> {
        let email = checked_email(email)?;
        self.directory.tenant(tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?;
        if let Some(admin) = self.directory.admin(&email).await? {
            self.directory.set_role(admin.id, tenant, role).await?;
            return Ok((admin.id, None));
        }
        let password = secrets::password(&*self.random);
        let admin = Admin {
            id: AdminId(self.random.id()),
            email,
            password_hash: self.hashing.hash(&password).await?,
            created_at: self.clock.now(),
        };
        self.directory.add_admin(&admin).await?;
        self.directory.set_role(admin.id, tenant, role).await?;
        Ok((admin.id, Some(password)))
    }

    /// Every administrator, by e-mail address, with their roles. One query for each.
    pub async fn admins(&self) -> Result<Vec<(Admin, Vec<(TenantId, Role)>)>> {
        let mut admins = Vec::new();
        for admin in self.directory.admins().await? {
            let roles = self.directory.roles(admin.id).await?;
            admins.push((admin, roles));
        }
        Ok(admins)
    }

    /// Takes an administrator's role in a tenant away, at once: their keys and access tokens open it no longer.
    pub async fn remove_admin(&self, email: &str, tenant: TenantId) -> Result<()> {
        let email = email.trim().to_lowercase();
        let admin = self.directory.admin(&email).await?.ok_or(Error::NotFound(Thing::Admin))?;
        let removed = self.directory.remove_role(admin.id, tenant).await?;
        if removed { Ok(()) } else { Err(Error::NotFound(Thing::Admin)) }
    }

    /// Makes an API key for an administrator; the key is told once, here.
    pub async fn add_api_key(&self, email: &str) -> Result<(ApiKeyId, String)> {
        let admin =
            self.directory.admin(&email.to_lowercase()).await?.ok_or(Error::NotFound(Thing::Admin))?;
        let key = secrets::token(&*self.random);
        let id = ApiKeyId(self.random.id());
        let hash = secrets::hash(&key);
        let created_at = self.clock.now();
        self.directory
            .add_api_key(&ApiKey { id, admin: admin.id, hash, created_at, revoked_at: None })
            .await?;
        Ok((id, key))
    }

    /// Every API key.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>> {
        self.directory.api_keys().await
    }

    /// Revokes an API key; it opens nothing from now on.
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<()> {
        let revoked = self.directory.revoke_api_key(id, self.clock.now()).await?;
        if revoked { Ok(()) } else { Err(Error::NotFound(Thing::ApiKey)) }
    }

    /// Who calls with this API key, in `tenant`, or in their only one.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an unknown or revoked key, and (as the published API does) for a tenant that the
    /// key has no access to; [`Error::Invalid`] where the tenant is needed and missing.
    pub async fn actor_for_api_key(&self, key: &str, tenant: Option<TenantId>) -> Result<Actor> {
        let hash = secrets::hash(key);
        let (admin, roles) = self.directory.api_key_roles(&hash).await?.ok_or(Error::Unauthenticated)?;
        let (tenant, role) = match (tenant, &roles[..]) {
            (Some(wanted), roles) => {
                *roles.iter().find(|(tenant, _)| *tenant == wanted).ok_or(Error::Unauthenticated)?
            }
            (None, [only]) => *only,
            (None, []) => return Err(Error::Forbidden(Forbidden::Tenant)),
            (None, _) => return Err(Error::invalid("mtcid", "needed, since this key has several tenants")),
        };
        Ok(Actor { tenant, subject: Subject::Admin(admin), role })
    }
}

/// An e-mail address in the form in which it is stored: trimmed and in lower case.
pub(crate) fn checked_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let sound = email.len() <= 254
        && email.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && !host.is_empty()
                && !host.contains('@')
                && !email.contains(char::is_whitespace)
        });
    if sound { Ok(email) } else { Err(Error::invalid("email", "not an e-mail address")) }
}
