//! Purges: devices that are deleted for ever, in the background, in small transactions.

use std::{str::FromStr, time::Duration};

use serde_json::json;
use uuid::Uuid;

use crate::{
    Actor, CertificateState, ChannelKey, Device, DeviceId, DeviceName, Error, Event, Mdm, Platform, PurgeId,
    Result, Role, TenantId, Thing, Timestamp,
    ports::{Farewell, Tombstone, Tx, Worker},
};

/// The most ids of one kind in one request.
pub const PURGE_LIMIT: usize = 500;

/// How long a worker has a purge to itself, from each device on, before another may go on with it.
const CLAIM: Duration = Duration::from_secs(15);

/// How many ids are read at once.
const STRETCH: u32 = 100;

/// A purge job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// Its id.
    pub id: PurgeId,
    /// Who asked, as the audit log writes it.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// How many ids it named.
    pub asked: u32,
    /// What became of them so far.
    pub counts: PurgeCounts,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
}

/// What became of the ids of a purge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PurgeCounts {
    /// Devices that are gone.
    pub purged: u32,
    /// Ids that named no device of the customer.
    pub skipped: u32,
    /// Devices that could not be removed.
    pub failed: u32,
}

/// An id of a purge that is not worked off.
#[derive(Clone, Copy)]
struct OpenId<'n> {
    tenant: TenantId,
    purge: PurgeId,
    is_guid: bool,
    name: &'n str,
}

impl Mdm {
    /// Takes a purge: durable when this returns, carried out by a worker.
    ///
    /// # Errors
    /// [`Error::Invalid`] without any id, or with more than [`PURGE_LIMIT`] of a kind.
    pub async fn ask_purge(
        &self,
        actor: &Actor,
        external_ids: &[String],
        guids: &[String],
    ) -> Result<PurgeId> {
        actor.require(Role::Operator)?;
        let external_ids = distinct("externalIds", external_ids)?;
        let guids = distinct("guids", guids)?;
        if external_ids.is_empty() && guids.is_empty() {
            return Err(Error::invalid("externalIds", "at least one external id or GUID is needed"));
        }
        let now = self.clock.now();
        let purge = Purge {
            id: PurgeId(self.random.id()),
            asked_by: actor.subject.audit_name(),
            asked_at: now,
            asked: u32::try_from(external_ids.len() + guids.len()).unwrap_or(u32::MAX),
            counts: PurgeCounts::default(),
            finished_at: None,
        };
        let mut tx = self.store.begin(actor.tenant).await?;
        tx.add_purge(&purge, &external_ids, &guids).await?;
        let details = json!({ "purge": purge.id, "ids": purge.asked });
        tx.record(&Event::by(actor, "purge.asked", None, details, now)).await?;
        tx.commit().await?;
        self.wake.wake(Worker::Purges);
        Ok(purge.id)
    }

    /// One job.
    pub async fn purge(&self, actor: &Actor, id: PurgeId) -> Result<Purge> {
        actor.require(Role::Viewer)?;
        self.store.read(actor.tenant).await?.purge(id).await?.ok_or(Error::NotFound(Thing::Purge))
    }

    /// The newest jobs, newest first, at most 1000.
    pub async fn purges(&self, actor: &Actor, limit: u32) -> Result<Vec<Purge>> {
        actor.require(Role::Viewer)?;
        self.store.read(actor.tenant).await?.purges(limit.min(1000)).await
    }

