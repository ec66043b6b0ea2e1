//! The apps of a device, as it reported them.

use crate::{Actor, DeviceName, Error, Mdm, Platform, Result, Thing};

/// The most apps that are kept of a device; what it reports beyond is passed over.
pub const APP_LIMIT: u32 = 10_000;

/// How a managed app is doing, where it is none: its user has it without us, or did not let us have it.
const NOT_MANAGED: [&str; 5] =
    ["Failed", "ManagementRejected", "Unknown", "UserInstalledApp", "UserRejected"];

/// An app on a device, or on its way there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its bundle identifier: what names it on this device.
    pub id: String,
    /// Whether the device reported it as installed.
    pub installed: bool,
    /// What people call it.
    pub name: Option<String>,
    /// Its short version, or else its build's.
    pub version: Option<String>,
    /// Whether it is from Apple's App Store; Macs do not say.
    pub from_store: Option<bool>,
    /// Apple's word for how it is doing, such as `Managed` or `Prompting`; `None` for one that we never managed.
    pub status: Option<String>,
}

/// An app of an `InstalledApplicationList`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledApp {
    /// Its bundle identifier.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// Its short version, or else its build's.
    pub version: Option<String>,
    /// `AppStoreVendable`.
    pub from_store: Option<bool>,
}

/// An app of a `ManagedApplicationList`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedApp {
    /// Its bundle identifier.
    pub id: String,
    /// `Status`, in Apple's word.
    pub status: String,
}

/// Where in a list of apps to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppPage {
    /// How many to pass over.
    pub skip: u64,
    /// How many to read, at most [`APP_LIMIT`]: all that there are.
    pub limit: u32,
}

/// One page of a device's apps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppList {
    /// What the device is.
    pub platform: Option<Platform>,
    /// Those of this page, by id.
    pub apps: Vec<App>,
    /// How many there are in all.
    pub total: u64,
}

/// An app, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppView {
    /// What the device is.
    pub platform: Option<Platform>,
    /// The app.
    pub app: App,
}

impl App {
    /// Whether we manage it.
    pub fn is_managed(&self) -> bool {
        self.status.as_deref().is_some_and(|status| !NOT_MANAGED.contains(&status))
    }
}

impl Mdm {
    /// One page of the apps that a device last reported, in the order of their ids.
    pub async fn apps(&self, actor: &Actor, device: &DeviceName, page: AppPage) -> Result<AppList> {
        let device = self.device(actor, device).await?.device;
        let mut tx = self.store.read(actor.tenant).await?;
        let page = AppPage { limit: page.limit.min(APP_LIMIT), ..page };
        Ok(AppList {
            platform: device.facts.platform,
            apps: tx.apps(device.id, page).await?,
            total: tx.count_apps(device.id).await?,
        })
    }

    /// One of the apps that a device last reported.
    pub async fn app(&self, actor: &Actor, device: &DeviceName, id: &str) -> Result<AppView> {
        let device = self.device(actor, device).await?.device;
        let app = self.store.read(actor.tenant).await?.app(device.id, id).await?;
        Ok(AppView { platform: device.facts.platform, app: app.ok_or(Error::NotFound(Thing::App))? })
    }
}
