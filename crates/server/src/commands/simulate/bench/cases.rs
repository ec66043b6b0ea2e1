//! What callers do: each has devices of its own, so that no device says two things at once.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::Deserialize;
use simulator::load::{Hand, Line, LoadDevice, Message, Preparing, Target, Unanswered};
use tokio::time::Instant;

type Worked = Result<Option<Duration>, Unanswered>;

/// One poll in so many brings a command, on a mixed day.
const COMMAND_EVERY: usize = 100;

/// Says the same thing for one device after the other, and wants an empty answer.
pub struct Sayer {
    line: Line,
    devices: Vec<Arc<LoadDevice>>,
    what: fn(&LoadDevice) -> &Message,
    turn: usize,
}

/// Answers commands, each answer bringing the next: in each round one of every device that has one, made and signed before.
pub struct Reporter {
    line: Line,
    idle: Vec<Arc<LoadDevice>>,
    /// With the identifiers of the commands that they have yet to answer.
    busy: Vec<(Arc<LoadDevice>, String)>,
    ready: Vec<(Arc<LoadDevice>, Message)>,
}

/// Has commands queued for its devices, fetches each and answers it.
pub struct RoundTripper {
    line: Line,
    api: Line,
    devices: Vec<Arc<LoadDevice>>,
    /// Queues a command for all of them; `None` once nothing more is to be queued.
    order: Option<Message>,
    waiting: Vec<usize>,
}

/// A day in short: a poll of one device after the other, and now and then a command.
pub struct Day {
    line: Line,
    api: Line,
    devices: Vec<(Arc<LoadDevice>, Message)>,
    turn: usize,
}

/// Connects anew for every poll.
pub struct Newcomer {
    target: Target,
    devices: Vec<Arc<LoadDevice>>,
    turn: usize,
}

impl Sayer {
    /// Says `what`.
    pub fn new(line: Line, devices: Vec<Arc<LoadDevice>>, what: fn(&LoadDevice) -> &Message) -> Self {
        Self { line, devices, what, turn: 0 }
    }
}

impl Hand for Sayer {
    async fn work(&mut self) -> Worked {
        let device = next(&self.devices, &mut self.turn)?;
        timed_nothing(&mut self.line, (self.what)(device)).await
    }
}

impl Reporter {
    /// Its devices have yet to [`fetch`](Self::fetch) what they will report.
    pub fn new(line: Line, devices: Vec<Arc<LoadDevice>>) -> Self {
        Self { line, idle: devices, busy: Vec::new(), ready: Vec::new() }
    }

    /// Fetches a first command for each of its devices.
    ///
    /// # Errors
    /// Where there is none, or no answer.
    pub async fn fetch(&mut self) -> Result<(), Unanswered> {
        for device in std::mem::take(&mut self.idle) {
            let (_, body) = timed(&mut self.line, &device.idle).await?;
            let uuid =
                command_uuid(&body).ok_or_else(|| Unanswered("a queued command did not come".into()))?;
            self.busy.push((device, uuid));
        }
        Ok(())
    }

    /// How many of its devices have a command to answer.
    pub fn busy(&self) -> usize {
        self.busy.len() + self.ready.len()
    }
}

impl Hand for Reporter {
    /// A report, until none is ready.
    async fn work(&mut self) -> Worked {
        let Some((device, report)) = self.ready.pop() else { return Ok(None) };
        let (took, body) = timed(&mut self.line, &report).await?;
        if let Some(uuid) = command_uuid(&body) {
            self.busy.push((device, uuid));
        }
        Ok(Some(took))
    }
}

impl Preparing for Reporter {
    fn prepare(&mut self) -> Result<(), Unanswered> {
        for (device, uuid) in self.busy.drain(..) {
            let report = device.acknowledged(&uuid)?;
            self.ready.push((device, report));
        }
        Ok(())
    }
}

impl RoundTripper {
    /// `order` queues one command for each of `devices`.
    pub fn new(line: Line, api: Line, devices: Vec<Arc<LoadDevice>>, order: Message) -> Self {
        Self { line, api, devices, order: Some(order), waiting: Vec::new() }
    }

    /// Fetches and answers what it has queued, and no more.
    #[must_use]
    pub fn ending(self) -> Self {
        Self { order: None, ..self }
    }
}

impl Hand for RoundTripper {
    async fn work(&mut self) -> Worked {
        if let Some(order) = self.order.as_ref().filter(|_| self.waiting.is_empty()) {
            queued(&mut self.api, order).await?;
            self.waiting.extend(0..self.devices.len());
        }
        let Some(device) = self.waiting.pop().and_then(|place| self.devices.get(place)) else {
            return Ok(None);
        };
        fetch_and_answer(&mut self.line, device).await.map(Some)
    }
}

