//! What is looked up before a tenant is known, and what no tenant owns.

use async_trait::async_trait;
use domain::{
    Admin, AdminId, ApiKey, ApiKeyId, Application, ApplicationId, DeviceId, EnrollmentId, Error, Result,
    Role, Tenant, TenantId, Timestamp,
    ports::{Directory, Identity, LinkRow, Tombstone},
};
use pki::Fingerprint;
use sqlx::query;

use super::{
    Backend, Row,
    links::link,
    purges::farewell,
    rows::{certificate_state, digest, enrollment_state, fingerprint, get, known, maybe_time, time},
};

const SELECT_IDENTITY: &str = "
    SELECT c.tenant, e.device, c.enrollment, e.key, e.state AS enrollment_state, c.state AS certificate_state
    FROM certificates c JOIN enrollments e ON e.tenant = c.tenant AND e.id = c.enrollment
    WHERE c.fingerprint = $1";

macro_rules! select_applications {
    ($where:literal) => {
        concat!("SELECT id, tenant, name, secret_hash, created_at, revoked_at FROM applications ", $where)
    };
}

#[async_trait]
impl Directory for Backend {
    async fn identity(&self, fingerprint: &Fingerprint) -> Result<Option<Identity>> {
        let select = query(SELECT_IDENTITY).bind(&fingerprint.0[..]);
        self.one(select).await?.map(|row| identity(&row)).transpose()
    }

    async fn tombstone(&self, fingerprint: &Fingerprint) -> Result<Option<Tombstone>> {
        let select = query(
            "SELECT fingerprint, tenant, expires_at, understands_unrecognized, push_token, push_magic FROM tombstones
             WHERE fingerprint = $1",
        )
        .bind(&fingerprint.0[..]);
        self.one(select).await?.map(|row| tombstone(&row)).transpose()
    }

    async fn device_cas(&self) -> Result<Vec<(TenantId, Vec<u8>, Option<String>)>> {
        let select = query(
            "SELECT tenant, certificate, pattern FROM device_cas ORDER BY tenant, created_at, fingerprint",
        );
        let rows = self.all(select).await?;
        rows.iter()
            .map(|row| Ok((TenantId(get(row, "tenant")?), get(row, "certificate")?, get(row, "pattern")?)))
            .collect()
    }

    async fn link(&self, token_hash: &[u8; 32]) -> Result<Option<LinkRow>> {
        let select = query(
            "SELECT tenant, id, token_hash, user_id, device, max_uses, used, expires_at, created_at FROM enrollment_links
             WHERE token_hash = $1",
        )
        .bind(&token_hash[..]);
        self.one(select).await?.map(|row| link_row(&row)).transpose()
    }

