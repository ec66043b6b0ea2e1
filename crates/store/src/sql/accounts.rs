//! Who may log in, and with what they come back.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    AccessToken, AccountId, Admin, AdminId, Error, Result, Role, TenantId, Timestamp, User, UserId,
    count_attempt,
    ports::{Accounts, KnownToken},
};
use sqlx::query;
use uuid::Uuid;

use super::{
    Backend, Open, Row,
    directory::{admin, role},
    rows::{digest, get, known, time},
    users::{select_users, user},
};

/// Also locks the row, so that attempts at one account are counted one by one.
const ATTEMPT: &str = "
    INSERT INTO attempts (account, even_at) VALUES ($1, $2)
    ON CONFLICT (account) DO UPDATE SET even_at = attempts.even_at
    RETURNING even_at";

const KNOWN_TOKEN: &str = "
    SELECT t.hash, t.tenant, t.user_id, t.admin, t.password, t.issued_at, t.expires_at,
        u.enabled, u.password_hash AS users_password, a.password_hash AS admins_password, r.role
    FROM access_tokens t
    LEFT JOIN users u ON u.tenant = t.tenant AND u.id = t.user_id
    LEFT JOIN admins a ON a.id = t.admin
    LEFT JOIN admin_roles r ON r.admin = t.admin AND r.tenant = t.tenant
    WHERE t.hash = $1";

#[async_trait]
impl Accounts for Backend {
    async fn user_by_address(&self, email: &str) -> Result<Option<(TenantId, User)>> {
        let select = query(select_users!("WHERE email_key = $1")).bind(email.to_lowercase());
        let row = self.one(select).await?;
        row.map(|row| Ok((TenantId(get(&row, "tenant")?), user(&row)?))).transpose()
    }

    async fn user_by_id(&self, id: UserId) -> Result<Option<User>> {
        let select = query(select_users!("WHERE id = $1")).bind(id.0);
        self.one(select).await?.map(|row| user(&row)).transpose()
    }

    async fn admin_by_id(&self, id: AdminId) -> Result<Option<Admin>> {
        let select =
            query("SELECT id, email, password_hash, created_at FROM admins WHERE id = $1").bind(id.0);
        self.one(select).await?.map(|row| admin(&row)).transpose()
    }

    async fn admins(&self) -> Result<Vec<Admin>> {
        let select = query("SELECT id, email, password_hash, created_at FROM admins ORDER BY email_key");
        self.all(select).await?.iter().map(admin).collect()
    }

