//! How an enrollment ends by what its device did.

use serde_json::json;

use super::parting::Evidence;
use crate::{Device, Enrollment, EnrollmentState, Event, Mdm, Result, ports::Tx};

/// What a device did that ended its enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// It said `CheckOut`: its profile was removed, by us or by its user.
    CheckedOut,
    /// It acknowledged that it removed the profile.
    ProfileRemoved,
    /// It acknowledged that it erases itself.
    Wiped,
}

impl Mdm {
    /// Ends `enrollment`, whose row is locked. Its device is no longer managed; what was queued for it is taken back.
    ///
    /// What is known already changes nothing, so that a result can be applied again.
    pub(crate) async fn leave(
        &self,
        tx: &mut dyn Tx,
        mut enrollment: Enrollment,
        leaving: Leaving,
    ) -> Result<()> {
        if enrollment.state != EnrollmentState::Over {
            enrollment.state = EnrollmentState::Over;
            tx.set_enrollment(&enrollment).await?;
        }
        let Some(mut device) = tx.device_for_update(enrollment.device).await? else { return Ok(()) };
        if device.enrollment != enrollment.id || is_known(&device, leaving) {
            return Ok(());
        }
        let now = self.clock.now();
        if device.quarantined {
            // There is nothing left to decide about it.
            tx.discard_quarantined(device.id).await?;
        } else {
            self.settle_parting(tx, &device, Evidence::CheckedOut, now).await?;
            tx.cancel_commands(device.id, None, now).await?;
            tx.drop_pushes(device.id).await?;
            device.left(leaving);
            tx.set_device(&device).await?;
            forget_apps(tx, &device, leaving).await?;
        }
        let details = json!({ "enrollment": enrollment.id });
        tx.record(&Event::of_device(leaving.event(), device.id, details, now)).await
    }
}

/// With a device that is erased go its apps; with the management those that were managed.
async fn forget_apps(tx: &mut dyn Tx, device: &Device, leaving: Leaving) -> Result<()> {
    if leaving == Leaving::Wiped {
        tx.set_installed_apps(device.id, &[]).await?;
    }
    tx.set_managed_apps(device.id, &[]).await
}

fn is_known(device: &Device, leaving: Leaving) -> bool {
    match leaving {
        Leaving::CheckedOut | Leaving::ProfileRemoved => device.profile_removed,
        Leaving::Wiped => device.wiped,
    }
}

impl Device {
    fn left(&mut self, leaving: Leaving) {
        self.managed = false;
        match leaving {
            Leaving::CheckedOut | Leaving::ProfileRemoved => self.profile_removed = true,
            Leaving::Wiped => {
                self.wiped = true;
                // Apple: erasing a device ends its lost mode.
                self.facts.lost_mode = self.facts.lost_mode.map(|_| false);
            }
        }
    }
}

impl Leaving {
    fn event(self) -> &'static str {
        match self {
            Self::CheckedOut => "device.checked_out",
            Self::ProfileRemoved => "device.profile_removed",
            Self::Wiped => "device.wiped",
        }
    }
}
