//! Sealed values, wherever they are.

use async_trait::async_trait;
use domain::{
    Result,
    ports::{SealedKey, SealedPlace, SealedValue, Seals},
};
use sqlx::query;
use uuid::Uuid;

use super::{Backend, Row, rows::get};

/// The statements of one place. `SELECT`: $1 the version, $2 how many, then the key behind which; `UPDATE`: $1 the new
/// bytes, $2 the old ones, then the key.
struct Statements {
    select: &'static str,
    update: &'static str,
    key: Key,
}

/// Which parts of a [`SealedKey`] the place has.
#[derive(Clone, Copy)]
enum Key {
    /// Tenant, id and name.
    Channel,
    /// Tenant, device and id.
    Device,
    /// The tenant alone.
    Tenant,
    /// The name alone.
    Name,
}

/// A value's version is its first four bytes.
macro_rules! statements {
    ($key:expr, $table:literal, $column:literal, $keys:literal, $behind:literal, $where:literal, $is:literal) => {
        Statements {
            select: concat!(
                "SELECT ",
                $keys,
                ", ",
                $column,
                " AS sealed_value FROM ",
                $table,
                " WHERE ",
                $behind,
                " AND ",
                $where,
                " AND ",
                $column,
                " IS NOT NULL AND substr(",
                $column,
                ", 1, 4) <> $1 ORDER BY ",
                $keys,
                " LIMIT $2"
            ),
            update: concat!("UPDATE ", $table, " SET ", $column, " = $1 WHERE ", $column, " = $2 AND ", $is),
            key: $key,
        }
    };
}

/// Those of a table with one row for each tenant.
macro_rules! of_tenant {
    ($table:literal, $column:literal) => {
        statements!(Key::Tenant, $table, $column, "tenant", "tenant > $3", "1 = 1", "tenant = $3")
    };
}

fn statements(place: SealedPlace) -> Statements {
    match place {
        SealedPlace::UnlockTokens => statements!(
            Key::Channel,
            "channels",
            "unlock_token",
            "tenant, enrollment, channel",
            "(tenant, enrollment, channel) > ($3, $4, $5)",
            "1 = 1",
            "tenant = $3 AND enrollment = $4 AND channel = $5"
        ),
        SealedPlace::BootstrapTokens => statements!(
            Key::Channel,
            "channels",
            "bootstrap_token",
            "tenant, enrollment, channel",
            "(tenant, enrollment, channel) > ($3, $4, $5)",
            "1 = 1",
            "tenant = $3 AND enrollment = $4 AND channel = $5"
        ),
        SealedPlace::Escrow => statements!(
            Key::Device,
            "escrow",
            "sealed",
            "tenant, device, id",
            "(tenant, device, id) > ($3, $4, $5)",
            "1 = 1",
            "tenant = $3 AND device = $4 AND id = $5"
        ),
        SealedPlace::Commands => statements!(
            Key::Device,
            "commands",
            "payload",
            "tenant, device, id",
            "(tenant, device, id) > ($3, $4, $5)",
            "sealed",
            "tenant = $3 AND device = $4 AND id = $5"
        ),
        SealedPlace::Results => statements!(
            Key::Device,
            "commands",
            "result",
            "tenant, device, id",
            "(tenant, device, id) > ($3, $4, $5)",
            "result_sealed",
            "tenant = $3 AND device = $4 AND id = $5"
        ),
        SealedPlace::PushCertificates => of_tenant!("push_certificates", "sealed_key"),
        SealedPlace::PushRequests => of_tenant!("push_request_keys", "sealed"),
        SealedPlace::AndroidAccounts => of_tenant!("android_enterprises", "sealed_account"),
        SealedPlace::Installation => {
            statements!(Key::Name, "installation", "value", "name", "name > $3", "1 = 1", "name = $3")
        }
    }
}

#[async_trait]
impl Seals for Backend {
    async fn sealed_otherwise(
        &self,
        place: SealedPlace,
        version: u32,
        after: &SealedKey,
        limit: u32,
    ) -> Result<Vec<SealedValue>> {
        let Statements { select, key, .. } = statements(place);
        let select = query(select).bind(version.to_be_bytes().to_vec()).bind(i64::from(limit));
        let rows = self.all(bound(select, key, after)).await?;
        rows.iter()
            .map(|row| Ok(SealedValue { key: read(key, row)?, sealed: get(row, "sealed_value")? }))
            .collect()
    }

    async fn replace_sealed(&self, place: SealedPlace, values: &[(SealedValue, Vec<u8>)]) -> Result<u64> {
        let Statements { update, key, .. } = statements(place);
        let mut open = self.write().await?;
        let mut replaced = 0;
        for (value, anew) in values {
            let update = query(update).bind(anew).bind(&value.sealed);
            replaced += open.run(bound(update, key, &value.key)).await?;
        }
        open.commit().await?;
        Ok(replaced)
    }
}

/// Binds the parts of a key, from $3 on.
fn bound<'q>(query: super::Query<'q>, parts: Key, key: &'q SealedKey) -> super::Query<'q> {
    match parts {
        Key::Channel => query.bind(key.tenant).bind(key.id).bind(&key.name),
        Key::Device => query.bind(key.tenant).bind(key.device).bind(key.id),
        Key::Tenant => query.bind(key.tenant),
        Key::Name => query.bind(&key.name),
    }
}

fn read(parts: Key, row: &Row) -> Result<SealedKey> {
    let id = |column| get::<Uuid>(row, column);
    Ok(match parts {
        Key::Channel => SealedKey {
            tenant: id("tenant")?,
            id: id("enrollment")?,
            name: get(row, "channel")?,
            ..SealedKey::default()
        },
        Key::Device => {
            SealedKey { tenant: id("tenant")?, device: id("device")?, id: id("id")?, ..SealedKey::default() }
        }
        Key::Tenant => SealedKey { tenant: id("tenant")?, ..SealedKey::default() },
        Key::Name => SealedKey { name: get(row, "name")?, ..SealedKey::default() },
    })
}