    async fn roles(&self, admin: AdminId) -> Result<Vec<(TenantId, Role)>> {
        let select =
            query("SELECT tenant, role FROM admin_roles WHERE admin = $1 ORDER BY tenant").bind(admin.0);
        let rows = self.all(select).await?;
        Ok(rows.iter().map(role).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    async fn remove_role(&self, admin: AdminId, tenant: TenantId) -> Result<bool> {
        let delete = query("DELETE FROM admin_roles WHERE admin = $1 AND tenant = $2");
        Ok(self.change(delete.bind(admin.0).bind(tenant.0)).await? > 0)
    }

    async fn set_admin_password(
        &self,
        admin: AdminId,
        old: &str,
        new: &str,
        keep: Option<&AccessToken>,
    ) -> Result<bool> {
        let mut open = self.write().await?;
        let update = query("UPDATE admins SET password_hash = $3 WHERE id = $1 AND password_hash = $2");
        if open.run(update.bind(admin.0).bind(old).bind(new)).await? == 0 {
            return Ok(false);
        }
        open.revoke_tokens(AccountId::Admin(admin), keep).await?;
        open.commit().await?;
        Ok(true)
    }

    async fn count_attempt(&self, account: &[u8; 32], now: Timestamp) -> Result<Option<Duration>> {
        let mut open = self.write().await?;
        let row = open.one(query(ATTEMPT).bind(&account[..]).bind(now.0)).await?;
        let row = row.ok_or_else(|| Error::internal("an attempt was not counted"))?;
        let counted = count_attempt(time(&row, "even_at")?, now);
        let update = query("UPDATE attempts SET even_at = $2 WHERE account = $1");
        open.run(update.bind(&account[..]).bind(counted.even_at.0)).await?;
        open.commit().await?;
        Ok(counted.wait)
    }

    async fn forgive_attempt(&self, account: &[u8; 32], worth: Duration) -> Result<()> {
        let worth = i64::try_from(worth.as_millis()).map_err(Error::internal)?;
        let update = query("UPDATE attempts SET even_at = even_at - $2 WHERE account = $1");
        self.change(update.bind(&account[..]).bind(worth)).await?;
        Ok(())
    }

    async fn add_access_token(&self, token: &AccessToken) -> Result<()> {
        let (user, admin) = match token.account {
            AccountId::User(id) => (Some(id.0), None),
            AccountId::Admin(id) => (None, Some(id.0)),
        };
        let insert = query(
            "INSERT INTO access_tokens (hash, tenant, user_id, admin, password, issued_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&token.hash[..])
        .bind(token.tenant.0)
        .bind(user)
        .bind(admin)
        .bind(&token.password[..])
        .bind(token.issued_at.0)
        .bind(token.expires_at.0);
        self.add(insert, "this token is there already").await
    }

    async fn access_token(&self, hash: &[u8; 32]) -> Result<Option<KnownToken>> {
        let row = self.one(query(KNOWN_TOKEN).bind(&hash[..])).await?;
        row.map(|row| known_token(&row)).transpose()
    }

    async fn sweep_accounts(&self, tokens: Timestamp, now: Timestamp) -> Result<u64> {
        let over = query("DELETE FROM access_tokens WHERE expires_at < $1").bind(tokens.0);
        let even = query("DELETE FROM attempts WHERE even_at <= $1").bind(now.0);
        Ok(self.change(over).await? + self.change(even).await?)
    }
}

impl Open {
    /// Removes the tokens of an account but `keep`, which is written anew.
    pub(super) async fn revoke_tokens(
        &mut self,
        account: AccountId,
        keep: Option<&AccessToken>,
    ) -> Result<()> {
        let (delete, id) = match account {
            AccountId::User(id) => ("DELETE FROM access_tokens WHERE user_id = $1 AND hash <> $2", id.0),
            AccountId::Admin(id) => ("DELETE FROM access_tokens WHERE admin = $1 AND hash <> $2", id.0),
        };
        let kept = keep.map_or(&[][..], |token| &token.hash[..]);
        self.run(query(delete).bind(id).bind(kept)).await?;
        let Some(token) = keep else { return Ok(()) };
        let update = query("UPDATE access_tokens SET password = $2 WHERE hash = $1");
        self.run(update.bind(&token.hash[..]).bind(&token.password[..])).await?;
        Ok(())
    }
}

fn known_token(row: &Row) -> Result<KnownToken> {
    let token = token(row)?;
    let (password, enabled) = match token.account {
        AccountId::User(_) => ("users_password", get::<Option<bool>>(row, "enabled")?.unwrap_or(false)),
        AccountId::Admin(_) => ("admins_password", true),
    };
    let role = get::<Option<&str>>(row, "role")?.map(|name| known(Role::named(name), "role")).transpose()?;
    Ok(KnownToken { token, password_hash: get(row, password)?, role, enabled })
}

fn token(row: &Row) -> Result<AccessToken> {
    let user = get::<Option<Uuid>>(row, "user_id")?.map(|id| AccountId::User(UserId(id)));
    let admin = get::<Option<Uuid>>(row, "admin")?.map(|id| AccountId::Admin(AdminId(id)));
    Ok(AccessToken {
        hash: digest(row, "hash")?,
        tenant: TenantId(get(row, "tenant")?),
        account: known(user.or(admin), "account")?,
        password: digest(row, "password")?,
        issued_at: time(row, "issued_at")?,
        expires_at: time(row, "expires_at")?,
    })
}
