//! Where a device can be pushed to.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

use super::model::DeviceModel;

const UNLOCK_TOKEN_PARTS: u32 = 40;

/// The push address of a device. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct PushAddress {
    /// That of the enrollment.
    pub topic: String,
    /// The APNs token: 32 bytes.
    pub token: Vec<u8>,
    /// What each push must carry to be heeded.
    pub magic: String,
    /// Clears the passcode; Macs have none, nor has a device under User Enrollment.
    pub unlock_token: Option<Vec<u8>>,
}

impl PushAddress {
    /// The `generation`th address of this device: each has another token and another magic.
    pub(super) fn new(model: &DeviceModel, topic: &str, generation: u32) -> PushAddress {
        let secret = |purpose: &str| {
            let seed = format!("{}|{topic}|{generation}|{purpose}", model.udid);
            digest(&SHA256, seed.as_bytes()).as_ref().to_vec()
        };
        let hex: String = secret("magic").iter().map(|byte| format!("{byte:02X}")).collect();
        let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]];
        let unlock_token =
            || (0..UNLOCK_TOKEN_PARTS).flat_map(|part| secret(&format!("unlock {part}"))).collect();
        PushAddress {
            topic: topic.to_owned(),
            token: secret("token"),
            magic: groups.join("-"),
            unlock_token: (!model.is_mac() && !model.is_user_enrolled()).then(unlock_token),
        }
    }
}

impl fmt::Debug for PushAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushAddress").field("topic", &self.topic).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generation_and_every_device_has_its_own_address() {
        let address =
            |seed, generation| PushAddress::new(&DeviceModel::iphone(seed), "com.apple.mgmt.x", generation);
        assert_eq!(address(1, 0), address(1, 0));
        assert_ne!(address(1, 0).token, address(1, 1).token);
        assert_ne!(address(1, 0).magic, address(1, 1).magic);
        assert_ne!(address(1, 0).token, address(2, 0).token);
    }

    #[test]
    fn macs_and_users_own_devices_have_no_unlock_token() {
        assert!(PushAddress::new(&DeviceModel::mac(0), "t", 0).unlock_token.is_none());
        assert!(PushAddress::new(&DeviceModel::user_enrolled_iphone(0), "t", 0).unlock_token.is_none());
        assert!(PushAddress::new(&DeviceModel::supervised_ipad(0), "t", 0).unlock_token.is_some());
    }
}