    async fn add_tenant(&self, tenant: &Tenant) -> Result<()> {
        let insert = query("INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(tenant.id.0)
            .bind(&tenant.name)
            .bind(tenant.created_at.0);
        self.add(insert, "a tenant has this name already").await
    }

    async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>> {
        let select = query("SELECT id, name, created_at FROM tenants WHERE id = $1").bind(id.0);
        self.one(select).await?.map(|row| tenant(&row)).transpose()
    }

    async fn tenants(&self) -> Result<Vec<Tenant>> {
        let select = query("SELECT id, name, created_at FROM tenants ORDER BY name");
        self.all(select).await?.iter().map(tenant).collect()
    }

    async fn add_admin(&self, admin: &Admin) -> Result<()> {
        let insert = query(
            "INSERT INTO admins (id, email, email_key, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(admin.id.0)
        .bind(&admin.email)
        .bind(admin.email.to_lowercase())
        .bind(&admin.password_hash)
        .bind(admin.created_at.0);
        self.add(insert, "this e-mail address is taken").await
    }

    async fn admin(&self, email: &str) -> Result<Option<Admin>> {
        let select = query("SELECT id, email, password_hash, created_at FROM admins WHERE email_key = $1")
            .bind(email.to_lowercase());
        self.one(select).await?.map(|row| admin(&row)).transpose()
    }

    async fn set_role(&self, admin: AdminId, tenant: TenantId, role: Role) -> Result<()> {
        let upsert = query(
            "INSERT INTO admin_roles (admin, tenant, role) VALUES ($1, $2, $3)
             ON CONFLICT (admin, tenant) DO UPDATE SET role = excluded.role",
        )
        .bind(admin.0)
        .bind(tenant.0)
        .bind(role.name());
        self.change(upsert).await?;
        Ok(())
    }

    async fn add_api_key(&self, key: &ApiKey) -> Result<()> {
        let insert = query(
            "INSERT INTO api_keys (id, admin, hash, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(key.id.0)
        .bind(key.admin.0)
        .bind(&key.hash[..])
        .bind(key.created_at.0)
        .bind(key.revoked_at.map(|at| at.0));
        self.add(insert, "this key is there already").await
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>> {
        let select =
            query("SELECT id, admin, hash, created_at, revoked_at FROM api_keys ORDER BY created_at, id");
        self.all(select).await?.iter().map(api_key).collect()
    }

    async fn revoke_api_key(&self, key: ApiKeyId, at: Timestamp) -> Result<bool> {
        let update = query("UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
            .bind(key.0)
            .bind(at.0);
        Ok(self.change(update).await? > 0)
    }

    async fn api_key_roles(&self, hash: &[u8; 32]) -> Result<Option<(AdminId, Vec<(TenantId, Role)>)>> {
        let select = query(
            "SELECT k.admin, r.tenant, r.role FROM api_keys k LEFT JOIN admin_roles r ON r.admin = k.admin
             WHERE k.hash = $1 AND k.revoked_at IS NULL ORDER BY r.tenant",
        )
        .bind(&hash[..]);
        let rows = self.all(select).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let admin = AdminId(get(first, "admin")?);
        let roles = rows.iter().filter_map(|row| role(row).transpose()).collect::<Result<_>>()?;
        Ok(Some((admin, roles)))
    }

    async fn add_application(&self, application: &Application) -> Result<()> {
        let insert = query(
            "INSERT INTO applications (id, tenant, name, secret_hash, created_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(application.id.0)
        .bind(application.tenant.0)
        .bind(&application.name)
        .bind(&application.secret_hash[..])
        .bind(application.created_at.0)
        .bind(application.revoked_at.map(|at| at.0));
        self.add(insert, "this application is there already").await
    }

    async fn application(&self, id: ApplicationId) -> Result<Option<Application>> {
        let select = query(select_applications!("WHERE id = $1")).bind(id.0);
        self.one(select).await?.map(|row| application(&row)).transpose()
    }

    async fn applications(&self, tenant: Option<TenantId>) -> Result<Vec<Application>> {
        let select = match tenant {
            Some(tenant) => {
                query(select_applications!("WHERE tenant = $1 ORDER BY created_at, id")).bind(tenant.0)
            }
            None => query(select_applications!("ORDER BY created_at, id")),
        };
        self.all(select).await?.iter().map(application).collect()
    }

    async fn revoke_application(&self, id: ApplicationId, at: Timestamp) -> Result<bool> {
        let update = query("UPDATE applications SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
            .bind(id.0)
            .bind(at.0);
        Ok(self.change(update).await? > 0)
    }

    async fn installation_value(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let select = query("SELECT value FROM installation WHERE name = $1").bind(name);
        self.one(select).await?.map(|row| get(&row, "value")).transpose()
    }

    async fn settle_installation_value(&self, name: &str, value: &[u8]) -> Result<Vec<u8>> {
        let insert = query("INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(name)
            .bind(value);
        self.change(insert).await?;
        let stored = self.installation_value(name).await?;
        stored.ok_or_else(|| Error::internal("an installation value is gone"))
    }

    async fn replace_installation_value(&self, name: &str, old: &[u8], new: &[u8]) -> Result<bool> {
        let update = query("UPDATE installation SET value = $3 WHERE name = $1 AND value = $2")
            .bind(name)
            .bind(old)
            .bind(new);
        Ok(self.change(update).await? > 0)
    }

    async fn ping(&self) -> Result<()> {
        self.gate.check()?;
        self.one(query("SELECT 1")).await?;
        Ok(())
    }
}

fn identity(row: &Row) -> Result<Identity> {
    Ok(Identity {
        tenant: TenantId(get(row, "tenant")?),
        device: DeviceId(get(row, "device")?),
        enrollment: EnrollmentId(get(row, "enrollment")?),
        key: get(row, "key")?,
        enrollment_state: enrollment_state(row, "enrollment_state")?,
        certificate_state: certificate_state(row, "certificate_state")?,
    })
}

fn tombstone(row: &Row) -> Result<Tombstone> {
    Ok(Tombstone {
        fingerprint: fingerprint(row, "fingerprint")?,
        tenant: TenantId(get(row, "tenant")?),
        expires_at: time(row, "expires_at")?,
        understands_unrecognized: get(row, "understands_unrecognized")?,
        farewell: farewell(row)?,
    })
}

fn link_row(row: &Row) -> Result<LinkRow> {
    let link = link(row)?;
    Ok(LinkRow { tenant: TenantId(get(row, "tenant")?), user: link.user, link })
}

fn tenant(row: &Row) -> Result<Tenant> {
    Ok(Tenant {
        id: TenantId(get(row, "id")?),
        name: get(row, "name")?,
        created_at: time(row, "created_at")?,
    })
}

/// An administrator, by the names of the columns.
pub(super) fn admin(row: &Row) -> Result<Admin> {
    Ok(Admin {
        id: AdminId(get(row, "id")?),
        email: get(row, "email")?,
        password_hash: get(row, "password_hash")?,
        created_at: time(row, "created_at")?,
    })
}

fn api_key(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: ApiKeyId(get(row, "id")?),
        admin: AdminId(get(row, "admin")?),
        hash: digest(row, "hash")?,
        created_at: time(row, "created_at")?,
        revoked_at: maybe_time(row, "revoked_at")?,
    })
}

/// The role in the row; an administrator without any has one row without.
pub(super) fn role(row: &Row) -> Result<Option<(TenantId, Role)>> {
    let Some(tenant) = get::<Option<_>>(row, "tenant")? else { return Ok(None) };
    Ok(Some((TenantId(tenant), known(Role::named(get(row, "role")?), "role")?)))
}

fn application(row: &Row) -> Result<Application> {
    Ok(Application {
        id: ApplicationId(get(row, "id")?),
        tenant: TenantId(get(row, "tenant")?),
        name: get(row, "name")?,
        secret_hash: digest(row, "secret_hash")?,
        created_at: time(row, "created_at")?,
        revoked_at: maybe_time(row, "revoked_at")?,
    })
}
