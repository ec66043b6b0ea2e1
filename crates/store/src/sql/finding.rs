//! Many devices at once, by the names that people give them.

use std::collections::HashMap;

use domain::{DeviceId, DeviceName, Result};
use sqlx::query;

use super::{super::bulk, Tx, rows::get};

const BY_ID: &str = concat!("SELECT id FROM devices WHERE tenant = $1 AND id", among_ids!("$2"));

const BY_KEY: &str = concat!(
    "SELECT id, key AS name FROM devices WHERE tenant = $1 AND NOT quarantined AND key",
    among_texts!("$2")
);

/// The one that counts comes last.
const BY_SERIAL: &str = concat!(
    "SELECT id, serial_number AS name FROM devices WHERE tenant = $1 AND serial_number",
    among_texts!("$2"),
    " ORDER BY managed, enrolled_at, id"
);

impl Tx {
    pub(super) async fn find(&mut self, names: &[DeviceName]) -> Result<Vec<Option<DeviceId>>> {
        let (mut ids, mut keys, mut serials) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            match name {
                DeviceName::Id(id) => ids.push(*id),
                DeviceName::Udid(key) => keys.push(key.as_str()),
                DeviceName::SerialNumber(serial) => serials.push(serial.as_str()),
                DeviceName::Imei(_) => {}
            }
        }
        let known = self.known_ids(&ids).await?;
        let keys = self.by_text(BY_KEY, &keys).await?;
        let serials = self.by_text(BY_SERIAL, &serials).await?;
        let found = names.iter().map(|name| match name {
            DeviceName::Id(id) => known.get(id).copied(),
            DeviceName::Udid(key) => keys.get(key).copied(),
            DeviceName::SerialNumber(serial) => serials.get(serial).copied(),
            DeviceName::Imei(_) => None,
        });
        Ok(found.collect())
    }

    async fn known_ids(&mut self, ids: &[DeviceId]) -> Result<HashMap<DeviceId, DeviceId>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.open.all(query(BY_ID).bind(self.tenant.0).bind(bulk::ids(ids))).await?;
        rows.iter().map(|row| get(row, "id").map(|id| (DeviceId(id), DeviceId(id)))).collect()
    }

    async fn by_text(&mut self, select: &'static str, names: &[&str]) -> Result<HashMap<String, DeviceId>> {
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.open.all(query(select).bind(self.tenant.0).bind(bulk::texts(names))).await?;
        rows.iter().map(|row| Ok((get(row, "name")?, DeviceId(get(row, "id")?)))).collect()
    }
}
