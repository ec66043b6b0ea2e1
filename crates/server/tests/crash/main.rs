//! Kills the server with SIGKILL in the middle of its work, again and again, and asks afterwards whether it
//! kept its word.
//!
//! The real program runs on a folder of its own, or on a PostgreSQL that is as durable as in production.
//! Strict pretend devices enroll, answer commands, change their push tokens, renew their certificates, report
//! their status, leave bootstrap tokens, have users, leave and come back; administrators ask for locks by the
//! Device API and send, replace and take back commands by the admin API, and an operator purges devices by
//! the lifecycle API. Whatever gets no answer is said again, as real devices do. When the killing is over,
//! nothing that was answered with 200 or 202 may be missing, and nothing may have been done twice.
//!
//! By itself it kills a few times. For long runs:
//!
//! ```sh
//! REMUDA_CRASH_KILLS=500 cargo test -p server --test crash -- --nocapture --test-threads 1
//! ```
//!
//! `REMUDA_CRASH_SEED` repeats the choices of an earlier run, whose first line names it; their timing stays a
//! matter of luck. `nodes.rs` is the same for three servers on one PostgreSQL. Read `handset.rs` for what a device does, `verdict.rs` for what must be so in the end.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to end")]

mod callers;
mod console;
mod ending;
mod handset;
mod installation;
mod journal;
mod killer;
mod life;
mod load;
mod nodes;
mod plan;
mod process;
mod record;
mod verdict;
mod world;

use std::sync::Arc;

use installation::Database;
use load::Load;
use plan::Plan;
use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_kills_on_sqlite() {
    survives(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_kills_on_postgresql() {
    survives(Database::Postgresql).await;
}

async fn survives(database: Database) {
    let plan = Plan::from_environment();
    println!("{database}: {} kills, REMUDA_CRASH_SEED={}", plan.kills, plan.seed);
    let world = Arc::new(World::make(database, &plan).await);
    let mut dice = plan.dice();
    let load = Load::begin(&world, &mut dice);
    let server = killer::kill_again_and_again(&world, plan.kills, dice()).await;
    let handsets = load.end().await;
    let handsets = ending::look(&world, handsets).await;
    server.kill().await;
    ending::look_at_what_is_left(&world, &handsets).await;
    conclude(&world, &database.to_string());
}

/// Tells what happened, and ends the test where something must not have.
fn conclude(world: &World, name: &str) {
    println!("{name}: {}", world.record.figures());
    let findings = world.record.findings();
    let folder = world.installation.file("");
    assert!(findings.is_empty(), "see {}:\n{}", folder.display(), findings.join("\n"));
    world.installation.remove();
}
