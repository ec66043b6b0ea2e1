//! One device on several connections at once, each to another server: its network dropped and it began anew,
//! while the servers have not noticed.

use std::collections::HashSet;

use apple::{Envelope, Report};
use reqwest::Method;
use serde_json::json;
use simulator::apple_device::{AppleDevice, By};

use super::canary::poll;
use crate::{callers::Caller, record::Finding, world::World};

/// How often it is tried.
const ROUNDS: usize = 4;

/// Says the same result to all servers at once, again and again: the next command goes to one of them, and
/// what has its result comes back to none.
pub async fn race(world: &World, device: &AppleDevice) {
    let mut over = HashSet::new();
    for _ in 0..ROUNDS {
        queue_three(world, device).await;
        let ids = || device.model().identifiers();
        let Some(first) = ask(world, device, 0, &Report::idle(ids())).await else { continue };
        let mut open = vec![first];
        while let Some(command) = open.pop() {
            let report = Report::acknowledged(ids(), &command);
            over.insert(command);
            let handed = ask_all(world, device, &report).await;
            let distinct: HashSet<_> = handed.iter().collect();
            if distinct.len() < handed.len() {
                let finding = format!("two connections were handed the same command: {handed:?}");
                world.record.find(Finding::Doubled(finding));
            }
            if let Some(command) = handed.iter().find(|command| over.contains(*command)) {
                let finding = format!("{command} was handed over after its result");
                world.record.find(Finding::Doubled(finding));
            }
            open.extend(handed);
        }
        if let Some(left) = ask(world, device, 0, &Report::idle(ids())).await {
            world.record.find(Finding::Wrong(format!("{left} is left over, or came back")));
        }
    }
}

async fn queue_three(world: &World, device: &AppleDevice) {
    let caller = Caller::new(world);
    for _ in 0..3 {
        let name = format!("serial:{}", device.model().serial_number);
        let body = json!({ "devices": [name], "command": { "RequestType": "SecurityInfo" } });
        let sent = caller.admin(Method::POST, "commands", Some(body)).await;
        assert!(matches!(sent, Some((202, _))), "{sent:?}");
    }
}

/// What one server hands over.
async fn ask(world: &World, device: &AppleDevice, server: usize, report: &Report) -> Option<String> {
    let place = world.installation.nodes[server].place;
    let answer = device.send(poll(place, device, report.encode()), By::Itself).await;
    let answer = answer.expect("all servers run");
    assert_eq!(answer.status, 200, "{}", answer.excerpt());
    let is_empty = answer.body.is_empty();
    (!is_empty).then(|| Envelope::parse(&answer.body).expect("a command").command_uuid)
}

/// What all servers hand over, asked at once.
async fn ask_all(world: &World, device: &AppleDevice, report: &Report) -> Vec<String> {
    let ask = |server| ask(world, device, server, report);
    let handed = tokio::join!(ask(0), ask(1), ask(2));
    [handed.0, handed.1, handed.2].into_iter().flatten().collect()
}
