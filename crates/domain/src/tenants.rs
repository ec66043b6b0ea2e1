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
        let name = name.trim();
        if name.is_empty() || name.len() > 200 {
            return Err(Error::invalid("name", "1 to 200 bytes"));
        }
        let tenant =
            Tenant { id: TenantId(self.random.id()), name: name.to_owned(), created_at: self.clock.now() };
        self.directory.add_tenant(&tenant).await?;
        Ok(tenant)
    }

    /// Every tenant, by name.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        self.directory.tenants().await
    }
}
