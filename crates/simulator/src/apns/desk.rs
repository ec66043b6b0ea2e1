//! What all connections share: whom to wake, what tests have ordered, and what has happened.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use tokio::sync::watch;
use uuid::Uuid;

use super::Clock;
use super::devices::{Delivery, Devices, WakeUps};
use super::reading::{self, Notification};
use super::refusal::Refusal;

/// How many arrivals are remembered.
const MAX_ARRIVALS: usize = 10_000;

/// A well-formed push that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Counted from 1 over all requests, in the order in which they came.
    pub order: u64,
    /// The device token, as bytes.
    pub token: Vec<u8>,
    /// The payload's `mdm`.
    pub magic: String,
    /// `apns-topic`.
    pub topic: String,
    /// `apns-expiration`: seconds since 1970, or 0.
    pub expires: u64,
    /// The status of the answer.
    pub status: u16,
}

/// How often things have happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections whose TLS handshake was completed.
    pub opened: u64,
    /// Of these, the ones that have ended.
    pub closed: u64,
    /// Connections that failed in the handshake: no client certificate, no HTTP/2.
    pub failed_handshakes: u64,
    /// Requests that came in whole, answered or not.
    pub arrived: u64,
    /// Answered with 200.
    pub accepted: u64,
    /// Answered with anything else.
    pub refused: u64,
    /// Accepted, but with a magic that is not the device's: it woke nobody.
    pub ignored: u64,
    /// Requests that wait for their answer now.
    pub under_way: u64,
    /// The most that ever waited at once.
    pub most_under_way: u64,
}

/// The service itself, without its connections.
pub(super) struct Desk {
    clock: Clock,
    devices: Mutex<Devices>,
    refusals: Mutex<VecDeque<Refusal>>,
    resets: Mutex<VecDeque<h2::Reason>>,
    arrivals: Mutex<VecDeque<Arrival>>,
    counters: watch::Sender<Counters>,
    held: watch::Sender<bool>,
}

impl Desk {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            devices: Mutex::default(),
            refusals: Mutex::default(),
            resets: Mutex::default(),
            arrivals: Mutex::default(),
            counters: watch::Sender::default(),
            held: watch::Sender::default(),
        }
    }

    pub(super) fn register(&self, topic: &str, token: &[u8], magic: &str) -> WakeUps {
        let now = self.now();
        lock(&self.devices).register(topic, token, magic, now)
    }

    pub(super) fn retire(&self, token: &[u8]) {
        let now = self.now();
        lock(&self.devices).retire(token, now);
    }

    pub(super) fn refuse_next(&self, refusal: Refusal) {
        lock(&self.refusals).push_back(refusal);
    }

    pub(super) fn reset_next(&self, reason: h2::Reason) {
        lock(&self.resets).push_back(reason);
    }

    pub(super) fn hold(&self, hold: bool) {
        self.held.send_replace(hold);
    }

    /// The service stops: nobody will be woken, and nobody waits.
    pub(super) fn close(&self) {
        lock(&self.devices).clear();
        self.hold(false);
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        lock(&self.arrivals).iter().cloned().collect()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Counters> {
        self.counters.subscribe()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counters)) {
        self.counters.send_modify(change);
    }

    /// Answers one request of a client whose certificate is for `certified`; an error resets its stream.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        certified: Option<&str>,
    ) -> Result<Response<Full<Bytes>>, h2::Error> {
        if let Some(reason) = lock(&self.resets).pop_front() {
            return Err(reason.into());
        }
        let (head, body) = request.into_parts();
        let body = Limited::new(body, reading::MAX_PAYLOAD).collect().await;
        let body = body.ok().map(http_body_util::Collected::to_bytes);
        let order = self.arrive();
        let _leaving = Leaving(self);
        // The desk outlives the call, so that the sender is there.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        let push = match reading::read(&head, body.as_ref(), certified) {
            Ok(push) => push,
            Err(refusal) => return Ok(self.refuse(&refusal)),
        };
        let id = push.id.unwrap_or(Uuid::from_u128(order.into()));
        let mut response = self.judge(push, order);
        let id = HeaderValue::from_str(&id.to_string().to_uppercase());
        id.into_iter().for_each(|id| {
            response.headers_mut().insert("apns-id", id);
        });
        Ok(response)
    }

    fn judge(&self, push: Notification, order: u64) -> Response<Full<Bytes>> {
        let verdict = self.deliver(&push, order);
        let status = verdict.as_ref().map_or_else(|refusal| refusal.status, |_| 200);
        let Notification { token, topic, magic, expires, .. } = push;
        self.remember(Arrival { order, token, magic, topic, expires, status });
        match verdict {
            Err(refusal) => self.refuse(&refusal),
            Ok(delivery) => {
                self.count(|so_far| {
                    so_far.accepted += 1;
                    so_far.ignored += u64::from(delivery == Delivery::Ignored);
                });
                Response::new(Full::default())
            }
        }
    }

    /// What a test has ordered comes after what is so anyway, but before the device hears of it.
    fn deliver(&self, push: &Notification, order: u64) -> Result<Delivery, Refusal> {
        let now = self.now();
        let devices = lock(&self.devices);
        devices.check(push)?;
        match lock(&self.refusals).pop_front() {
            Some(refusal) => Err(refusal),
            None => Ok(devices.deliver(push, order, now)),
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Response<Full<Bytes>> {
        self.count(|so_far| so_far.refused += 1);
        refusal.response()
    }

    fn arrive(&self) -> u64 {
        let mut order = 0;
        self.count(|so_far| {
            so_far.arrived += 1;
            so_far.under_way += 1;
            so_far.most_under_way = so_far.most_under_way.max(so_far.under_way);
            order = so_far.arrived;
        });
        order
    }

    fn remember(&self, arrival: Arrival) {
        let mut arrivals = lock(&self.arrivals);
        if arrivals.len() == MAX_ARRIVALS {
            arrivals.pop_front();
        }
        arrivals.push_back(arrival);
    }

    fn now(&self) -> SystemTime {
        (self.clock)()
    }
}

/// Counts a request off, also when its connection is cut.
struct Leaving<'a>(&'a Desk);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.count(|so_far| so_far.under_way -= 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
