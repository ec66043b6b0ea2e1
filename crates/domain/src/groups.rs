//! Groups of a tenant, as the Device API lists them.

use crate::{Actor, Error, GroupId, Mdm, Result, Role, Thing, Timestamp};

/// The longest description, bytes.
const LONGEST_DESCRIPTION: usize = 1000;

/// A group that the tenant's own administrators made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name, unique in the tenant, 1 to 200 bytes.
    pub name: String,
    /// What it is for, at most 1000 bytes.
    pub description: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
}

impl Mdm {
    /// Adds a group; a name that is taken is a conflict.
    pub async fn add_group(&self, actor: &Actor, name: &str, description: Option<&str>) -> Result<Group> {
        actor.require(Role::Owner)?;
        let name = crate::tenants::checked_name(name)?.to_owned();
        let description = description.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        if description.as_ref().is_some_and(|text| text.len() > LONGEST_DESCRIPTION) {
            return Err(Error::invalid("description", "at most 1000 bytes"));
        }
        let group = Group { id: GroupId(self.random.id()), name, description, created_at: self.clock.now() };
        let mut tx = self.store.begin(actor.tenant).await?;
        tx.add_group(&group).await?;
        tx.commit().await?;
        Ok(group)
    }

    /// Every group, by name.
    pub async fn groups(&self, actor: &Actor) -> Result<Vec<Group>> {
        actor.require(Role::Viewer)?;
        self.store.read(actor.tenant).await?.groups().await
    }

    /// Removes a group.
    pub async fn remove_group(&self, actor: &Actor, id: GroupId) -> Result<()> {
        actor.require(Role::Owner)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        if !tx.remove_group(id).await? {
            return Err(Error::NotFound(Thing::Group));
        }
        tx.commit().await
    }
}
