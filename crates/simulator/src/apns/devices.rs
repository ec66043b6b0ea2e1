//! Who can be woken: tokens, their magics, and the one push that is kept for each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::Notify;

use super::reading::Notification;
use super::refusal::Refusal;

/// A push reached the device: it should now connect to its server and ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WakeUp {
    /// The push's number, counted from 1 over all pushes that arrived; see [`super::Arrival::order`].
    pub order: u64,
}

/// The pushes of one device, as the device sees them; the device is online while it exists.
pub struct WakeUps {
    slot: Arc<Slot>,
}

impl WakeUps {
    /// Waits for a push; several that came since the last call are one. `None` when the service has stopped, the
    /// token was retired, or was registered anew. Safe to cancel.
    pub async fn next(&mut self) -> Option<WakeUp> {
        loop {
            {
                let mut contents = self.slot.lock();
                if let Some(kept) = contents.kept.take() {
                    return Some(kept.wake_up);
                }
                if contents.closed {
                    return None;
                }
            }
            self.slot.changed.notified().await;
        }
    }
}

/// The place for one push between the service and one registration of a device.
#[derive(Default)]
struct Slot {
    contents: Mutex<Contents>,
    changed: Notify,
}

#[derive(Default)]
struct Contents {
    kept: Option<Kept>,
    closed: bool,
}

struct Kept {
    wake_up: WakeUp,
    /// Seconds since 1970.
    expires: u64,
}

impl Slot {
    fn put(&self, push: Kept) {
        self.lock().kept = Some(push);
        self.changed.notify_one();
    }

    /// Ends the registration; what was not yet seen goes to the next one.
    fn close(&self) -> Option<Kept> {
        let mut contents = self.lock();
        contents.closed = true;
        self.changed.notify_one();
        contents.kept.take()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Device {
    Known {
        topic: String,
        magic: String,
        slot: Arc<Slot>,
    },
    /// Since that many milliseconds after 1970.
    Gone(u64),
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Self::Known { slot, .. } = self {
            slot.close();
        }
    }
}

/// What became of a push that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The device is online and was told.
    Told,
    /// The device is offline; kept until it comes back or the push expires.
    Kept,
    /// The device is offline and the push is not worth keeping.
    Expired,
    /// The device got it and paid no attention: the magic is not its own.
    Ignored,
}

/// All devices that ever registered, by token.
#[derive(Default)]
pub(super) struct Devices {
    by_token: HashMap<Vec<u8>, Device>,
}

impl Devices {
    /// A device comes online and gets the push that was kept for it, unless that has expired.
    pub(super) fn register(&mut self, topic: &str, token: &[u8], magic: &str, now: SystemTime) -> WakeUps {
        let slot = Arc::new(Slot::default());
        let kept = self.kept(topic, token, magic).filter(|kept| kept.expires > seconds(now));
        if let Some(kept) = kept {
            slot.put(kept);
        }
        let device =
            Device::Known { topic: topic.to_owned(), magic: magic.to_owned(), slot: Arc::clone(&slot) };
        self.by_token.insert(token.to_vec(), device);
        WakeUps { slot }
    }

    /// Takes what an earlier registration of the same device did not see.
    fn kept(&self, for_topic: &str, token: &[u8], with_magic: &str) -> Option<Kept> {
        match self.by_token.get(token)? {
            Device::Known { topic, magic, slot } if topic == for_topic && magic == with_magic => slot.close(),
            _ => None,
        }
    }

    /// The device is gone: whoever pushes to it is told so.
    pub(super) fn retire(&mut self, token: &[u8], now: SystemTime) {
        let milliseconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let since = u64::try_from(milliseconds).unwrap_or(u64::MAX);
        self.by_token.insert(token.to_vec(), Device::Gone(since));
    }

    /// All devices lose their service.
    pub(super) fn clear(&mut self) {
        self.by_token.clear();
    }

    /// Refuses a push that has no device to go to.
    pub(super) fn check(&self, push: &Notification) -> Result<(), Refusal> {
        match self.by_token.get(&push.token) {
            None => Err(Refusal::new(400, "BadDeviceToken")),
            Some(Device::Gone(since)) => {
                Err(Refusal { timestamp: Some(*since), ..Refusal::new(410, "Unregistered") })
            }
            Some(Device::Known { topic, .. }) if *topic != push.topic => {
                Err(Refusal::new(400, "DeviceTokenNotForTopic"))
            }
            Some(Device::Known { .. }) => Ok(()),
        }
    }

    /// Delivers or keeps a push that has passed the check.
    pub(super) fn deliver(&self, push: &Notification, order: u64, now: SystemTime) -> Delivery {
        match self.by_token.get(&push.token) {
            Some(Device::Known { magic, slot, .. }) if *magic == push.magic => {
                let push = Kept { wake_up: WakeUp { order }, expires: push.expires };
                hand_over(slot, push, seconds(now))
            }
            _ => Delivery::Ignored,
        }
    }
}

