//! A year of a fleet's writes, with the clock in hand: what polls cost, and how much there is in the end.
//!
//! Every day an operator asks every device for something, devices fetch it and answer, some are away and some say so
//! later, some enroll again, an administrator locks a few with PINs, links are made and purges are asked for; the workers
//! do what they do on a server, and forget what is over. In between everything is measured.
//!
//! By itself it is a small fleet with short memories, which must come to a standstill: as much in the end as in the
//! middle. The real thing, a year of 10,000 devices and 3.65 million commands with the usual settings, prints a table:
//!
//! ```sh
//! REMUDA_GROWTH_DEVICES=10000 REMUDA_GROWTH_DAYS=365 scripts/test -p server --test growth sqlite --no-capture
//! ```
//!
//! Read `life.rs` for what happens in a day, `sample.rs` for what is measured.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to end")]

mod fleet;
mod installation;
mod life;
mod plan;
mod sample;

use installation::Installation;
use plan::Plan;
use sample::{Sample, heading};

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_leaves_a_database_as_large_as_it_was_on_sqlite() {
    stays_flat(Installation::on_sqlite(Plan::from_environment()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_leaves_a_database_as_large_as_it_was_on_postgresql() {
    stays_flat(Installation::on_postgresql(Plan::from_environment()).await).await;
}

async fn stays_flat(mut installation: Installation) {
    let plan = installation.plan;
    println!("{plan}\n{}", heading());
    let mut samples: Vec<Sample> = Vec::new();
    for day in 1..=plan.days {
        life::day(&mut installation, day).await;
        if day % plan.sampled_every == 0 || day == plan.days {
            let sample = installation.sample(day).await;
            println!("{sample}");
            samples.push(sample);
        }
    }
    let last = samples.last().unwrap();
    println!("rows: {:?}", last.rows);
    if plan.is_short() {
        standstill(&samples[samples.len() / 2], last);
    }
    let faults = installation.parts.database.faults().await.unwrap();
    assert_eq!(faults, Vec::<String>::new());
}

/// From the middle on, when everything has been forgotten once, nothing becomes more.
#[track_caller]
fn standstill(middle: &Sample, last: &Sample) {
    for ((table, then), (_, now)) in middle.rows.iter().zip(&last.rows) {
        // A day's work more or less: devices are away by turns.
        assert!(*now <= then + then / 5 + 12, "{table} had {then} rows on day {} and has {now}", middle.day);
    }
    assert!(last.commands > 0 && last.rows.iter().any(|(table, rows)| *table == "commands" && *rows > 0));
    assert!(last.size <= middle.size + middle.size / 4, "{} bytes became {}", middle.size, last.size);
}
