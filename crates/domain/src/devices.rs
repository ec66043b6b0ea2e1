//! Devices: one record each, for ever, whatever enrolls on it.

use crate::{Actor, DeviceId, EnrollmentId, Error, Mdm, Result, Role, Thing, Timestamp, UserId, ports::Tx};

pub use facts::{
    AndroidChannel, AndroidFacts, AndroidManagement, EnrollmentKind, Facts, FinderTexts, Location, Platform,
};

mod facts;
mod inventory;

pub(crate) use inventory::{digits, printable};

/// A device and what we know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The enrollment that the record now belongs to.
    pub enrollment: EnrollmentId,
    /// UDID, or the enrollment id of a user enrollment, as the device claims it.
    pub key: String,
    /// Whose it is.
    pub user: Option<UserId>,
    /// The id that an administrator gave it; the lifecycle API finds it by this.
    pub external_id: Option<String>,
    /// Whether it obeys us now.
    pub managed: bool,
    /// Whether it was erased by us and has not come back.
    pub wiped: bool,
    /// Whether its MDM profile was removed.
    pub profile_removed: bool,
    /// Whether it claims another device's identity and waits for an administrator.
    pub quarantined: bool,
    /// When it first enrolled.
    pub enrolled_at: Timestamp,
    /// When it last spoke to us; up to a second late.
    pub last_contact: Option<Timestamp>,
    /// Whether the live enrollment's `UnlockToken` is kept, which clears the passcode; read with the device, never written.
    pub unlockable: bool,
    /// What it reported.
    pub facts: Facts,
}

/// What decides whether a device is sent a command. Its enrollments are locked where several may write, so that it is neither
/// purged nor enrolls anew; what it reports meanwhile is written all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldDevice {
    /// Its id.
    pub id: DeviceId,
    /// The enrollment that the record now belongs to.
    pub enrollment: EnrollmentId,
    /// Whether it obeys us now.
    pub managed: bool,
    /// Whether it waits for an administrator.
    pub quarantined: bool,
    /// What it reported.
    pub facts: Facts,
}

/// How a caller names a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// By its id.
    Id(DeviceId),
    /// By any of its IMEIs, digits only.
    Imei(String),
    /// By its serial number.
    SerialNumber(String),
    /// By its UDID, or its enrollment id where it has none.
    Udid(String),
}

/// Which devices to list; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// Whose; a user's own list always has this.
    pub owner: Option<UserId>,
    /// Managed, or not.
    pub managed: Option<bool>,
    /// Wiped, or not.
    pub wiped: Option<bool>,
    /// Last contact, both ends included.
    pub last_contact: Span,
    /// Time of the last known location, both ends included; a device without one is left out.
    pub located: Span,
}

/// A stretch of time; an open end is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Up to and with this time.
    pub to: Option<Timestamp>,
}

/// Where in a list to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<Id = DeviceId> {
    /// Only ids behind this one.
    pub after: Option<Id>,
    /// How many of those to pass over.
    pub skip: u64,
    /// How many to read, at most 1000.
    pub limit: u32,
}

/// The longest page that the store reads at once.
pub const PAGE_LIMIT: u32 = 1000;

/// A device as it is shown: with the actions that wait for it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    /// The device.
    pub device: Device,
    /// Names of the actions that are queued or sent and not yet answered.
    pub pending: Vec<String>,
}

/// The devices that match, before paging.
#[derive(Clone, Debug, PartialEq)]
pub struct DevicePage {
    /// Those of this page, by id.
    pub devices: Vec<DeviceView>,
    /// How many match in all.
    pub total: u64,
}

impl Mdm {
    /// One device, by whatever name; to a user, one of others does not exist.
    pub async fn device(&self, actor: &Actor, name: &DeviceName) -> Result<DeviceView> {
        let owner = actor.on_devices(Role::Viewer)?;
        let mut tx = self.store.read(actor.tenant).await?;
        let device = match owner {
            Some(owner) => tx.device_of_user(owner, name).await?,
            None => tx.device_named(name).await?,
        };
        let device = device.ok_or(Error::NotFound(Thing::Device))?;
        let pending = tx.pending_actions(device.id, device.id).await?;
        Ok(DeviceView { pending: pending.into_iter().map(|(_, action)| action).collect(), device })
    }

    /// One stretch of the devices that match `filter`, in the order of their ids.
    ///
    /// `page.limit` beyond [`PAGE_LIMIT`] is cut; two queries, however many devices.
    pub async fn devices(&self, actor: &Actor, filter: &DeviceFilter, page: Page) -> Result<Vec<DeviceView>> {
        let filter = visible(actor, filter)?;
        views(&mut *self.store.read(actor.tenant).await?, &filter, page).await
    }

    /// The same, with the number of all that match, counted at the same moment.
    pub async fn device_page(&self, actor: &Actor, filter: &DeviceFilter, page: Page) -> Result<DevicePage> {
        let filter = visible(actor, filter)?;
        let mut tx = self.store.read(actor.tenant).await?;
        Ok(DevicePage {
            devices: views(&mut *tx, &filter, page).await?,
            total: tx.count_devices(&filter).await?,
        })
    }

    /// Gives a device the id under which the lifecycle API finds it; `None` takes it away.
    ///
    /// Unique in the tenant: one that another device has is a conflict.
    pub async fn set_external_id(&self, actor: &Actor, device: DeviceId, id: Option<&str>) -> Result<()> {
        actor.require(Role::Operator)?;
        let mut tx = self.store.begin(actor.tenant).await?;
        let mut device = tx.device_for_update(device).await?.ok_or(Error::NotFound(Thing::Device))?;
        if let Some(id) = id {
            if id.is_empty() || id.len() > 255 {
                return Err(Error::invalid("external id", "1 to 255 bytes"));
            }
            let holder = tx.device_by_external_id(id).await?;
            if holder.is_some_and(|holder| holder != device.id) {
                return Err(Error::Conflict("another device has this external id".into()));
            }
        }
        device.external_id = id.map(str::to_owned);
        tx.set_device(&device).await?;
        tx.commit().await
    }
}

/// `filter`, narrowed down to what `actor` may see.
fn visible(actor: &Actor, filter: &DeviceFilter) -> Result<DeviceFilter> {
    let owner = actor.on_devices(Role::Viewer)?.or(filter.owner);
    Ok(DeviceFilter { owner, ..filter.clone() })
}

async fn views(tx: &mut dyn Tx, filter: &DeviceFilter, page: Page) -> Result<Vec<DeviceView>> {
    let devices = tx.devices(filter, Page { limit: page.limit.min(PAGE_LIMIT), ..page }).await?;
    let mut pending = match (devices.first(), devices.last()) {
        (Some(first), Some(last)) => tx.pending_actions(first.id, last.id).await?,
        _ => Vec::new(),
    };
    pending.sort();
    Ok(devices.into_iter().map(|device| view(device, &pending)).collect())
}

fn view(device: Device, pending: &[(DeviceId, String)]) -> DeviceView {
    let from = pending.partition_point(|(id, _)| *id < device.id);
    let pending =
        pending[from..].iter().take_while(|(id, _)| *id == device.id).map(|(_, name)| name.clone()).collect();
    DeviceView { device, pending }
}

impl Device {
    /// As the lifecycle API names it where nobody gave it an external id.
    pub fn guid(&self) -> String {
        self.id.0.hyphenated().to_string()
    }
}
