//! What a test puts into the database, or looks up there, past the protocol and the APIs.

use super::TestServer;
use crate::postgres::TestDatabase;
use domain::{Device, DeviceId, EnrollmentId, Event, Facts, Platform, Timestamp, ports::Tx};

/// The most events that are looked at.
const EVENTS: u32 = 1000;

/// A managed iPhone's record, as if it had enrolled long ago; `number` makes its ids and its serial number.
pub fn record(number: u64) -> Device {
    let id = format!("{:032x}", 0xd000_0000_0000_u64 + number);
    Device {
        id: id.parse().expect("an id"),
        enrollment: id.parse::<EnrollmentId>().expect("an id"),
        key: format!("00008140-{number:016X}"),
        user: None,
        external_id: None,
        managed: true,
        wiped: false,
        profile_removed: false,
        quarantined: false,
        enrolled_at: Timestamp(1_700_000_000_000),
        last_contact: None,
        unlockable: false,
        facts: Facts {
            platform: Some(Platform::Ios),
            serial_number: Some(format!("SERIAL{number:06}")),
            product_name: Some("iPhone17,2".into()),
            os_version: Some("18.1".into()),
            ..Facts::default()
        },
    }
}

impl TestServer {
    /// Adds devices of the test's tenant as the store keeps them: thousands in a moment. None of them is enrolled.
    pub async fn add_records(&self, devices: impl IntoIterator<Item = Device>) {
        let mut tx = self.writing().await;
        for device in devices {
            tx.add_device(&device).await.expect("the device is stored");
        }
        tx.commit().await.expect("the devices are stored");
    }

    /// Changes a device's record behind the server's back.
    pub async fn change_record(&self, device: DeviceId, change: impl FnOnce(&mut Device)) {
        let mut tx = self.writing().await;
        let mut record = tx.device_for_update(device).await.expect("an answer").expect("a device");
        change(&mut record);
        tx.set_device(&record).await.expect("the device is stored");
        tx.commit().await.expect("the device is stored");
    }

    /// The newest events of the audit log, newest first: those of one device, or all.
    pub async fn events(&self, device: Option<DeviceId>) -> Vec<Event> {
        self.records().await.events(device, EVENTS).await.expect("the events")
    }

    /// Whether it is on PostgreSQL, and has a database of its own there.
    pub fn is_on_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// The database of its own that a server on PostgreSQL has.
    pub fn postgres(&self) -> &TestDatabase {
        self.database.as_ref().expect("a server on PostgreSQL")
    }

    async fn writing(&self) -> Box<dyn Tx> {
        self.database().await.store.begin(self.tenant).await.expect("a transaction")
    }
}
