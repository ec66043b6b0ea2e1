//! What the unit tests of this crate share: a device.

use uuid::Uuid;

use crate::{Device, DeviceId, EnrollmentId, Facts, Platform, Timestamp};

/// A managed device of which nothing is known but its system.
pub(crate) fn device(platform: Platform, os_version: &str) -> Device {
    let id = Uuid::from_u128(7);
    Device {
        id: DeviceId(id),
        enrollment: EnrollmentId(id),
        key: "K".into(),
        user: None,
        external_id: None,
        managed: true,
        wiped: false,
        profile_removed: false,
        quarantined: false,
        enrolled_at: Timestamp(0),
        last_contact: None,
        unlockable: false,
        facts: Facts { platform: Some(platform), os_version: Some(os_version.into()), ..Facts::default() },
    }
}
