//! Pushes to many devices at one time, which are a list until then: whoever sends a command to a fleet need not write a
//! row for each.

use domain::{
    ChannelKey, DeviceId, Error, Result, TenantId, Timestamp,
    ports::{PushJob, PushTarget},
};
use sqlx::query;
use uuid::Uuid;

use super::{
    super::{bulk, pushes},
    Backend, Open, Query, Row, Tx,
    outbox::job,
    rows::{get, time},
};

/// The most devices of one list.
const LONGEST: usize = 1000;

/// Of an id, bytes.
const ID: usize = 16;

const ADD: &str = "INSERT INTO push_lists (tenant, due_at, devices) VALUES ($1, $2, $3)";

const NAMING: &str = concat!(
    "SELECT seq, devices FROM push_lists WHERE tenant = $1 AND ",
    names_device!("$2"),
    " ORDER BY seq",
    for_update!()
);

/// What is due first, and what is due next as far as $3 devices have room on lists as long as that.
const DUE: &str = concat!(
    "SELECT tenant, seq, due_at, devices FROM push_lists WHERE due_at <= $1 AND NOT tenant",
    among_ids!("$2"),
    " ORDER BY due_at, seq LIMIT 1 + COALESCE((
         SELECT $3 * 16 / length(devices) FROM push_lists WHERE due_at <= $1 AND NOT tenant",
    among_ids!("$2"),
    " ORDER BY due_at, seq LIMIT 1), 0)",
    skip_locked!()
);

const END: &str = concat!("DELETE FROM push_lists WHERE tenant = $1 AND seq", among_numbers!("$2"));

/// A list as it is stored.
struct List {
    tenant: TenantId,
    seq: i64,
    due: Timestamp,
    devices: Vec<DeviceId>,
}

impl Tx {
    /// Notes that these devices are to be woken at `due`.
    pub(super) async fn list_pushes(&mut self, devices: &[DeviceId], due: Timestamp) -> Result<()> {
        for devices in devices.chunks(LONGEST) {
            let add = query(ADD).bind(self.tenant.0).bind(due.0).bind(bytes(devices));
            self.open.run(add).await?;
        }
        Ok(())
    }

    /// Takes a device off all lists. They come before pushes, as by who makes pushes of a list.
    pub(super) async fn strike_off_lists(&mut self, device: DeviceId) -> Result<()> {
        let naming = query(NAMING).bind(self.tenant.0).bind(device.0);
        for list in self.open.all(naming).await? {
            let mut devices = devices(get(&list, "devices")?)?;
            devices.retain(|listed| *listed != device);
            self.open.set_list(self.tenant, get(&list, "seq")?, &devices).await?;
        }
        Ok(())
    }
}

impl Backend {
    /// Adds pushes to the devices of lists that are due, claimed until `until`, as long as there are fewer jobs than
    /// `limit`. What is taken up together is a transaction, which holds no other pushes: those who wait for some of these may
    /// have others.
    ///
    /// # Errors
    /// What was added before is claimed.
    pub(super) async fn claim_listed(
        &self,
        (now, until): (Timestamp, Timestamp),
        limit: u32,
        except: &[TenantId],
        jobs: &mut Vec<PushJob>,
    ) -> Result<()> {
        let limit = usize::try_from(limit).map_err(Error::internal)?;
        while jobs.len() < limit {
            let mut open = self.write().await?;
            let Some(some) = open.take_listed((now, until), limit - jobs.len(), except).await? else { break };
            open.commit().await?;
            jobs.extend(some);
        }
        Ok(())
    }
}

impl Open {
    /// Makes pushes to the first devices of what is due first, `limit` at most, of one tenant; `None` where nothing is.
    async fn take_listed(
        &mut self,
        (now, until): (Timestamp, Timestamp),
        limit: usize,
        except: &[TenantId],
    ) -> Result<Option<Vec<PushJob>>> {
        let room = i64::try_from(limit).map_err(Error::internal)?;
        let select = query(DUE).bind(now.0).bind(pushes::tenants(except)).bind(room);
        let mut lists = self.all(select).await?.iter().map(list).collect::<Result<Vec<_>>>()?;
        let Some(&List { tenant, due, .. }) = lists.first() else { return Ok(None) };
        lists.retain(|list| list.tenant == tenant);
        let devices = self.take_up(tenant, lists, limit).await?;
        let mut jobs = Vec::new();
        for row in self.all(made(tenant, &devices, due, until)).await? {
            // One that was there before is claimed like any other, when it is due.
            if (get::<i64>(&row, "generation")?, time(&row, "claimed_until")?) == (due.0, until) {
                let (device, channel) = (DeviceId(get(&row, "device")?), ChannelKey(get(&row, "channel")?));
                jobs.extend(job(&row, PushTarget::Channel { device, channel })?);
            }
        }
        Ok(Some(jobs))
    }

    /// Takes the first devices off a tenant's lists, `limit` at most; sorted, and each once.
    async fn take_up(&mut self, tenant: TenantId, lists: Vec<List>, limit: usize) -> Result<Vec<DeviceId>> {
        let (mut taken, mut ended) = (Vec::new(), Vec::new());
        for mut list in lists {
            let room = limit - taken.len();
            if room < list.devices.len() {
                let rest = list.devices.split_off(room);
                if room > 0 {
                    self.set_list(tenant, list.seq, &rest).await?;
                }
                taken.append(&mut list.devices);
                break;
            }
            taken.append(&mut list.devices);
            ended.push(list.seq);
        }
        self.run(query(END).bind(tenant.0).bind(bulk::numbers(&ended))).await?;
        taken.sort_unstable();
        taken.dedup();
        Ok(taken)
    }

    /// What is left of a list; it goes with its last device.
    async fn set_list(&mut self, tenant: TenantId, seq: i64, devices: &[DeviceId]) -> Result<()> {
        let set = match devices {
            [] => query("DELETE FROM push_lists WHERE tenant = $1 AND seq = $2").bind(tenant.0).bind(seq),
            _ => query("UPDATE push_lists SET devices = $3 WHERE tenant = $1 AND seq = $2")
                .bind(tenant.0)
                .bind(seq)
                .bind(bytes(devices)),
        };
        self.run(set).await?;
        Ok(())
    }
}

fn list(row: &Row) -> Result<List> {
    Ok(List {
        tenant: TenantId(get(row, "tenant")?),
        seq: get(row, "seq")?,
        due: time(row, "due_at")?,
        devices: devices(get(row, "devices")?)?,
    })
}

/// What makes pushes of listed devices, claimed until `until`.
pub(super) fn made(
    tenant: TenantId,
    devices: &[DeviceId],
    due: Timestamp,
    until: Timestamp,
) -> Query<'static> {
    query(pushes::MAKE).bind(tenant.0).bind(bulk::ids(devices)).bind(due.0).bind(until.0)
}

fn bytes(devices: &[DeviceId]) -> Vec<u8> {
    devices.iter().flat_map(|device| device.0.into_bytes()).collect()
}

fn devices(bytes: &[u8]) -> Result<Vec<DeviceId>> {
    let (ids, rest) = bytes.as_chunks::<ID>();
    if !rest.is_empty() {
        return Err(Error::internal("a list of pushes ends in the middle of an id"));
    }
    Ok(ids.iter().map(|id| DeviceId(Uuid::from_bytes(*id))).collect())
}
