//! Three servers on one PostgreSQL, behind a load balancer: one is killed, one loses its way to the database,
//! one line falls silent, and the others go on.
//!
//! The load and the verdicts are those of the crash test: nothing that was answered with 200 or 202 may be
//! missing, nothing may be done twice. Beside that, `canary` watches that each server answers all the time
//! but in its own trouble, `limits` that they count together, `races` that a device on several connections
//! is handed nothing twice, and `pushes` that each device is woken once. What takes longest are the 15 seconds
//! after which what the dead server had claimed passes to the others. For long runs:
//!
//! ```sh
//! REMUDA_NODES_ROUNDS=50 cargo test -p server --test crash several_nodes -- --nocapture
//! ```

mod canary;
mod limits;
mod pushes;
mod races;
mod relay;

use std::{sync::Arc, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use simulator::apple_device::{AppleDevice, DeviceModel, EnrollOptions};
use testkit::postgres::{Cluster, Durability};
use tokio::{task::JoinSet, time::sleep};

use canary::Canary;
use limits::Application;
use relay::{Front, Line};

use crate::{
    conclude, ending,
    handset::Handset,
    installation::{Addresses, Installation, Place},
    load::Load,
    plan::{self, Plan},
    process::Process,
    record::count,
    world::{Shared, World},
};

/// How many servers there are.
const SERVERS: usize = 3;

/// How many devices are pushed to in the end.
const WOKEN: u64 = 6;

/// The first of the numbers of the devices that are ours alone: far behind those of the load.
const OURS: u64 = 1_000_000;

/// How many devices there are at most for each round of trouble.
const DEVICES_PER_ROUND: u64 = 24;

/// How long a line is silent.
const SILENCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_answer_as_one_while_one_dies_and_another_is_cut_off() {
    let plan = Plan::from_environment();
    let rounds = plan::number("REMUDA_NODES_ROUNDS").unwrap_or(1);
    println!("{SERVERS} servers: {rounds} rounds, REMUDA_CRASH_SEED={}", plan.seed);
    let (world, lines) = build(&plan, rounds).await;
    let mut servers = Vec::new();
    for node in &world.installation.nodes {
        let mut server = Process::start(node);
        server.ready().await;
        servers.push(server);
    }
    let mut devices = Vec::new();
    for number in 0..WOKEN {
        devices.push(enrolled(&world, OURS + number).await);
    }
    races::race(&world, &devices[0]).await;

    let mut trouble = Trouble { canaries: canaries(&world).await, servers, lines };
    let handsets = trouble.under_load(&world, rounds, &plan).await;

    let handsets = ending::look(&world, handsets).await;
    pushes::each_once(&world, &devices).await;
    for device in &mut devices {
        device.connect().await.expect("a device that connects");
    }
    trouble.servers.pop().expect("a server").kill().await;
    let late = world.installation.nodes.last().expect("a server");
    trouble.servers.push(pushes::once_while_another_starts(&world, &devices, late).await);
    for server in trouble.servers {
        server.kill().await;
    }
    ending::look_at_what_is_left(&world, &handsets).await;
    conclude(&world, "several servers");
}

async fn build(plan: &Plan, rounds: u32) -> (Shared, Vec<Line>) {
    let mut dice = StdRng::seed_from_u64(plan.seed);
    let cluster = Cluster::start(Durability::On);
    let lines: Vec<_> = (0..SERVERS).map(|_| Line::to(cluster.url())).collect();
    let places: Vec<_> = (0..SERVERS).map(|_| Place::any(&mut dice)).collect();
    let devices = Front::start(places.iter().map(|place| place.device_port).collect()).await;
    let people = Front::start(places.iter().map(|place| place.api_port).collect()).await;
    let addresses = Addresses { device_url: devices.url(), api_url: people.url() };
    let most_devices = u64::from(rounds) * DEVICES_PER_ROUND;
    let nodes = places.into_iter().zip(lines.iter().map(Line::url));
    let world = World::around(most_devices, |apns| Installation::of_nodes(cluster, apns, addresses, nodes));
    (Arc::new(world.await), lines)
}

/// A device that nobody else knows of, with nothing left to do.
async fn enrolled(world: &Shared, number: u64) -> AppleDevice {
    let known = world.clone();
    let options = EnrollOptions::new(&world.installation.link, DeviceModel::nth(number), world.clock.clone())
        .keys(world.keys.clone())
        .push_service(Arc::new(move |address| drop(known.apns.register(&address.token, &address.magic))));
    let options = EnrollOptions { transport: world.transport.clone(), ..options };
    let mut device = AppleDevice::enroll(options).await.expect("a device that enrolls");
    let mut is_busy = true;
    while is_busy {
        is_busy = !device.connect().await.expect("a device that connects").is_empty();
    }
    device
}

/// One for each server; their devices are not among those that are purged.
async fn canaries(world: &Shared) -> Vec<Arc<Canary>> {
    let mut canaries = Vec::new();
    for (number, node) in (OURS * 2..).zip(&world.installation.nodes) {
        canaries.push(Arc::new(Canary::new(world, node.place, enrolled(world, number).await)));
    }
    canaries
}

/// What can happen to servers, and who watches.
struct Trouble {
    canaries: Vec<Arc<Canary>>,
    servers: Vec<Process>,
    lines: Vec<Line>,
}

impl Trouble {
    /// So many rounds of everything, while everyone is busy; all devices.
    async fn under_load(&mut self, world: &Shared, rounds: u32, plan: &Plan) -> Vec<Handset> {
        let mut dice = plan.dice();
        let mut watchers = JoinSet::new();
        for canary in self.canaries.clone() {
            let world = world.clone();
            watchers.spawn(async move { canary.sing(&world).await });
        }
        watchers.spawn(Application::register(&world.installation).hurry(world.clone()));
        let load = Load::begin(world, &mut dice);
        let mut dice = dice();
        self.all_go_on(None).await;
        for _ in 0..rounds {
            if !world.record.has_gone_wrong() {
                self.one_dies(world, dice.random_range(0..SERVERS)).await;
                self.one_is_cut_off(dice.random_range(0..SERVERS)).await;
                self.one_line_is_silent(dice.random_range(0..SERVERS)).await;
            }
        }
        let handsets = load.end().await;
        watchers.join_all().await;
        handsets
    }

    async fn one_dies(&mut self, world: &World, which: usize) {
        self.canaries[which].trouble_begins();
        self.servers.remove(which).kill().await;
        count(&world.record.tally.kills);
        self.all_go_on(Some(which)).await;
        let mut server = Process::start(&world.installation.nodes[which]);
        server.ready().await;
        self.servers.insert(which, server);
        self.canaries[which].trouble_ends().await;
    }

    async fn one_is_cut_off(&self, which: usize) {
        self.canaries[which].trouble_begins();
        self.lines[which].cut();
        self.canaries[which].is_not_ready().await;
        self.all_go_on(Some(which)).await;
        self.lines[which].mend();
        self.canaries[which].trouble_ends().await;
    }

    async fn one_line_is_silent(&self, which: usize) {
        self.canaries[which].trouble_begins();
        self.lines[which].fall_silent();
        sleep(SILENCE).await;
        self.lines[which].mend();
        self.canaries[which].trouble_ends().await;
        self.all_go_on(None).await;
    }

    /// All servers but one answer.
    async fn all_go_on(&self, but: Option<usize>) {
        for (place, canary) in self.canaries.iter().enumerate() {
            if Some(place) != but {
                canary.goes_on().await;
            }
        }
    }
}
