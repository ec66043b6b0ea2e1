//! Applications: programs that use the lifecycle API.

use crate::{ApplicationId, Error, Mdm, Result, TenantId, Thing, Timestamp, secrets};

/// A program that may use the lifecycle API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its id: the Application ID, and `client_id` of its tokens.
    pub id: ApplicationId,
    /// Whose devices it may delete.
    pub tenant: TenantId,
    /// What people call it, 1 to 200 bytes.
    pub name: String,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub revoked_at: Option<Timestamp>,
}

impl Mdm {
    /// Adds an application; its secret is told once, here.
    pub async fn add_application(&self, tenant: TenantId, name: &str) -> Result<(ApplicationId, String)> {
        self.directory.tenant(tenant).await?.ok_or(Error::NotFound(Thing::Tenant))?;
        if name.trim().is_empty() || name.len() > 200 {
            return Err(Error::invalid("name", "1 to 200 bytes"));
        }
        let secret = secrets::token(&*self.random);
        let application = Application {
            id: ApplicationId(self.random.id()),
            tenant,
            name: name.trim().to_owned(),
            secret_hash: secrets::hash(&secret),
            created_at: self.clock.now(),
            revoked_at: None,
        };
        self.directory.add_application(&application).await?;
        Ok((application.id, secret))
    }

    /// Every application of a tenant, or of all.
    pub async fn applications(&self, tenant: Option<TenantId>) -> Result<Vec<Application>> {
        self.directory.applications(tenant).await
    }

    /// Revokes an application; its live tokens stop at once.
    pub async fn revoke_application(&self, id: ApplicationId) -> Result<()> {
        let revoked = self.directory.revoke_application(id, self.clock.now()).await?;
        if revoked { Ok(()) } else { Err(Error::NotFound(Thing::Application)) }
    }
}
