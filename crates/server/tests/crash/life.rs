//! What a device does with its time while the server is killed again and again.

use std::{ops::ControlFlow, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    handset::{Handset, Over, Standing},
    world::Shared,
};

/// The longest that a device sleeps if nobody wakes it, milliseconds.
const LONGEST_SLEEP: u64 = 80;

/// How often a device acts before another one has its turn.
const TURNS: std::ops::Range<u32> = 4..50;

/// One device after the other, until the killing is over; all those that it had.
pub async fn slot(world: Shared, mut dice: StdRng) -> Vec<Handset> {
    let mut asleep: Vec<Handset> = Vec::new();
    while !world.is_over() {
        let newcomer = world.next_device();
        let handset = match newcomer {
            Some(number) => Handset::enroll(world.clone(), number, StdRng::from_rng(&mut dice)).await,
            None if asleep.is_empty() => return asleep,
            None => Some(asleep.swap_remove(dice.random_range(0..asleep.len()))),
        };
        let Some(mut handset) = handset else { continue };
        for _ in 0..handset.dice.random_range(TURNS) {
            if world.is_over() || turn(&mut handset).await.is_break() {
                break;
            }
        }
        asleep.push(handset);
    }
    asleep
}

async fn turn(handset: &mut Handset) -> ControlFlow<()> {
    match handset.standing {
        Standing::Managed => act(handset).await,
        Standing::Abandoned => return ControlFlow::Break(()),
        // Some come back.
        Standing::Left { .. } | Standing::Dismissed if handset.dice.random_bool(0.5) => {
            handset.re_enroll().await
        }
        Standing::Left { .. } | Standing::Dismissed => return ControlFlow::Break(()),
    }
    // How it stands now is what matters.
    .unwrap_or(());
    ControlFlow::Continue(())
}

async fn act(handset: &mut Handset) -> Result<(), Over> {
    match handset.dice.random_range(0..100) {
        0..8 => handset.rotate().await,
        8..11 => handset.renew().await,
        11..13 => handset.re_enroll().await,
        13..15 => handset.leave().await,
        15..18 => handset.leave_token().await,
        18..21 => handset.tell_status().await,
        21..26 => handset.use_mac().await,
        _ => {
            let longest = Duration::from_millis(handset.dice.random_range(0..LONGEST_SLEEP));
            handset.wake(longest).await;
            handset.visit().await.map(drop)
        }
    }
}
