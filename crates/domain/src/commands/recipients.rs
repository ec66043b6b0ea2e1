//! Who is to be sent a command: devices by the names that people give them, and a user on each.

use std::collections::HashMap;

use crate::{ChannelKey, Device, DeviceId, DeviceName, Result, ports::Tx};

/// A device, and which of its channels is meant.
pub(super) struct Recipient {
    /// The device.
    pub(super) device: Device,
    /// The channel; `None` where the user that is meant has none there.
    pub(super) channel: Option<ChannelKey>,
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

/// The devices of these names, locked, in the order of the names, each with the channel of `user` on it.
pub(super) async fn recipients(
    tx: &mut dyn Tx,
    names: &[String],
    user: Option<&str>,
) -> Result<Vec<Option<Recipient>>> {
    let parsed: Vec<_> = names.iter().map(|name| DeviceName::parse(name)).collect();
    let known: Vec<DeviceName> = parsed.iter().flatten().cloned().collect();
    let mut found = tx.find_devices(&known).await?.into_iter();
    let ids: Vec<Option<DeviceId>> =
        parsed.iter().map(|name| name.as_ref().and_then(|_| found.next().flatten())).collect();
    let mut distinct: Vec<DeviceId> = ids.iter().flatten().copied().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let devices = tx.devices_for_update(&distinct).await?;
    let devices: HashMap<_, _> = devices.into_iter().map(|device| (device.id, device)).collect();
    let channels: Option<HashMap<_, _>> = match user {
        Some(user) => Some(tx.user_channels(&distinct, user).await?.into_iter().collect()),
        None => None,
    };
    let recipient = |id: DeviceId| {
        let channel = channels.as_ref().map_or(Some(ChannelKey::default()), |of| of.get(&id).cloned());
        Some(Recipient { device: devices.get(&id)?.clone(), channel })
    };
    Ok(ids.into_iter().map(|id| id.and_then(recipient)).collect())
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