impl Day {
    /// Each device comes with what queues a command for it; `turn` is where the round begins.
    pub fn new(line: Line, api: Line, devices: Vec<(Arc<LoadDevice>, Message)>, turn: usize) -> Self {
        Self { line, api, devices, turn }
    }
}

impl Hand for Day {
    async fn work(&mut self) -> Worked {
        let (device, order) = next(&self.devices, &mut self.turn)?;
        if self.turn.is_multiple_of(COMMAND_EVERY) {
            queued(&mut self.api, order).await?;
            return fetch_and_answer(&mut self.line, device).await.map(Some);
        }
        timed_nothing(&mut self.line, &device.idle).await
    }
}

impl Newcomer {
    /// Polls at `target`, each time as another device.
    pub fn new(target: Target, devices: Vec<Arc<LoadDevice>>) -> Self {
        Self { target, devices, turn: 0 }
    }
}

impl Hand for Newcomer {
    async fn work(&mut self) -> Worked {
        let device = next(&self.devices, &mut self.turn)?;
        let target = Target { tls: Some(device.tls()?), ..self.target.clone() };
        let began = Instant::now();
        let mut line = Line::open(&target).await?;
        nothing(&line.ask(&device.idle).await?.fine()?)?;
        Ok(Some(began.elapsed()))
    }
}

fn next<'a, T>(all: &'a [T], turn: &mut usize) -> Result<&'a T, Unanswered> {
    *turn += 1;
    all.get(*turn % all.len().max(1)).ok_or_else(|| Unanswered("a caller without devices".into()))
}

async fn timed(line: &mut Line, message: &Message) -> Result<(Duration, Bytes), Unanswered> {
    let began = Instant::now();
    let answer = line.ask(message).await?;
    Ok((began.elapsed(), answer.fine()?))
}

async fn timed_nothing(line: &mut Line, message: &Message) -> Worked {
    let (took, body) = timed(line, message).await?;
    nothing(&body).map(|()| Some(took))
}

fn nothing(body: &Bytes) -> Result<(), Unanswered> {
    if body.is_empty() { Ok(()) } else { Err(Unanswered("a command came that nobody sent".into())) }
}

/// Polls until the command is there: it was queued before, so that the first poll must bring it.
async fn fetch_and_answer(line: &mut Line, device: &LoadDevice) -> Result<Duration, Unanswered> {
    let (fetching, body) = timed(line, &device.idle).await?;
    let uuid = command_uuid(&body).ok_or_else(|| Unanswered("a queued command did not come".into()))?;
    let (answering, body) = timed(line, &device.acknowledged(&uuid)?).await?;
    nothing(&body)?;
    Ok(fetching + answering)
}

/// Queues a command, which all of its devices must take; how long the answer took, without reading it.
pub async fn queued(api: &mut Line, order: &Message) -> Result<Duration, Unanswered> {
    let (took, answer) = timed(api, order).await?;
    let Queued { failed } = serde_json::from_slice(&answer)
        .map_err(|error| Unanswered(format!("the answer of the admin API: {error}")))?;
    match failed.first() {
        None => Ok(took),
        Some(first) => Err(Unanswered(format!("a command was not queued: {first}"))),
    }
}

/// What is of interest in the answer: those that are queued are many.
#[derive(Deserialize)]
struct Queued {
    failed: Vec<serde_json::Value>,
}

/// The `CommandUUID` of a command, cut out rather than parsed: the caller's time is not what is measured.
fn command_uuid(plist: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(plist).ok()?;
    let (_, rest) = text.split_once("<key>CommandUUID</key>")?;
    let (uuid, _) = rest.split_once("<string>")?.1.split_once("</string>")?;
    Some(uuid.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uuid_of_a_command_is_found() {
        let plist = b"<plist><dict><key>Command</key><dict/><key>CommandUUID</key>\n <string>u-1</string></dict></plist>";
        assert_eq!(command_uuid(plist), Some("u-1".to_owned()));
        assert_eq!(command_uuid(b""), None);
        assert_eq!(command_uuid(b"<key>CommandUUID</key><string>"), None);
    }

    #[test]
    fn devices_take_turns() {
        let mut turn = 0;
        let said: Vec<_> = (0..4).map(|_| *next(&['a', 'b', 'c'], &mut turn).unwrap()).collect();
        assert_eq!(said, ['b', 'c', 'a', 'b']);
        assert!(next::<char>(&[], &mut turn).is_err());
    }
}
