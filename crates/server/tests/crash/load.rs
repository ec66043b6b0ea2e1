//! Everyone who is busy while servers die: devices, administrators, an operator.

use rand::rngs::StdRng;
use tokio::task::JoinSet;

use crate::{callers, console, handset::Handset, life, world::Shared};

/// How many devices are busy at once.
const SLOTS: u64 = 12;

/// How many administrators ask for locks at once.
const ADMINISTRATORS: u64 = 3;

/// How many administrators send commands by the admin API at once.
const CONSOLES: u64 = 2;

/// All of them, at work.
pub struct Load {
    world: Shared,
    slots: JoinSet<Vec<Handset>>,
    callers: JoinSet<()>,
}

impl Load {
    /// Sets everyone to work, each with dice of their own.
    pub fn begin(world: &Shared, mut dice: impl FnMut() -> StdRng) -> Self {
        let (mut slots, mut callers) = (JoinSet::new(), JoinSet::new());
        for _ in 0..SLOTS {
            slots.spawn(life::slot(world.clone(), dice()));
        }
        for _ in 0..ADMINISTRATORS {
            callers.spawn(callers::administrator(world.clone(), dice()));
        }
        callers.spawn(callers::operator(world.clone(), dice()));
        for _ in 0..CONSOLES {
            callers.spawn(console::console(world.clone(), dice()));
        }
        Self { world: world.clone(), slots, callers }
    }

    /// Lets everyone finish what they are at; all devices that there were.
    pub async fn end(self) -> Vec<Handset> {
        self.world.end();
        self.callers.join_all().await;
        self.slots.join_all().await.into_iter().flatten().collect()
    }
}
