//! People whose devices are managed.

use async_trait::async_trait;
use domain::{Result, User, UserId, ports::Users};
use sqlx::query;

use super::{
    Row, Tx,
    rows::{get, time},
};

#[async_trait]
impl Users for Tx {
    async fn add_user(&mut self, user: &User) -> Result<()> {
        let insert = query(
            "INSERT INTO users (tenant, id, email, email_key, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.tenant.0)
        .bind(user.id.0)
        .bind(&user.email)
        .bind(user.email.to_lowercase())
        .bind(&user.password_hash)
        .bind(user.created_at.0);
        self.open.add(insert, "this e-mail address is taken").await?;
        Ok(())
    }

    async fn user_by_email(&mut self, email: &str) -> Result<Option<User>> {
        let select = query(
            "SELECT id, email, password_hash, created_at FROM users WHERE tenant = $1 AND email_key = $2",
        )
        .bind(self.tenant.0)
        .bind(email.to_lowercase());
        self.open.one(select).await?.map(|row| user(&row)).transpose()
    }

    async fn user(&mut self, id: UserId) -> Result<Option<User>> {
        let select =
            query("SELECT id, email, password_hash, created_at FROM users WHERE tenant = $1 AND id = $2")
                .bind(self.tenant.0)
                .bind(id.0);
        self.open.one(select).await?.map(|row| user(&row)).transpose()
    }
}

fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: UserId(get(row, "id")?),
        email: get(row, "email")?,
        password_hash: get(row, "password_hash")?,
        created_at: time(row, "created_at")?,
    })
}
