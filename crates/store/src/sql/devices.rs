//! Devices.

use async_trait::async_trait;
use domain::{
    Device, DeviceFilter, DeviceId, DeviceName, EnrollmentId, Error, HeldDevice, PAGE_LIMIT, Page, Result,
    TenantId, Thing, UserId, ports::Devices,
};
use sqlx::{QueryBuilder, query};
use uuid::Uuid;

use super::{
    super::{OTHERS_WRITE, bulk},
    Query, Row, Tx,
    rows::{get, json, maybe_time, time},
};

macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "SELECT id, enrollment, key, user_id, external_id, managed, wiped, profile_removed, quarantined, enrolled_at,
                 last_contact, facts,
                 (SELECT c.unlock_token IS NOT NULL FROM channels c WHERE c.tenant = devices.tenant
                     AND c.enrollment = devices.enrollment AND c.channel = '') AS unlockable
             FROM devices ",
            $($rest)*
        )
    };
}

macro_rules! matching {
    () => {
        "WHERE tenant = $1 AND ($2 IS NULL OR managed = $2) AND ($3 IS NULL OR wiped = $3)
         AND ($4 IS NULL OR last_contact >= $4) AND ($5 IS NULL OR last_contact <= $5)
         AND ($6 IS NULL OR located_at >= $6) AND ($7 IS NULL OR located_at <= $7) "
    };
}

const HELD: &str = concat!(
    "SELECT id, enrollment, managed, quarantined, facts FROM devices WHERE tenant = $1 AND id",
    among_ids!("$2"),
    " ORDER BY id",
);

const CLASH: &str = "another device has this key or external id";

#[async_trait]
impl Devices for Tx {
    async fn add_device(&mut self, device: &Device) -> Result<()> {
        let insert = query(
            "INSERT INTO devices (tenant, id, enrollment, key, user_id, external_id, managed, wiped, profile_removed,
                 quarantined, enrolled_at, serial_number, located_at, facts, last_contact)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        );
        let insert =
            bind_device(insert.bind(self.tenant.0), device)?.bind(device.last_contact.map(|at| at.0));
        self.open.add(insert, CLASH).await?;
        self.set_imeis(device).await
    }

    async fn set_device(&mut self, device: &Device) -> Result<()> {
        let update = query(
            "UPDATE devices SET enrollment = $3, key = $4, user_id = $5, external_id = $6, managed = $7, wiped = $8,
                 profile_removed = $9, quarantined = $10, enrolled_at = $11, serial_number = $12, located_at = $13,
                 facts = $14
             WHERE tenant = $1 AND id = $2",
        );
        let update = bind_device(update.bind(self.tenant.0), device)?;
        if self.open.add(update, CLASH).await? == 0 {
            return Err(Error::NotFound(Thing::Device));
        }
        self.set_imeis(device).await
    }

    async fn device_for_update(&mut self, id: DeviceId) -> Result<Option<Device>> {
        Ok(self.devices_for_update(&[id]).await?.pop())
    }

    async fn device_for_removal(&mut self, id: DeviceId) -> Result<Option<Device>> {
        self.lock_all_enrollments(id).await?;
        self.device_for_update(id).await
    }

    async fn device_named(&mut self, name: &DeviceName) -> Result<Option<Device>> {
        let select = named(self.tenant, name);
        self.open.one(select).await?.map(|row| device(&row)).transpose()
    }

    async fn device_of_user(&mut self, owner: UserId, name: &DeviceName) -> Result<Option<Device>> {
        let select = named_of_user(self.tenant, owner, name);
        self.open.one(select).await?.map(|row| device(&row)).transpose()
    }

    async fn find_devices(&mut self, names: &[DeviceName]) -> Result<Vec<Option<DeviceId>>> {
        self.find(names).await
    }

    async fn devices_for_update(&mut self, ids: &[DeviceId]) -> Result<Vec<Device>> {
        let select = select!("WHERE tenant = $1 AND id", among_ids!("$2"), " ORDER BY id", for_update!());
        self.read_held(ids, select, device, |device| device.enrollment).await
    }

    async fn hold_devices(&mut self, ids: &[DeviceId]) -> Result<Vec<HeldDevice>> {
        self.read_held(ids, HELD, held, |device| device.enrollment).await
    }

    async fn device_by_key(&mut self, key: &str) -> Result<Option<Device>> {
        let find = query("SELECT id FROM devices WHERE tenant = $1 AND key = $2 AND NOT quarantined");
        let Some(row) = self.open.one(find.bind(self.tenant.0).bind(key)).await? else { return Ok(None) };
        let found = self.device_for_update(DeviceId(get(&row, "id")?)).await?;
        // It may have become another one's before it was locked.
        Ok(found.filter(|device| device.key == key && !device.quarantined))
    }

    async fn device_by_external_id(&mut self, id: &str) -> Result<Option<DeviceId>> {
        let select = query("SELECT id FROM devices WHERE tenant = $1 AND external_id = $2")
            .bind(self.tenant.0)
            .bind(id);
        self.open.one(select).await?.map(|row| get(&row, "id").map(DeviceId)).transpose()
    }

    async fn devices(&mut self, filter: &DeviceFilter, page: Page) -> Result<Vec<Device>> {
        let select = listed(self.tenant, filter, page);
        self.open.all(select).await?.iter().map(device).collect()
    }

    async fn count_devices(&mut self, filter: &DeviceFilter) -> Result<u64> {
        let row = self.open.one(counted(self.tenant, filter)).await?;
        let count = row.map_or(Ok(0), |row| get::<i64>(&row, "matching"))?;
        u64::try_from(count).map_err(Error::internal)
    }

    async fn discard_quarantined(&mut self, id: DeviceId) -> Result<()> {
        self.discard(id).await
    }

    async fn remove_device(&mut self, id: DeviceId) -> Result<()> {
        self.remove(id).await
    }
}

