//! A clock in hand: it goes like the machine's, and can be put forward.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use domain::{Timestamp, ports::Clock};
use server::adapters::SystemClock;

/// The machine's clock, put forward by as much as the test says, or stopped. Cloning shares it.
#[derive(Clone, Default)]
pub struct HandClock {
    ahead: Arc<AtomicI64>,
    /// Where the machine's clock was when this one was stopped; 0 while it goes.
    stopped: Arc<AtomicI64>,
}

impl HandClock {
    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).expect("not for ever");
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }

    /// From now on only [`Self::advance`] makes time pass, so that a test can be exact to the millisecond.
    pub fn stop(&self) {
        self.stopped.store(SystemClock.now().0, Ordering::SeqCst);
    }

    /// As pretend devices and services take it.
    pub fn as_closure(&self) -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now().system_time())
    }

    /// One that differs from this by so many milliseconds: for devices whose clocks are wrong.
    pub fn off_by(&self, millis: i64) -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || Timestamp(clock.now().0 + millis).system_time())
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        let machine = match self.stopped.load(Ordering::SeqCst) {
            0 => SystemClock.now().0,
            stopped => stopped,
        };
        Timestamp(machine + self.ahead.load(Ordering::SeqCst))
    }
}
