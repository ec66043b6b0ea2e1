//! Pretend devices of a test server; every breach of the protocol that one sees fails the test.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, atomic::Ordering},
};

use domain::{DeviceFilter, DeviceId, Page};
use simulator::{
    apns::PretendApns,
    apple_device::{AppleDevice, DeviceModel, EnrollOptions, KeyPool, PushService},
};

use super::TestServer;

/// A pretend device that this server manages.
pub struct Device {
    device: AppleDevice,
    id: DeviceId,
}

impl TestServer {
    /// An iPhone that enrolled, and has answered what it was asked.
    pub async fn enrolled_iphone(&self) -> Device {
        self.enrolled(DeviceModel::iphone(self.seed())).await
    }

    /// A supervised iPad that enrolled, and has answered what it was asked.
    pub async fn enrolled_ipad(&self) -> Device {
        self.enrolled(DeviceModel::supervised_ipad(self.seed())).await
    }

    /// A Mac that enrolled, and has answered what it was asked.
    pub async fn enrolled_mac(&self) -> Device {
        self.enrolled(DeviceModel::mac(self.seed())).await
    }

    /// A device that enrolled by a link of its own, and has answered what it was asked.
    pub async fn enrolled(&self, model: DeviceModel) -> Device {
        let options = self.options(self.link().await, model);
        let mut device = self.enroll(options).await;
        device.connect().await.expect("a conversation");
        self.settled().await;
        device
    }

    /// A device that enrolled as `options` say, and was told nothing yet.
    pub async fn enroll(&self, options: EnrollOptions) -> Device {
        let device = AppleDevice::enroll(options).await.expect("the device enrolls");
        let id = self.id_of(&device).await.expect("the device is known");
        Device { device, id }
    }

    /// How a device of this server enrolls: by signed messages, its clock the server's, its pushes from the pretend APNs.
    pub fn options(&self, link: String, model: DeviceModel) -> EnrollOptions {
        EnrollOptions::new(link, model, self.clock.as_closure())
            .keys(self.keys.clone())
            .push_service(issuer(&self.apns))
    }

    /// A number that no other device of this server has.
    pub fn seed(&self) -> u64 {
        self.seeds.fetch_add(1, Ordering::Relaxed)
    }

    /// The record that a device has here: the one with its UDID, or enrollment id, that is not in quarantine, else the newest.
    pub async fn id_of(&self, device: &AppleDevice) -> Option<DeviceId> {
        let ids = device.model().identifiers();
        let key = ids.device_key().to_owned();
        let page = Page { after: None, skip: 0, limit: domain::PAGE_LIMIT };
        let page =
            self.mdm().device_page(&self.owner(), &DeviceFilter::default(), page).await.expect("a list");
        let mut found: Vec<_> =
            page.devices.into_iter().map(|view| view.device).filter(|it| it.key == key).collect();
        found.sort_by_key(|device| (device.quarantined, std::cmp::Reverse(device.enrolled_at)));
        found.first().map(|device| device.id)
    }
}

/// The pretend APNs knows every token before the server does, and keeps pushes until the device comes online.
fn issuer(apns: &Arc<PretendApns>) -> PushService {
    let apns = apns.clone();
    Arc::new(move |address| drop(apns.register(&address.token, &address.magic)))
}

impl Device {
    /// Its record here.
    pub fn id(&self) -> DeviceId {
        self.id
    }

    /// Its record here, as the Device API writes it.
    pub fn client_id(&self) -> String {
        self.id.client_id()
    }
}

impl Deref for Device {
    type Target = AppleDevice;

    fn deref(&self) -> &AppleDevice {
        &self.device
    }
}

impl DerefMut for Device {
    fn deref_mut(&mut self) -> &mut AppleDevice {
        &mut self.device
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(
                self.device.breaches().is_empty(),
                "breaches of the protocol: {:?}",
                self.device.breaches()
            );
        }
    }
}

/// Few keys for many devices: making one takes longer than most tests.
pub(super) fn keys() -> KeyPool {
    KeyPool::shared(4)
}