impl Tx {
    /// What `select` finds of these devices, the enrollment that each of them has locked. It can be another one than was
    /// seen when they were locked: whoever waits for the one before gets it when the device has the next. Then all are
    /// given back and locked again, so that those of the devices behind it are not kept while this waits for the next.
    async fn read_held<T>(
        &mut self,
        ids: &[DeviceId],
        select: &'static str,
        read: fn(&Row) -> Result<T>,
        enrollment: fn(&T) -> EnrollmentId,
    ) -> Result<Vec<T>> {
        let gives_back = OTHERS_WRITE && ids.len() > 1;
        if gives_back {
            self.open.run(query("SAVEPOINT unlocked")).await?;
        }
        let mut before = None;
        loop {
            let locked = self.lock_enrollments(ids).await?;
            let rows = self.open.all(query(select).bind(self.tenant.0).bind(bulk::ids(ids))).await?;
            let found: Vec<T> = rows.iter().map(read).collect::<Result<_>>()?;
            let all = found.iter().all(|device| locked.contains(&enrollment(device)));
            // Where nothing changed it will not by itself.
            if !OTHERS_WRITE || all || before.as_ref() == Some(&locked) {
                return Ok(found);
            }
            before = Some(locked);
            if gives_back {
                self.open.run(query("ROLLBACK TO SAVEPOINT unlocked")).await?;
            }
        }
    }

    async fn set_imeis(&mut self, device: &Device) -> Result<()> {
        let forget = query("DELETE FROM device_imeis WHERE tenant = $1 AND device = $2")
            .bind(self.tenant.0)
            .bind(device.id.0);
        self.open.run(forget).await?;
        if device.facts.imeis.is_empty() {
            return Ok(());
        }
        let mut insert = QueryBuilder::new("INSERT INTO device_imeis (tenant, imei, device) ");
        insert.push_values(&device.facts.imeis, |mut row, imei| {
            row.push_bind(self.tenant.0).push_bind(imei).push_bind(device.id.0);
        });
        insert.push(" ON CONFLICT DO NOTHING");
        self.open.run(insert.build()).await?;
        Ok(())
    }
}

/// The statement that finds a device by a name.
pub(super) fn named(tenant: TenantId, name: &DeviceName) -> Query<'_> {
    match name {
        DeviceName::Id(id) => query(select!("WHERE tenant = $1 AND id = $2")).bind(tenant.0).bind(id.0),
        DeviceName::Imei(imei) => query(select!(
            "WHERE tenant = $1 AND id IN (SELECT device FROM device_imeis WHERE tenant = $1 AND imei = $2)
             ORDER BY managed DESC, enrolled_at DESC, id DESC LIMIT 1"
        ))
        .bind(tenant.0)
        .bind(imei),
        DeviceName::SerialNumber(serial_number) => query(select!(
            "WHERE tenant = $1 AND serial_number = $2 ORDER BY managed DESC, enrolled_at DESC, id DESC LIMIT 1"
        ))
        .bind(tenant.0)
        .bind(serial_number),
        DeviceName::Udid(key) => {
            query(select!("WHERE tenant = $1 AND key = $2 AND NOT quarantined")).bind(tenant.0).bind(key)
        }
    }
}

