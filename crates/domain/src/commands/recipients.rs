//! Who is to be sent a command: devices by the names that people give them, and a user on each.

use std::collections::HashMap;

use crate::{ChannelKey, DeviceId, DeviceName, HeldDevice, Result, ports::Tx};

/// Those whom one transaction serves.
pub(super) struct Recipients {
    /// By id.
    devices: Vec<HeldDevice>,
    /// Where each name's device is among them.
    places: Vec<Option<usize>>,
    /// The channel of the user that is meant, by device; `None` where no user is.
    users: Option<HashMap<DeviceId, ChannelKey>>,
    device_channel: ChannelKey,
}

/// A device, and which of its channels is meant.
#[derive(Clone, Copy)]
pub(super) struct Recipient<'a> {
    /// The device.
    pub(super) device: &'a HeldDevice,
    /// The channel; `None` where the user that is meant has none there.
    pub(super) channel: Option<&'a ChannelKey>,
}

impl Recipients {
    /// The devices of these names, held, each with the channel of `user` on it.
    pub(super) async fn find(tx: &mut dyn Tx, names: &[String], user: Option<&str>) -> Result<Self> {
        let parsed: Vec<_> = names.iter().map(|name| DeviceName::parse(name)).collect();
        let known: Vec<DeviceName> = parsed.iter().flatten().cloned().collect();
        let mut found = tx.find_devices(&known).await?.into_iter();
        let ids: Vec<Option<DeviceId>> =
            parsed.iter().map(|name| name.as_ref().and_then(|_| found.next().flatten())).collect();
        let mut distinct: Vec<DeviceId> = ids.iter().flatten().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let devices = tx.hold_devices(&distinct).await?;
        let place = |id: DeviceId| devices.binary_search_by_key(&id, |device| device.id).ok();
        let places = ids.into_iter().map(|id| id.and_then(place)).collect();
        let users = match user {
            Some(user) => Some(tx.user_channels(&distinct, user).await?.into_iter().collect()),
            None => None,
        };
        Ok(Self { devices, places, users, device_channel: ChannelKey::default() })
    }

    /// In the order of the names; `None` for a name without a device.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<Recipient<'_>>> {
        self.places.iter().map(|&place| place.map(|place| self.at(place)))
    }

    fn at(&self, place: usize) -> Recipient<'_> {
        let device = &self.devices[place];
        let channel = match &self.users {
            Some(users) => users.get(&device.id),
            None => Some(&self.device_channel),
        };
        Recipient { device, channel }
    }
}

impl DeviceName {
    /// A device as the admin API and the command line name it: its client id, `udid:…` or `serial:…`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = match text.split_once(':') {
            Some(("udid", key)) => Self::Udid(key.into()),
            Some(("serial", serial)) => Self::SerialNumber(serial.into()),
            Some(_) => return None,
            None if matches!(text.len(), 32 | 36) => Self::Id(text.parse().ok()?),
            None => return None,
        };
        // PostgreSQL's texts hold no U+0000.
        (text.len() <= 255 && !text.contains('\0')).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_in_three_ways() {
        let id = "0192f3a1c0de70008000000000000001";
        assert_eq!(DeviceName::parse(id), Some(DeviceName::Id(id.parse().unwrap())));
        assert_eq!(DeviceName::parse("serial:F71"), Some(DeviceName::SerialNumber("F71".into())));
        assert_eq!(DeviceName::parse("udid:a:b"), Some(DeviceName::Udid("a:b".into())));
        for wrong in ["", "F71", "imei:35", "udid:\0", "{0192f3a1-c0de-7000-8000-00000000001}"] {
            assert_eq!(DeviceName::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(DeviceName::parse(&format!("serial:{}", "x".repeat(300))), None);
    }
}