fn hand_over(slot: &Arc<Slot>, push: Kept, now: u64) -> Delivery {
    // The device holds the other half.
    let online = Arc::strong_count(slot) > 1;
    if !online && push.expires <= now {
        return Delivery::Expired;
    }
    slot.put(push);
    if online { Delivery::Told } else { Delivery::Kept }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    const TOKEN: &[u8] = &[1, 2];

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn push(magic: &str, expires: u64) -> Notification {
        Notification {
            id: None,
            token: TOKEN.to_vec(),
            topic: "T".to_owned(),
            magic: magic.to_owned(),
            expires,
        }
    }

    fn next(device: &mut WakeUps) -> Poll<Option<WakeUp>> {
        std::pin::pin!(device.next()).poll(&mut Context::from_waker(Waker::noop()))
    }

    /// The order of the push that waits, if one does.
    fn waiting(device: &mut WakeUps) -> Option<u64> {
        match next(device) {
            Poll::Ready(wake_up) => wake_up.map(|wake_up| wake_up.order),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_device_online_is_told_whatever_the_expiry() {
        let mut devices = Devices::default();
        let mut device = devices.register("T", TOKEN, "M", at(100));
        assert_eq!(devices.deliver(&push("M", 0), 1, at(100)), Delivery::Told);
        assert_eq!(waiting(&mut device), Some(1));
        assert_eq!(waiting(&mut device), None);
    }

    #[test]
    fn only_the_last_push_is_kept_for_a_device_offline() {
        let mut devices = Devices::default();
        drop(devices.register("T", TOKEN, "M", at(100)));
        assert_eq!(devices.deliver(&push("M", 200), 1, at(100)), Delivery::Kept);
        assert_eq!(devices.deliver(&push("M", 200), 2, at(110)), Delivery::Kept);
        let mut device = devices.register("T", TOKEN, "M", at(199));
        assert_eq!(waiting(&mut device), Some(2));
        assert_eq!(waiting(&mut device), None);
    }

    #[test]
    fn an_expired_push_is_not_delivered() {
        let mut devices = Devices::default();
        drop(devices.register("T", TOKEN, "M", at(100)));
        assert_eq!(devices.deliver(&push("M", 0), 1, at(100)), Delivery::Expired);
        assert_eq!(devices.deliver(&push("M", 150), 2, at(100)), Delivery::Kept);
        assert_eq!(waiting(&mut devices.register("T", TOKEN, "M", at(150))), None);
    }

    #[test]
    fn a_push_that_was_seen_is_not_delivered_again() {
        let mut devices = Devices::default();
        let mut device = devices.register("T", TOKEN, "M", at(100));
        devices.deliver(&push("M", 200), 1, at(100));
        assert_eq!(waiting(&mut device), Some(1));
        drop(device);
        assert_eq!(waiting(&mut devices.register("T", TOKEN, "M", at(101))), None);
    }

    #[test]
    fn pushes_that_a_busy_device_has_not_seen_are_one() {
        let mut devices = Devices::default();
        let mut device = devices.register("T", TOKEN, "M", at(100));
        for order in 1..=3 {
            devices.deliver(&push("M", 200), order, at(100));
        }
        assert_eq!(waiting(&mut device), Some(3));
        assert_eq!(waiting(&mut device), None);
    }

    #[test]
    fn an_earlier_registration_ends() {
        let mut devices = Devices::default();
        let mut earlier = devices.register("T", TOKEN, "M", at(100));
        devices.deliver(&push("M", 200), 1, at(100));
        let mut device = devices.register("T", TOKEN, "M", at(101));
        assert_eq!(next(&mut earlier), Poll::Ready(None));
        assert_eq!(waiting(&mut device), Some(1));
    }

    #[test]
    fn a_wrong_magic_wakes_nobody() {
        let mut devices = Devices::default();
        let mut device = devices.register("T", TOKEN, "M", at(100));
        assert_eq!(devices.deliver(&push("N", 200), 1, at(100)), Delivery::Ignored);
        assert_eq!(waiting(&mut device), None);
    }

    #[test]
    fn a_retired_token_is_gone_until_it_registers_again() {
        let mut devices = Devices::default();
        let mut device = devices.register("T", TOKEN, "M", at(100));
        devices.retire(TOKEN, at(120));
        assert_eq!(next(&mut device), Poll::Ready(None));
        let refusal = devices.check(&push("M", 200)).unwrap_err();
        assert_eq!((refusal.status, refusal.timestamp), (410, Some(120_000)));
        let mut device = devices.register("T", TOKEN, "M", at(140));
        assert_eq!(devices.deliver(&push("M", 200), 2, at(150)), Delivery::Told);
        assert_eq!(waiting(&mut device), Some(2));
    }

    #[test]
    fn a_token_is_known_for_its_own_topic_only() {
        let mut devices = Devices::default();
        let _device = devices.register("other", TOKEN, "M", at(100));
        assert_eq!(devices.check(&push("M", 200)).unwrap_err().reason, "DeviceTokenNotForTopic");
    }
}
