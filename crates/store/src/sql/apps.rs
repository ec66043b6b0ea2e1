//! The apps that devices reported.

use async_trait::async_trait;
use domain::{APP_LIMIT, App, AppPage, DeviceId, Error, InstalledApp, ManagedApp, Result, ports::Apps};
use sqlx::{QueryBuilder, query};

use super::{Row, Tx, rows::get};

/// Seven values each; SQLite takes 32,766 in a statement.
const AT_ONCE: usize = 1000;

const NOTHING_INSTALLED: &str =
    "UPDATE apps SET installed = FALSE WHERE tenant = $1 AND device = $2 AND installed";

const NOTHING_MANAGED: &str =
    "UPDATE apps SET status = NULL WHERE tenant = $1 AND device = $2 AND status IS NOT NULL";

const FORGET: &str =
    "DELETE FROM apps WHERE tenant = $1 AND device = $2 AND NOT installed AND status IS NULL";

macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "SELECT id, installed, name, version, from_store, status FROM apps WHERE tenant = $1 AND device = $2 ",
            $($rest)*
        )
    };
}

#[async_trait]
impl Apps for Tx {
    async fn set_installed_apps(&mut self, device: DeviceId, apps: &[InstalledApp]) -> Result<()> {
        self.of_device(NOTHING_INSTALLED, device).await?;
        for apps in apps.chunks(AT_ONCE) {
            let mut insert = QueryBuilder::new(
                "INSERT INTO apps (tenant, device, id, installed, name, version, from_store) ",
            );
            insert.push_values(apps, |mut row, app| {
                row.push_bind(self.tenant.0).push_bind(device.0).push_bind(&app.id).push_bind(true);
                row.push_bind(&app.name).push_bind(&app.version).push_bind(app.from_store);
            });
            insert.push(
                " ON CONFLICT (tenant, device, id) DO UPDATE SET installed = excluded.installed, name = excluded.name,
                     version = excluded.version, from_store = excluded.from_store",
            );
            self.open.run(insert.build()).await?;
        }
        self.of_device(FORGET, device).await
    }

    async fn set_managed_apps(&mut self, device: DeviceId, apps: &[ManagedApp]) -> Result<()> {
        self.of_device(NOTHING_MANAGED, device).await?;
        for apps in apps.chunks(AT_ONCE) {
            let mut insert = QueryBuilder::new("INSERT INTO apps (tenant, device, id, installed, status) ");
            insert.push_values(apps, |mut row, app| {
                row.push_bind(self.tenant.0).push_bind(device.0).push_bind(&app.id).push_bind(false);
                row.push_bind(&app.status);
            });
            insert.push(" ON CONFLICT (tenant, device, id) DO UPDATE SET status = excluded.status");
            self.open.run(insert.build()).await?;
        }
        self.of_device(FORGET, device).await
    }

    async fn apps(&mut self, device: DeviceId, page: AppPage) -> Result<Vec<App>> {
        let select = query(select!("ORDER BY id LIMIT $3 OFFSET $4"))
            .bind(self.tenant.0)
            .bind(device.0)
            .bind(i64::from(page.limit.min(APP_LIMIT)))
            .bind(i64::try_from(page.skip).unwrap_or(i64::MAX));
        self.open.all(select).await?.iter().map(app).collect()
    }

    async fn count_apps(&mut self, device: DeviceId) -> Result<u64> {
        let select = query("SELECT count(*) AS found FROM apps WHERE tenant = $1 AND device = $2")
            .bind(self.tenant.0)
            .bind(device.0);
        let count = self.open.one(select).await?.map_or(Ok(0), |row| get::<i64>(&row, "found"))?;
        u64::try_from(count).map_err(Error::internal)
    }

    async fn app(&mut self, device: DeviceId, id: &str) -> Result<Option<App>> {
        let select = query(select!("AND id = $3")).bind(self.tenant.0).bind(device.0).bind(id);
        self.open.one(select).await?.map(|row| app(&row)).transpose()
    }
}

impl Tx {
    async fn of_device(&mut self, statement: &'static str, device: DeviceId) -> Result<()> {
        self.open.run(query(statement).bind(self.tenant.0).bind(device.0)).await.map(|_| ())
    }
}

fn app(row: &Row) -> Result<App> {
    Ok(App {
        id: get(row, "id")?,
        installed: get(row, "installed")?,
        name: get(row, "name")?,
        version: get(row, "version")?,
        from_store: get(row, "from_store")?,
        status: get(row, "status")?,
    })
}
