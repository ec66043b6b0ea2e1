//! Devices that live by themselves: in touch soon after they are told something, often while they are lost, and now and
//! then otherwise.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{sleep, timeout};

use super::PretendGoogle;
use super::world::World;

/// How soon a device is in touch after Google has something for it.
const REACTION: Duration = Duration::from_millis(200);

/// How often a lost device tells where it is.
const LOST: Duration = Duration::from_secs(10);

/// How often any other device reports.
const REPORT: Duration = Duration::from_mins(10);

/// How often is looked whose time has come.
const LOOK: Duration = Duration::from_secs(1);

impl PretendGoogle {
    /// Lets the devices live; ends never.
    pub async fn live(&self) {
        let desk = Arc::clone(&self.desk);
        let mut changes = desk.changes();
        loop {
            let due = desk.world(|world| world.due());
            for name in &due {
                self.sync(name);
            }
            changes.mark_unchanged();
            let _ = timeout(LOOK, changes.changed()).await;
            sleep(REACTION).await;
        }
    }
}

impl World {
    /// The devices that are in touch now.
    fn due(&self) -> Vec<String> {
        let now = self.now();
        let since = |at: Option<SystemTime>| {
            at.map_or(Duration::MAX, |at| now.duration_since(at).unwrap_or_default())
        };
        let each = self.hardware.iter();
        let due = each.filter(|(name, hardware)| match self.device(name) {
            Some(device) => {
                let rest = if hardware.is_lost() { LOST } else { REPORT };
                device.operations.values().any(|it| !it.is_done()) || since(hardware.in_touch) >= rest
            }
            None => hardware.to_be_wiped,
        });
        due.map(|(name, _)| name.clone()).collect()
    }
}
