//! What goes with a device.

use domain::{DeviceId, Result};
use sqlx::query;

use super::{super::OTHERS_WRITE, Tx};

/// The device's enrollments; also those that ended, held its key, and belong to a record that is gone (a claim that was
/// rejected, for example), since they name the device as well.
macro_rules! doomed {
    ($columns:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM enrollments WHERE tenant = $1 AND device = $2
             UNION SELECT ",
            $columns,
            " FROM enrollments e WHERE tenant = $1 AND state = 4
                 AND key = (SELECT key FROM devices WHERE tenant = $1 AND id = $2)
                 AND NOT EXISTS (SELECT 1 FROM devices d WHERE d.tenant = e.tenant AND d.id = e.device)"
        )
    };
}

/// All enrollments that are changed with a device, also those that wish to take it over.
const TOUCHED: &str = lock_in_order!(
    doomed!("device, id"),
    " UNION SELECT device, id FROM enrollments WHERE tenant = $1 AND wanted_device = $2"
);

/// In this order: what later statements look up goes last; and commands before pushes, as by who wakes for a command. Before
/// these, the device is struck off lists, as who makes pushes of a list takes that first.
const REMOVE: [&str; 17] = [
    // The wish to take over a record that is gone; what wished it may enroll as a device of its own.
    "UPDATE enrollments SET wanted_device = NULL WHERE tenant = $1 AND wanted_device = $2",
    concat!("DELETE FROM certificates WHERE tenant = $1 AND enrollment IN (", doomed!("id"), ")"),
    concat!("DELETE FROM channels WHERE tenant = $1 AND enrollment IN (", doomed!("id"), ")"),
    "DELETE FROM channels WHERE tenant = $1 AND device = $2",
    "DELETE FROM outcomes WHERE tenant = $1 AND device = $2",
    "DELETE FROM commands WHERE tenant = $1 AND device = $2",
    "DELETE FROM pushes WHERE tenant = $1 AND device = $2",
    "DELETE FROM escrow WHERE tenant = $1 AND device = $2",
    "DELETE FROM audit WHERE tenant = $1 AND device = $2",
    "DELETE FROM android_calls WHERE tenant = $1 AND device = $2",
    "DELETE FROM android_listed WHERE tenant = $1 AND device = $2",
    "DELETE FROM android_notifications WHERE tenant = $1 AND resource IN (
         SELECT key FROM devices WHERE tenant = $1 AND id = $2
         UNION SELECT key FROM enrollments WHERE tenant = $1 AND device = $2)",
    "DELETE FROM enrollment_links WHERE tenant = $1 AND device = $2",
    concat!("DELETE FROM enrollments WHERE tenant = $1 AND id IN (", doomed!("id"), ")"),
    "DELETE FROM device_imeis WHERE tenant = $1 AND device = $2",
    "DELETE FROM apps WHERE tenant = $1 AND device = $2",
    "DELETE FROM devices WHERE tenant = $1 AND id = $2",
];

const DISCARD: [&str; 3] = [
    "DELETE FROM channels WHERE tenant = $1 AND device = $2
         AND EXISTS (SELECT 1 FROM devices WHERE tenant = $1 AND id = $2 AND quarantined)",
    "DELETE FROM device_imeis WHERE tenant = $1 AND device = $2
         AND EXISTS (SELECT 1 FROM devices WHERE tenant = $1 AND id = $2 AND quarantined)",
    "DELETE FROM devices WHERE tenant = $1 AND id = $2 AND quarantined",
];

impl Tx {
    /// Locks the enrollments that go with a device, those that are over too.
    pub(super) async fn lock_all_enrollments(&mut self, id: DeviceId) -> Result<()> {
        if OTHERS_WRITE { self.run_all(&[TOUCHED], id).await } else { Ok(()) }
    }

    pub(super) async fn remove(&mut self, id: DeviceId) -> Result<()> {
        self.lock_all_enrollments(id).await?;
        self.strike_off_lists(id).await?;
        self.run_all(&REMOVE, id).await
    }

    pub(super) async fn discard(&mut self, id: DeviceId) -> Result<()> {
        self.run_all(&DISCARD, id).await
    }

    async fn run_all(&mut self, statements: &[&'static str], id: DeviceId) -> Result<()> {
        for statement in statements {
            self.open.run(query(*statement).bind(self.tenant.0).bind(id.0)).await?;
        }
        Ok(())
    }
}
