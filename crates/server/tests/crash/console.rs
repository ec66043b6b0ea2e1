//! Administrators at a console: they send commands by the admin API, to many devices in one call, with dedupe
//! keys and with an end, and take some of them back.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use domain::Timestamp;
use rand::{Rng, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    callers::Caller,
    journal::{Answer, Journal, Sent},
    record::{Finding, count},
    world::{Shared, World},
};

/// How long an administrator waits between two calls, milliseconds.
const BETWEEN: std::ops::Range<u64> = 20..120;

/// How many devices are named in one call.
const AT_ONCE: std::ops::Range<usize> = 1..20;

/// In how many milliseconds what has an end is over.
const SOON: std::ops::Range<u64> = 200..3_000;

/// Of so many commands that were sent last, one is taken back.
const LAST: usize = 12;

/// Few, so that they meet.
const KEYS: u32 = 3;

/// The pretend devices know the first of these; what they do not know fails.
const REQUEST_TYPES: [&str; 3] = ["SecurityInfo", "SecurityInfo", "ProfileList"];

/// What was sent last: which command, in whose journal, and where there.
type Recent = VecDeque<(String, Arc<Journal>, usize)>;

/// What is to be sent.
struct Order {
    request_type: &'static str,
    key: Option<String>,
    lasts: Option<Duration>,
    priority: i16,
}

/// Sends commands, and takes some back.
pub async fn console(world: Shared, mut dice: StdRng) {
    let caller = Caller::new(&world);
    let mut recent = Recent::new();
    while !world.is_over() {
        sleep(Duration::from_millis(dice.random_range(BETWEEN))).await;
        if dice.random_ratio(1, 3) {
            take_back(&world, &caller, &recent, &mut dice).await;
            continue;
        }
        let named: HashMap<_, _> =
            (0..dice.random_range(AT_ONCE)).filter_map(|_| world.record.any_device(&mut dice)).collect();
        if !named.is_empty() {
            let order = Order::any(&mut dice);
            recent.extend(send(&world, &caller, &order, named.into_iter().collect()).await);
            recent.drain(..recent.len().saturating_sub(LAST));
        }
    }
}

/// What the server says of a command: status and body.
pub async fn shown(caller: &Caller, uuid: &str) -> Option<(u16, Value)> {
    caller.admin(Method::GET, &format!("commands/{uuid}"), None).await
}

impl Order {
    fn any(dice: &mut StdRng) -> Self {
        Self {
            request_type: REQUEST_TYPES[dice.random_range(0..REQUEST_TYPES.len())],
            key: dice.random_ratio(1, 3).then(|| format!("key {}", dice.random_range(0..KEYS))),
            lasts: dice.random_ratio(1, 3).then(|| Duration::from_millis(dice.random_range(SOON))),
            priority: dice.random_range(-2..3),
        }
    }

    /// The body of the call; when the command is over, by the server's clock.
    fn body(&self, world: &World, names: &[String]) -> Value {
        let end = self.lasts.map(|lasts| Timestamp::from((world.clock)() + lasts).rfc3339());
        json!({
            "devices": names,
            "command": { "RequestType": self.request_type },
            "priority": self.priority,
            "dedupe": self.key,
            "expires": end,
        })
    }
}

/// One call; what it queued.
async fn send(
    world: &World,
    caller: &Caller,
    order: &Order,
    named: Vec<(String, Arc<Journal>)>,
) -> Vec<(String, Arc<Journal>, usize)> {
    let names: Vec<String> = named.iter().map(|(device, _)| format!("serial:{device}")).collect();
    let body = order.body(world, &names);
    // Later than in the body: whoever begins to ask after this comes too late in any case.
    let expires = order.lasts.map(|lasts| Instant::now() + lasts);
    let places: Vec<_> = named
        .iter()
        .map(|(_, journal)| journal.asks_to_send(Sent::now(order.key.clone(), expires)))
        .collect();
    let answered = caller.admin(Method::POST, "commands", Some(body)).await;
    let answer = Answer::of(answered.as_ref().map(|(status, _)| *status));
    // What is over before it is read is refused.
    if let (Answer::Refused(status), None) = (answer, order.lasts) {
        world.record.find(Finding::Wrong(format!("a command for many is answered with {status}")));
    }
    let listed = listed(world, &names, answered.as_ref().map(|(_, body)| body), answer);
    let mut queued = Vec::new();
    for ((name, (_, journal)), place) in names.iter().zip(named).zip(places) {
        let uuid = listed.get(name).cloned();
        journal.note_sent(place, |sent| (sent.answer, sent.uuid) = (answer, uuid.clone()));
        if let Some(uuid) = uuid {
            count(&world.record.tally.sent);
            queued.push((uuid, journal, place));
        }
    }
    queued
}

/// The ids of the commands that the answer lists, by the names of their devices; each device has to be in it once.
fn listed(world: &World, names: &[String], body: Option<&Value>, answer: Answer) -> HashMap<String, String> {
    let Some(body) = body.filter(|_| answer.is_taken()) else { return HashMap::new() };
    let rows = |list: &str| body[list].as_array().cloned().unwrap_or_default();
    let (commands, failed) = (rows("commands"), rows("failed"));
    let mut told: Vec<_> = commands.iter().chain(&failed).filter_map(|row| row["device"].as_str()).collect();
    let mut asked: Vec<_> = names.iter().map(String::as_str).collect();
    told.sort_unstable();
    asked.sort_unstable();
    if told != asked {
        world.record.find(Finding::Wrong(format!("{asked:?} were named, and {told:?} are answered")));
    }
    for row in failed.iter().filter(|row| row["error"].to_string().contains("would refuse")) {
        world.record.find(Finding::Wrong(format!("a command that devices know is refused: {row}")));
    }
    let pair = |row: &Value| Some((row["device"].as_str()?.to_owned(), wire_id(row["uuid"].as_str()?)));
    commands.iter().filter_map(pair).collect()
}

async fn take_back(world: &World, caller: &Caller, recent: &Recent, dice: &mut StdRng) {
    if recent.is_empty() {
        return;
    }
    let (uuid, journal, place) = &recent[dice.random_range(0..recent.len())];
    let mut before = None;
    // From now on it may be gone; one that was taken back stays so.
    journal.note_sent(*place, |sent| before = sent.cancelled.replace(Answer::Missing));
    let answered = caller.admin(Method::POST, &format!("commands/{uuid}/cancel"), None).await;
    let answer = Answer::of(answered.map(|(status, _)| status));
    match answer {
        Answer::Taken(_) => count(&world.record.tally.cancelled),
        // Its device has it or is gone, or it is over.
        Answer::Missing | Answer::Refused(404 | 409) => {}
        Answer::Refused(status) => {
            world.record.find(Finding::Wrong(format!("a command is taken back with {status}")));
        }
    }
    journal.note_sent(*place, |sent| {
        sent.cancelled = Some(match (before, answer) {
            (Some(before @ (Answer::Taken(_) | Answer::Missing)), Answer::Refused(_)) => before,
            _ => answer,
        });
    });
}

/// As the id stands in a `CommandUUID`.
fn wire_id(id: &str) -> String {
    Uuid::parse_str(id).map_or_else(|_| id.to_owned(), |id| id.hyphenated().to_string().to_uppercase())
}
