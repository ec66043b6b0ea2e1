//! Whoever kills the server.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rand::{Rng, rngs::StdRng};
use tokio::time::sleep;

use crate::{process::Process, record::count, world::World};

/// The most that a server answers before it is killed: messages of devices.
const MOST_ANSWERS: f64 = 400.0;

/// The longest that a server runs before it is killed, if it answers little.
const LONGEST_RUN: Duration = Duration::from_secs(10);

/// The longest that a server gets to start before it is killed at it, milliseconds.
const LONGEST_START: u64 = 400;

/// Starts the server and kills it, so many times; the last one is left alone, and is ready.
pub async fn kill_again_and_again(world: &World, kills: u32, mut dice: StdRng) -> Process {
    for _ in 0..kills {
        if world.record.has_gone_wrong() {
            break;
        }
        let mut server = Process::start(&world.installation.nodes[0]);
        if dice.random_ratio(1, 8) {
            sleep(Duration::from_millis(dice.random_range(0..LONGEST_START))).await;
        } else {
            server.ready().await;
            work(world, &mut dice).await;
        }
        server.kill().await;
        count(&world.record.tally.kills);
        if dice.random_ratio(1, 4) {
            world.apns.drop_connections();
        }
        sleep(Duration::from_millis(dice.random_range(0..100))).await;
    }
    let mut server = Process::start(&world.installation.nodes[0]);
    server.ready().await;
    server
}

/// Lets the server answer some messages; the square makes short runs more frequent.
async fn work(world: &World, dice: &mut StdRng) {
    let answered = || world.record.tally.messages.load(Ordering::Relaxed);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    let enough = answered() + (dice.random::<f64>().powi(2) * MOST_ANSWERS) as u64;
    let began = Instant::now();
    while answered() < enough && began.elapsed() < LONGEST_RUN {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_micros(dice.random_range(0..10_000))).await;
}
