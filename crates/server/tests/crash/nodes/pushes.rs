//! Every device that is needed is woken once, whichever servers are at it.

use std::{collections::HashMap, time::Duration};

use simulator::apple_device::AppleDevice;
use testkit::patience::within;
use tokio::time::sleep;

use crate::{callers::Caller, installation::Node, process::Process, record::Finding, world::World};

/// How long all servers have to do what they must not: each looks for work once in a second.
const TEMPTATION: Duration = Duration::from_millis(1_500);

/// How long to wait between two looks.
const MOMENT: Duration = Duration::from_millis(20);

/// Locks each device by another server: each gets one push.
pub async fn each_once(world: &World, devices: &[AppleDevice]) {
    let before = world.apns.counters().arrived;
    lock_all(world, devices, &world.installation.nodes).await;
    all_sent(world, devices, before).await;
    judge(world, devices, before, "with all servers at work");
}

/// The same while APNs takes its time and one more server starts: what the others are at is not its own. Each of them is asked
/// to wake one device.
pub async fn once_while_another_starts(world: &World, devices: &[AppleDevice], late: &Node) -> Process {
    let before = world.apns.counters().arrived;
    world.apns.hold();
    let nodes: Vec<_> = world.installation.nodes.iter().filter(|node| !is(node, late)).cloned().collect();
    let devices = &devices[..nodes.len()];
    lock_all(world, devices, &nodes).await;
    let enough = before + devices.len() as u64;
    let under_way = async { world.apns.watch().wait_for(|so_far| so_far.arrived >= enough).await.map(drop) };
    within("all pushes are under way", under_way).await.expect("the pretend APNs runs");
    let mut process = Process::start(late);
    process.ready().await;
    sleep(TEMPTATION).await;
    world.apns.release();
    all_sent(world, devices, before).await;
    judge(world, devices, before, "while another server started");
    process
}

fn is(node: &Node, other: &Node) -> bool {
    node.place.api_port == other.place.api_port
}

/// Asks the nodes in turn.
async fn lock_all(world: &World, devices: &[AppleDevice], nodes: &[Node]) {
    let callers: Vec<_> =
        nodes.iter().map(|node| Caller::at(world, &node.place.addresses().api_url)).collect();
    for (place, device) in devices.iter().enumerate() {
        let name = &device.model().serial_number;
        let (_, answer) = callers[place % callers.len()].lock(world, name, &Default::default()).await;
        assert!(answer.is_taken(), "{name} cannot be locked: {answer:?}");
    }
}

/// Waits until each device got a push, and then for as long as it takes a server to send one more.
async fn all_sent(world: &World, devices: &[AppleDevice], before: u64) {
    let sent = async {
        while pushes(world, devices, before).values().any(|times| *times == 0) {
            sleep(MOMENT).await;
        }
    };
    within("every device gets a push", sent).await;
    sleep(TEMPTATION).await;
}

/// How many pushes each device got that were not there before.
fn pushes(world: &World, devices: &[AppleDevice], before: u64) -> HashMap<Vec<u8>, u32> {
    let token = |device: &AppleDevice| device.push_address().token.clone();
    let mut pushes: HashMap<_, u32> = devices.iter().map(|device| (token(device), 0)).collect();
    for push in world.apns.pushes().into_iter().filter(|push| push.order > before) {
        pushes.entry(push.token).and_modify(|times| *times += 1);
    }
    pushes
}

fn judge(world: &World, devices: &[AppleDevice], before: u64, when: &str) {
    let pushes = pushes(world, devices, before);
    let odd: Vec<_> = pushes.values().filter(|times| **times != 1).collect();
    if !odd.is_empty() {
        let finding = format!("of {} devices some got so many pushes {when}: {odd:?}", devices.len());
        world.record.find(Finding::Doubled(finding));
    }
}