/// The statement that finds a user's device by a name.
pub(super) fn named_of_user(tenant: TenantId, owner: UserId, name: &DeviceName) -> Query<'_> {
    match name {
        DeviceName::Id(id) => query(select!("WHERE tenant = $1 AND user_id = $2 AND id = $3"))
            .bind(tenant.0)
            .bind(owner.0)
            .bind(id.0),
        DeviceName::Imei(imei) => query(select!(
            "WHERE tenant = $1 AND user_id = $2
                 AND id IN (SELECT device FROM device_imeis WHERE tenant = $1 AND imei = $3)
             ORDER BY managed DESC, enrolled_at DESC, id DESC LIMIT 1"
        ))
        .bind(tenant.0)
        .bind(owner.0)
        .bind(imei),
        DeviceName::SerialNumber(serial_number) => query(select!(
            "WHERE tenant = $1 AND user_id = $2 AND serial_number = $3
             ORDER BY managed DESC, enrolled_at DESC, id DESC LIMIT 1"
        ))
        .bind(tenant.0)
        .bind(owner.0)
        .bind(serial_number),
        DeviceName::Udid(key) => {
            query(select!("WHERE tenant = $1 AND user_id = $2 AND key = $3 AND NOT quarantined"))
                .bind(tenant.0)
                .bind(owner.0)
                .bind(key)
        }
    }
}

/// The statement that reads a page. A user's few devices are found by their index, so that they have one of their own.
pub(super) fn listed<'q>(tenant: TenantId, filter: &DeviceFilter, page: Page) -> Query<'q> {
    let select = query(match filter.owner {
        None => select!(matching!(), "AND id > $8 ORDER BY id LIMIT $9 OFFSET $10"),
        Some(_) => select!(matching!(), "AND user_id = $11 AND id > $8 ORDER BY id LIMIT $9 OFFSET $10"),
    });
    let select = bind_filter(select.bind(tenant.0), filter)
        .bind(page.after.map_or(Uuid::nil(), |id| id.0))
        .bind(i64::from(page.limit.min(PAGE_LIMIT)))
        .bind(i64::try_from(page.skip).unwrap_or(i64::MAX));
    match filter.owner {
        None => select,
        Some(owner) => select.bind(owner.0),
    }
}

/// The statement that counts what [`listed`] reads page by page.
pub(super) fn counted<'q>(tenant: TenantId, filter: &DeviceFilter) -> Query<'q> {
    let select = query(match filter.owner {
        None => concat!("SELECT count(*) AS matching FROM devices ", matching!()),
        Some(_) => concat!("SELECT count(*) AS matching FROM devices ", matching!(), "AND user_id = $8"),
    });
    let select = bind_filter(select.bind(tenant.0), filter);
    match filter.owner {
        None => select,
        Some(owner) => select.bind(owner.0),
    }
}

/// Binds `$2` to `$14`.
fn bind_device<'q>(query: Query<'q>, device: &'q Device) -> Result<Query<'q>> {
    let facts = serde_json::to_string(&device.facts).map_err(Error::internal)?;
    Ok(query
        .bind(device.id.0)
        .bind(device.enrollment.0)
        .bind(&device.key)
        .bind(device.user.map(|id| id.0))
        .bind(&device.external_id)
        .bind(device.managed)
        .bind(device.wiped)
        .bind(device.profile_removed)
        .bind(device.quarantined)
        .bind(device.enrolled_at.0)
        .bind(&device.facts.serial_number)
        .bind(device.facts.location.map(|location| location.at.0))
        .bind(facts))
}

/// Binds `$2` to `$7`.
fn bind_filter<'q>(query: Query<'q>, filter: &DeviceFilter) -> Query<'q> {
    query
        .bind(filter.managed)
        .bind(filter.wiped)
        .bind(filter.last_contact.from.map(|at| at.0))
        .bind(filter.last_contact.to.map(|at| at.0))
        .bind(filter.located.from.map(|at| at.0))
        .bind(filter.located.to.map(|at| at.0))
}

fn device(row: &Row) -> Result<Device> {
    Ok(Device {
        id: DeviceId(get(row, "id")?),
        enrollment: EnrollmentId(get(row, "enrollment")?),
        key: get(row, "key")?,
        user: get::<Option<_>>(row, "user_id")?.map(UserId),
        external_id: get(row, "external_id")?,
        managed: get(row, "managed")?,
        wiped: get(row, "wiped")?,
        profile_removed: get(row, "profile_removed")?,
        quarantined: get(row, "quarantined")?,
        enrolled_at: time(row, "enrolled_at")?,
        last_contact: maybe_time(row, "last_contact")?,
        unlockable: get::<Option<_>>(row, "unlockable")?.unwrap_or_default(),
        facts: json(row, "facts")?,
    })
}

fn held(row: &Row) -> Result<HeldDevice> {
    Ok(HeldDevice {
        id: DeviceId(get(row, "id")?),
        enrollment: EnrollmentId(get(row, "enrollment")?),
        managed: get(row, "managed")?,
        quarantined: get(row, "quarantined")?,
        facts: json(row, "facts")?,
    })
}
