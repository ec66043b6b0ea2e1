//! Tenants: customers of one server, who see nothing of each other.

use crate::{Error, Mdm, Result, TenantId, Timestamp};

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique, 1 to 200 bytes.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
}

impl Mdm {
    /// Adds a tenant; a name that is taken is a conflict.
    pub async fn add_tenant(&self, name: &str) -> Result<Tenant> {
        let name = checked_name(name)?.to_owned();
        let tenant = Tenant { id: TenantId(self.random.id()), name, created_at: self.clock.now() };
        self.directory.add_tenant(&tenant).await?;
        Ok(tenant)
    }

    /// Every tenant, by name.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        self.directory.tenants().await
    }
}

/// A name without the blanks around it.
pub(crate) fn checked_name(name: &str) -> Result<&str> {
    let name = name.trim();
    if (1..=200).contains(&name.len()) { Ok(name) } else { Err(Error::invalid("name", "1 to 200 bytes")) }
}
