//! The first steps of an installation.

use crate::{Error, Mdm, Result, Role, Tenant, admins::checked_email, tenants::checked_name};

/// What an installation begins with; password and key are told this once.
#[derive(Clone, Debug)]
pub struct FirstSteps {
    /// The first tenant.
    pub tenant: Tenant,
    /// The e-mail address of its owner, as it is stored.
    pub email: String,
    /// The owner's password.
    pub password: String,
    /// A key that acts for the owner.
    pub api_key: String,
}

impl Mdm {
    /// Makes the first tenant, its owner and a key for them.
    ///
    /// # Errors
    /// [`Error::Conflict`] if there is a tenant already; [`Error::Invalid`] for a bad name or e-mail address, before
    /// anything is made.
    pub async fn set_up(&self, name: &str, email: &str) -> Result<FirstSteps> {
        if !self.directory.tenants().await?.is_empty() {
            return Err(Error::Conflict(
                "there is a tenant already; add more with `remuda tenant add`".into(),
            ));
        }
        let (name, email) = (checked_name(name)?, checked_email(email)?);
        let tenant = self.add_tenant(name).await?;
        let (_, password) = self.add_admin(&email, tenant.id, Role::Owner).await?;
        let (_, api_key) = self.add_api_key(&email).await?;
        let password =
            password.ok_or_else(|| Error::Conflict("this administrator is there already".into()))?;
        Ok(FirstSteps { tenant, email, password, api_key })
    }
}
