//! A device and an administrator that ask one server only, all the time: the others go on while one is gone.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use apple::{Report, content_type};
use serde_json::json;
use simulator::apple_device::{AppleDevice, By, Request};
use testkit::patience::within;
use tokio::time::sleep;

use crate::{
    callers::Caller,
    installation::Place,
    record::Finding,
    world::{Shared, World},
};

/// How long it waits between two questions.
const BETWEEN: Duration = Duration::from_millis(40);

/// So many answers show that a server goes on.
const ENOUGH: u64 = 10;

/// What a server says to one that asks all the time.
pub struct Canary {
    place: Place,
    device: AppleDevice,
    caller: Caller,
    /// Rises when trouble begins and when it is over: odd in between.
    trouble: AtomicU64,
    answers: AtomicU64,
}

impl Canary {
    /// One for the server at `place`, with a device that is enrolled already.
    pub fn new(world: &World, place: Place, device: AppleDevice) -> Self {
        let caller = Caller::at(world, &place.addresses().api_url);
        Self { place, device, caller, trouble: AtomicU64::default(), answers: AtomicU64::default() }
    }

    /// Asks until the load is over. Every question that is not answered is found, but in times of trouble.
    pub async fn sing(&self, world: &Shared) {
        while !world.is_over() {
            let before = self.trouble.load(Ordering::SeqCst);
            match self.ask().await {
                None => _ = self.answers.fetch_add(1, Ordering::SeqCst),
                Some(why) if before.is_multiple_of(2) && before == self.trouble.load(Ordering::SeqCst) => {
                    world.record.find(Finding::Wrong(format!("{:?} does not go on: {why}", self.place)));
                }
                Some(_) => {}
            }
            sleep(BETWEEN).await;
        }
    }

    /// From now on it may go without answers.
    pub fn trouble_begins(&self) {
        self.trouble.fetch_add(1, Ordering::SeqCst);
    }

    /// It has answers again: waits for the first.
    pub async fn trouble_ends(&self) {
        self.hears(1, "a server that is back answers").await;
        self.trouble.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until its server has answered some more.
    pub async fn goes_on(&self) {
        self.hears(ENOUGH, "a server that is well answers").await;
    }

    /// Waits until its server tells the load balancer that it cannot serve.
    pub async fn is_not_ready(&self) {
        let not_ready = async {
            while self.caller.readiness().await != Some(503) {
                sleep(BETWEEN).await;
            }
        };
        within("a server without a database is not ready", not_ready).await;
    }

    async fn hears(&self, more: u64, what: &str) {
        let enough = self.answers.load(Ordering::SeqCst) + more;
        let heard = async {
            while self.answers.load(Ordering::SeqCst) < enough {
                sleep(BETWEEN).await;
            }
        };
        within(what, heard).await;
    }

    /// An empty poll, and a look at the device; why not, if not.
    async fn ask(&self) -> Option<String> {
        let idle = Report::idle(self.device.model().identifiers()).encode();
        let polled = self.device.send(poll(self.place, &self.device, idle), By::Itself).await;
        match polled {
            Ok(answer) if answer.status == 200 => {}
            other => return Some(format!("a poll: {other:?}")),
        }
        let name = json!({ "serialnumber": self.device.model().serial_number });
        match self.caller.info(&name).await {
            Some((200, _)) => None,
            other => Some(format!("device/info: {other:?}")),
        }
    }
}

/// A report that goes to one server, past the load balancer.
pub fn poll(place: Place, device: &AppleDevice, report: Vec<u8>) -> Request {
    let url = &device.profile().mdm.server_url;
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    Request::put(format!("{}/{path}", place.addresses().device_url), content_type::REPORT, report)
}
