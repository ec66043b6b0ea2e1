//! People whose devices are managed.

use async_trait::async_trait;
use domain::{AccessToken, AccountId, Error, PAGE_LIMIT, Page, Person, Result, User, UserId, ports::Users};
use sqlx::query;
use uuid::Uuid;

use super::{
    super::OTHERS_WRITE,
    Query, Row, Tx,
    rows::{get, time},
};

/// A statement that reads users by the names of their columns, and whatever else comes before them.
macro_rules! select_users {
    ($($rest:tt)*) => {
        concat!(
            "SELECT tenant, id, email, password_hash, created_at, first_name, last_name, phone, managed_apple_id, enabled
             FROM users ",
            $($rest)*
        )
    };
}
pub(super) use select_users;

/// The enrollments that become nobody's.
const TOUCHED: &str = lock_in_order!("SELECT device, id FROM enrollments WHERE tenant = $1 AND user_id = $2");

/// In this order: what is a user's goes, or becomes nobody's, before they do.
const REMOVE: [&str; 6] = [
    "DELETE FROM access_tokens WHERE tenant = $1 AND user_id = $2",
    "DELETE FROM enrollment_links WHERE tenant = $1 AND user_id = $2",
    "DELETE FROM own_links WHERE tenant = $1 AND user_id = $2",
    "UPDATE enrollments SET user_id = NULL WHERE tenant = $1 AND user_id = $2",
    "UPDATE devices SET user_id = NULL WHERE tenant = $1 AND user_id = $2",
    "DELETE FROM users WHERE tenant = $1 AND id = $2",
];

#[async_trait]
impl Users for Tx {
    async fn add_user(&mut self, user: &User) -> Result<()> {
        let insert = query(
            "INSERT INTO users (tenant, id, password_hash, enabled, first_name, last_name, phone, managed_apple_id,
                 email, email_key, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        );
        let insert = bind_user(insert.bind(self.tenant.0), user)
            .bind(&user.email)
            .bind(user.email.to_lowercase())
            .bind(user.created_at.0);
        self.open.add(insert, "this e-mail address is taken").await?;
        Ok(())
    }

    async fn user_by_email(&mut self, email: &str) -> Result<Option<User>> {
        let select = query(select_users!("WHERE tenant = $1 AND email_key = $2"))
            .bind(self.tenant.0)
            .bind(email.to_lowercase());
        self.open.one(select).await?.map(|row| user(&row)).transpose()
    }

    async fn user(&mut self, id: UserId) -> Result<Option<User>> {
        let select = query(select_users!("WHERE tenant = $1 AND id = $2")).bind(self.tenant.0).bind(id.0);
        self.open.one(select).await?.map(|row| user(&row)).transpose()
    }

    async fn user_for_update(&mut self, id: UserId) -> Result<Option<User>> {
        let select = query(select_users!(locked!("WHERE tenant = $1 AND id = $2")));
        let select = select.bind(self.tenant.0).bind(id.0);
        self.open.one(select).await?.map(|row| user(&row)).transpose()
    }

    async fn users(&mut self, page: Page<UserId>) -> Result<Vec<User>> {
        let select = query(select_users!("WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3 OFFSET $4"))
            .bind(self.tenant.0)
            .bind(page.after.map_or(Uuid::nil(), |id| id.0))
            .bind(i64::from(page.limit.min(PAGE_LIMIT)))
            .bind(i64::try_from(page.skip).unwrap_or(i64::MAX));
        self.open.all(select).await?.iter().map(user).collect()
    }

    async fn count_users(&mut self) -> Result<u64> {
        let select = query("SELECT count(*) AS users FROM users WHERE tenant = $1").bind(self.tenant.0);
        let count = self.open.one(select).await?.map_or(Ok(0), |row| get::<i64>(&row, "users"))?;
        u64::try_from(count).map_err(Error::internal)
    }

    async fn set_user(&mut self, user: &User) -> Result<()> {
        let update = query(
            "UPDATE users SET password_hash = $3, enabled = $4, first_name = $5, last_name = $6, phone = $7,
                 managed_apple_id = $8
             WHERE tenant = $1 AND id = $2",
        );
        self.open.set(bind_user(update.bind(self.tenant.0), user), "user").await
    }

    async fn remove_user(&mut self, id: UserId) -> Result<()> {
        if OTHERS_WRITE {
            self.open.run(query(TOUCHED).bind(self.tenant.0).bind(id.0)).await?;
        }
        for statement in REMOVE {
            self.open.run(query(statement).bind(self.tenant.0).bind(id.0)).await?;
        }
        Ok(())
    }

    async fn revoke_tokens(&mut self, user: UserId, keep: Option<&AccessToken>) -> Result<()> {
        self.open.revoke_tokens(AccountId::User(user), keep).await
    }
}

/// Binds `$2` to `$8`.
fn bind_user<'q>(query: Query<'q>, user: &'q User) -> Query<'q> {
    query
        .bind(user.id.0)
        .bind(&user.password_hash)
        .bind(user.enabled)
        .bind(&user.person.first_name)
        .bind(&user.person.last_name)
        .bind(&user.person.phone)
        .bind(&user.person.managed_apple_id)
}

/// A user, by the names of the columns.
pub(super) fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: UserId(get(row, "id")?),
        email: get(row, "email")?,
        person: Person {
            first_name: get(row, "first_name")?,
            last_name: get(row, "last_name")?,
            phone: get(row, "phone")?,
            managed_apple_id: get(row, "managed_apple_id")?,
        },
        password_hash: get(row, "password_hash")?,
        enabled: get(row, "enabled")?,
        created_at: time(row, "created_at")?,
    })
}
