//! What the tests of this API share: a device to show.

use domain::{Device, DeviceView, EnrollmentId, Facts, Platform, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use super::DeviceObject;

/// The device of the published examples.
pub(in crate::device_api) fn published() -> DeviceView {
    DeviceView {
        device: Device {
            id: "e60cf0e25e63430694441870c27a8b42".parse().unwrap(),
            enrollment: EnrollmentId(Uuid::nil()),
            key: "00008020-001E04DA2284002E".into(),
            user: Some("465874fd-28a6-4f0d-bc53-43df50552fe2".parse().unwrap()),
            external_id: None,
            managed: true,
            wiped: false,
            profile_removed: false,
            quarantined: false,
            enrolled_at: Timestamp(0),
            last_contact: Some(Timestamp(1_608_564_096_937)),
            unlockable: true,
            facts: published_facts(),
        },
        pending: Vec::new(),
    }
}

fn published_facts() -> Facts {
    Facts {
        platform: Some(Platform::Ios),
        device_name: Some("iPhone".into()),
        serial_number: Some("F71XL2HZKXK7".into()),
        product_name: Some("iPhone11,8".into()),
        model_name: Some("iPhone XR, Blue".into()),
        model_number: Some("MRYA2ZD".into()),
        os_version: Some("14.2".into()),
        imeis: vec!["357351093108963".into()],
        capacity_gb: Some(64.0),
        available_gb: Some(53444.0 / 1024.0),
        battery_level: Some(0.95),
        supervised: Some(true),
        roaming: Some(false),
        lost_mode: Some(false),
        passcode_present: Some(true),
        ..Facts::default()
    }
}

/// How that device is shown with something changed.
pub(super) fn shown(change: impl FnOnce(&mut DeviceView)) -> Value {
    let mut view = published();
    change(&mut view);
    serde_json::to_value(DeviceObject::from(&view)).unwrap()
}
