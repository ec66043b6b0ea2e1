//! What all tasks of a run share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use simulator::{
    apns::{PretendApns, PretendApnsSettings},
    apple_device::{Clock, KeyPool, Transport},
};
use testkit::clock::HandClock;

use crate::{
    installation::{Database, Installation, TOPIC},
    plan::Plan,
    record::Record,
};

/// How many keys devices share: making one takes longer than everything else in an enrollment.
const KEYS: usize = 16;

/// How many devices there are at most for each kill.
const DEVICES_PER_KILL: u64 = 4;

/// The server's surroundings, which survive it.
pub struct World {
    /// The installation.
    pub installation: Installation,
    /// The pretend APNs.
    pub apns: PretendApns,
    /// The right time.
    pub clock: Clock,
    /// The devices' connections.
    pub transport: Transport,
    /// The devices' keys.
    pub keys: KeyPool,
    /// What happened.
    pub record: Record,
    over: AtomicBool,
    devices: AtomicU64,
    most_devices: u64,
    messages: AtomicU64,
}

impl World {
    /// Makes the installation of one server, and what is around it.
    pub async fn make(database: Database, plan: &Plan) -> Self {
        let most_devices = u64::from(plan.kills).max(4) * DEVICES_PER_KILL;
        Self::around(most_devices, |apns| {
            Installation::make(database, apns, &mut StdRng::seed_from_u64(plan.seed))
        })
        .await
    }

    /// What is around the installation that `make` makes, with so many devices at most.
    pub async fn around(most_devices: u64, make: impl FnOnce(&PretendApns) -> Installation) -> Self {
        let clock = HandClock::default().as_closure();
        let apns = PretendApns::start(PretendApnsSettings::new(TOPIC, clock.clone())).await;
        let apns = apns.expect("a pretend APNs");
        let installation = make(&apns);
        Self {
            installation,
            apns,
            transport: Transport::new(clock.clone()),
            clock,
            keys: KeyPool::shared(KEYS),
            record: Record::default(),
            over: AtomicBool::default(),
            devices: AtomicU64::default(),
            most_devices,
            messages: AtomicU64::default(),
        }
    }

    /// Whether the killing is over.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Tells everyone that the killing is over.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// The number of a device that was never there, unless there are many enough.
    pub fn next_device(&self) -> Option<u64> {
        let number = self.devices.fetch_add(1, Ordering::Relaxed);
        (number < self.most_devices).then_some(number)
    }

    /// A message that no lock has shown yet.
    pub fn next_message(&self) -> String {
        format!("message {}", self.messages.fetch_add(1, Ordering::Relaxed))
    }
}

/// Waits a moment before something is tried again.
pub async fn pause(dice: &mut StdRng) {
    tokio::time::sleep(Duration::from_millis(dice.random_range(10..60))).await;
}

/// What everyone holds.
pub type Shared = Arc<World>;
