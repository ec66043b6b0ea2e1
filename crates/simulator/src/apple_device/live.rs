//! A device that lives on its pushes: it sleeps until it is woken, then asks what there is to do.

use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;

use super::event::Happening;
use super::failure::Failure;
use super::push::PushAddress;
use super::{AppleDevice, Done};
use crate::apns::WakeUps;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After a `NotNow` a device polls again by itself; real ones when they are unlocked.
const NOT_NOW_PAUSE: Duration = Duration::from_secs(10);

/// The pushes of one device.
pub trait Wakes: Send {
    /// Waits for a push; several may be one. `None` when there will be none any more. Must be safe to cancel.
    fn next(&mut self) -> impl Future<Output = Option<()>> + Send;
}

impl Wakes for mpsc::Receiver<()> {
    fn next(&mut self) -> impl Future<Output = Option<()>> + Send {
        self.recv()
    }
}

impl Wakes for WakeUps {
    async fn next(&mut self) -> Option<()> {
        WakeUps::next(self).await.map(|_| ())
    }
}

impl AppleDevice {
    /// Connects whenever it is pushed to, until the management or the pushes end, or the future is dropped.
    /// `register` comes online at the push service, again whenever the address has changed. Breaches and
    /// failures are told to the listeners; a server that is away is tried again, ever more slowly.
    pub async fn live<W: Wakes>(&mut self, mut register: impl FnMut(&PushAddress) -> W) {
        let mut address = self.push.clone();
        let mut wakes = register(&address);
        let mut pause = None;
        while !self.is_over() {
            if !sleep(&mut wakes, pause).await {
                return;
            }
            pause = self.visit(pause).await;
            if self.push != address {
                address = self.push.clone();
                wakes = register(&address);
            }
        }
    }

    /// One conversation; answers after which time to try again without a push.
    async fn visit(&mut self, pause: Option<Duration>) -> Option<Duration> {
        match self.connect().await {
            Ok(done) => done.iter().any(Done::is_put_off).then_some(NOT_NOW_PAUSE),
            Err(Failure::Breach(_) | Failure::NotEnrolled(_)) => None,
            Err(failure) => {
                self.teller.tell(Happening::Failed { how: failure.to_string() });
                let next = pause.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
                match failure {
                    Failure::Unavailable { retry_after, .. } => Some(retry_after.unwrap_or(next)),
                    Failure::Unreachable(_) | Failure::Lost | Failure::Offline => Some(next),
                    _ => None,
                }
            }
        }
    }
}

/// Waits for a push, or for `pause` if there is one; whether to go on.
async fn sleep(wakes: &mut impl Wakes, pause: Option<Duration>) -> bool {
    let pause_is_over = async {
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        wake = wakes.next() => wake.is_some(),
        () = pause_is_over => true,
    }
}
