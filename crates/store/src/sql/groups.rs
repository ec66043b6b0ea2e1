//! Groups of a tenant.

use async_trait::async_trait;
use domain::{Group, GroupId, Result, ports::Groups};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{get, time},
};

#[async_trait]
impl Groups for Tx {
    async fn add_group(&mut self, group: &Group) -> Result<()> {
        let insert = query(
            "INSERT INTO groups (tenant, id, name, description, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(self.tenant.0)
        .bind(group.id.0)
        .bind(&group.name)
        .bind(&group.description)
        .bind(group.created_at.0);
        self.open.add(insert, "a group has this name already").await?;
        Ok(())
    }

    async fn groups(&mut self) -> Result<Vec<Group>> {
        let select =
            query("SELECT id, name, description, created_at FROM groups WHERE tenant = $1 ORDER BY name")
                .bind(self.tenant.0);
        self.open.all(select).await?.iter().map(group).collect()
    }

    async fn remove_group(&mut self, id: GroupId) -> Result<bool> {
        let delete = query("DELETE FROM groups WHERE tenant = $1 AND id = $2").bind(self.tenant.0).bind(id.0);
        Ok(self.open.run(delete).await? > 0)
    }
}

fn group(row: &Row) -> Result<Group> {
    Ok(Group {
        id: GroupId(get(row, "id")?),
        name: get(row, "name")?,
        description: get(row, "description")?,
        created_at: time(row, "created_at")?,
    })
}