    /// Goes on with the purge that waits longest until it is done; whether there was one.
    ///
    /// Each device goes in a transaction of its own together with its place in the job, so that a crash neither skips nor
    /// repeats one.
    pub async fn work_on_purges(&self) -> Result<bool> {
        let now = self.clock.now();
        let Some((tenant, purge)) = self.outbox.claim_purge(now, now.plus(CLAIM)).await? else {
            return Ok(false);
        };
        loop {
            let open = self.store.read(tenant).await?.open_purge_ids(purge, STRETCH).await?;
            if open.is_empty() {
                break;
            }
            for (is_guid, name) in &open {
                let id = OpenId { tenant, purge, is_guid: *is_guid, name };
                match self.purge_one(id).await {
                    Err(error @ Error::Unavailable(_)) => return Err(error),
                    Err(error) => self.give_up(id, &error).await?,
                    Ok(()) => {}
                }
            }
        }
        let mut tx = self.store.begin(tenant).await?;
        tx.finish_purge(purge, self.clock.now()).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn purge_one(&self, id: OpenId<'_>) -> Result<()> {
        let OpenId { tenant, purge, is_guid, name } = id;
        let mut tx = self.store.begin(tenant).await?;
        let counts = match named(&mut *tx, is_guid, name).await? {
            Some(device) => {
                self.remove(&mut *tx, (tenant, purge), &device).await?;
                PurgeCounts { purged: 1, ..PurgeCounts::default() }
            }
            None => PurgeCounts { skipped: 1, ..PurgeCounts::default() },
        };
        tx.finish_purge_id(purge, is_guid, name, counts, self.clock.now().plus(CLAIM)).await?;
        tx.commit().await?;
        self.wake.wake(Worker::Pushes);
        Ok(())
    }

    /// Counts an id as failed: what is broken about one device, and would be tomorrow, must not hold up all the others.
    async fn give_up(&self, id: OpenId<'_>, error: &Error) -> Result<()> {
        let OpenId { tenant, purge, is_guid, name } = id;
        tracing::error!(%purge, id = name, error = error.chain(), "a device could not be purged");
        let failed = PurgeCounts { failed: 1, ..PurgeCounts::default() };
        let mut tx = self.store.begin(tenant).await?;
        tx.finish_purge_id(purge, is_guid, name, failed, self.clock.now().plus(CLAIM)).await?;
        tx.commit().await
    }

    /// Leaves nothing of `device` but tombstones for its certificates and one audit record without personal data.
    async fn remove(
        &self,
        tx: &mut dyn Tx,
        (tenant, purge): (TenantId, PurgeId),
        device: &Device,
    ) -> Result<()> {
        let now = self.clock.now();
        let understands_unrecognized = understands_unrecognized(device);
        let channel = tx.channel(device.enrollment, &ChannelKey::default()).await?;
        let mut farewell = channel
            .map(|channel| Farewell { push_token: channel.push_token, push_magic: channel.push_magic });
        for certificate in tx.certificates(device.enrollment).await? {
            if certificate.not_after < now {
                continue;
            }
            let farewell = if certificate.state == CertificateState::Pinned { farewell.take() } else { None };
            let tombstone = Tombstone {
                fingerprint: certificate.fingerprint,
                tenant,
                expires_at: certificate.not_after,
                understands_unrecognized,
                farewell,
            };
            tx.add_tombstone(&tombstone, now).await?;
        }
        tx.remove_device(device.id).await?;
        self.give_up_at_google(tx, device).await?;
        let details = json!({ "purge": purge });
        tx.record(&Event::of_tenant("device.purged", details, now)).await
    }
}

fn distinct(field: &'static str, names: &[String]) -> Result<Vec<String>> {
    if names.len() > PURGE_LIMIT {
        return Err(Error::invalid(field, format!("at most {PURGE_LIMIT} ids")));
    }
    // PostgreSQL's texts hold no U+0000.
    if names.iter().any(|name| name.is_empty() || name.len() > 255 || name.contains('\0')) {
        return Err(Error::invalid(field, "ids of 1 to 255 bytes, without U+0000"));
    }
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    Ok(names)
}

/// A GUID is the device's id; an external id is the one that was set, or else the GUID.
async fn named(tx: &mut dyn Tx, is_guid: bool, name: &str) -> Result<Option<Device>> {
    if !is_guid && let Some(id) = tx.device_by_external_id(name).await? {
        return locked(tx, id).await;
    }
    let Ok(id) = Uuid::from_str(name) else { return Ok(None) };
    let device = locked(tx, DeviceId(id)).await?;
    Ok(device.filter(|device| is_guid || device.external_id.is_none()))
}

/// The device with its enrollments, all locked, in the order in which check-ins lock them: a certificate that is being
/// issued is then either there to get its tombstone, or will not be issued any more.
async fn locked(tx: &mut dyn Tx, id: DeviceId) -> Result<Option<Device>> {
    let Some(seen) = tx.device_named(&DeviceName::Id(id)).await? else { return Ok(None) };
    let device = tx.device_for_removal(id).await?;
    if device.as_ref().is_some_and(|device| device.enrollment != seen.enrollment) {
        return Err(Error::Unavailable("the device has just enrolled again".into()));
    }
    Ok(device)
}

fn understands_unrecognized(device: &Device) -> bool {
    let version = device.facts.os_version.as_deref().and_then(|text| text.parse().ok());
    let platform = device.facts.platform.and_then(Platform::apple);
    platform.zip(version).is_some_and(|(platform, version)| {
        apple::unrecognized::understands_unrecognized_device(platform, version)
    })
}
