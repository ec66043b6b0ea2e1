//! Who uses the two published APIs while the server is killed: administrators who lock devices, and an
//! operator who has devices deleted.

use std::{sync::Arc, time::Duration};

use rand::{Rng, rngs::StdRng};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::server::Api;
use tokio::time::sleep;
use uuid::Uuid;

use crate::{
    journal::{Answer, Journal},
    record::{Finding, count},
    world::{Shared, World},
};

/// How long an administrator waits between two calls, milliseconds.
const BETWEEN_LOCKS: std::ops::Range<u64> = 5..60;

/// How long the operator waits between two calls, milliseconds; five in a second are allowed.
const BETWEEN_PURGES: std::ops::Range<u64> = 250..900;

/// How many devices of nobody are in a purge too: it takes longer, so that it is killed more often.
const STRANGERS: std::ops::Range<usize> = 0..40;

/// A client of both APIs, whose calls may stay without an answer.
pub struct Caller {
    api: Api,
    api_key: String,
    application: (String, String),
    customer: String,
}

/// Locks one device after the other.
pub async fn administrator(world: Shared, mut dice: StdRng) {
    let caller = Caller::new(&world);
    while !world.is_over() {
        if let Some((device, journal)) = world.record.any_device(&mut dice) {
            caller.lock(&world, &device, &journal).await;
        }
        sleep(Duration::from_millis(dice.random_range(BETWEEN_LOCKS))).await;
    }
}

/// Deletes a few devices.
pub async fn operator(world: Shared, mut dice: StdRng) {
    let caller = Caller::new(&world);
    while !world.is_over() {
        sleep(Duration::from_millis(dice.random_range(BETWEEN_PURGES))).await;
        let mut named = Vec::new();
        for _ in 0..dice.random_range(1..=3) {
            let Some((device, journal)) = world.record.any_device(&mut dice) else { continue };
            if let Some(client_id) = caller.client_id(&device).await {
                named.push((client_id, journal));
            }
        }
        if !named.is_empty() {
            let strangers = dice.random_range(STRANGERS);
            let strangers: Vec<_> = (0..strangers).map(|_| Uuid::from_u128(dice.random())).collect();
            let taken = caller.purge(&world, &named, &strangers).await;
            (0..taken).for_each(|_| count(&world.record.tally.purges));
        }
    }
}

impl Caller {
    /// With the key and the application of the installation.
    pub fn new(world: &World) -> Self {
        Self::at(world, &world.installation.api_url)
    }

    /// The same at one server.
    pub fn at(world: &World, url: &str) -> Self {
        let installation = &world.installation;
        Self {
            api: Api::new(url, &installation.api_key),
            api_key: installation.api_key.clone(),
            application: installation.application.clone(),
            customer: installation.tenant.clone(),
        }
    }

    /// Locks a device with a message of its own; the message and what became of the call.
    pub async fn lock(&self, world: &World, device: &str, journal: &Journal) -> (String, Answer) {
        let message = world.next_message();
        let place = journal.asks_lock(&message);

        let answer = self.device("lockscreen", &json!({ "serialnumber": device, "message": message })).await;
        let answer = Answer::of(answer.map(|(status, _)| status));
        journal.lock_answered(place, answer);
        match answer {
            Answer::Taken(_) => count(&world.record.tally.locks),
            // It is gone, or not managed now.
            Answer::Missing | Answer::Refused(404 | 409) => {}
            Answer::Refused(status) => {
                world.record.find(Finding::Wrong(format!("{device}: a lock is answered with {status}")));
            }
        }
        (message, answer)
    }

    /// What `device/info` says: its status, and the device.
    pub async fn info(&self, name: &Value) -> Option<(u16, Value)> {
        let (status, body) = self.device("info", name).await?;
        Some((status, body["deviceinfo"].clone()))
    }

    async fn client_id(&self, device: &str) -> Option<String> {
        let (_, info) = self.info(&json!({ "serialnumber": device })).await?;
        info["clientid"].as_str().map(str::to_owned)
    }

    /// Has records deleted, all in one call, and some that are not there; how many that are.
    async fn purge(&self, world: &World, named: &[(String, Arc<Journal>)], strangers: &[Uuid]) -> usize {
        let Some(token) = self.token().await else { return 0 };
        let places: Vec<_> = named.iter().map(|(client_id, journal)| journal.asks_purge(client_id)).collect();
        let guids = named.iter().filter_map(|(client_id, _)| Uuid::parse_str(client_id).ok());
        // The lifecycle API writes the same number with hyphens.
        let guids = guids.chain(strangers.iter().copied()).map(|id| id.hyphenated().to_string());
        let guids: Vec<_> = guids.collect();
        let path = format!("/device-lifecycle/v1/{}/devices/purge/async/external", self.customer);
        let request =
            self.api.request(Method::POST, &path).bearer_auth(token).json(&json!({ "guids": guids }));
        let answer = Answer::of(send(request).await.map(|(status, _)| status));
        for ((_, journal), place) in named.iter().zip(places) {
            journal.purge_answered(place, answer);
        }
        if let Answer::Refused(status) = answer
            && status != 429
        {
            world.record.find(Finding::Wrong(format!("a purge is answered with {status}")));
        }
        if answer.is_taken() { named.len() } else { 0 }
    }

    async fn token(&self) -> Option<String> {
        let (id, secret) = &self.application;
        let (_, body) =
            send(self.api.request(Method::POST, "/v1/login").basic_auth(id, Some(secret))).await?;
        body["token"].as_str().map(str::to_owned)
    }

    /// A call of the admin API.
    pub async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Option<(u16, Value)> {
        let request = self.api.request(method, &format!("/api/admin/v1/{path}")).bearer_auth(&self.api_key);
        send(body.iter().fold(request, RequestBuilder::json)).await
    }

    async fn device(&self, call: &str, body: &Value) -> Option<(u16, Value)> {
        let path = format!("/api/mdm/v2/device/{call}");
        let key = format!("Api-Key {}", self.api_key);
        send(self.api.request(Method::POST, &path).header("authorization", key).json(body)).await
    }

    /// How much waits for these workers.
    pub async fn backlog(&self, queues: &[&str]) -> Option<u64> {
        let text = self.api.request(Method::GET, "/metrics").send().await.ok()?.text().await.ok()?;
        queues.iter().map(|queue| gauge(&text, queue)).sum()
    }

    /// What its health check says; `None` if it does not answer.
    pub async fn readiness(&self) -> Option<u16> {
        let answer = self.api.request(Method::GET, "/readyz").send().await.ok()?;
        Some(answer.status().as_u16())
    }
}

/// Status and body; `None` if there was no answer.
async fn send(request: RequestBuilder) -> Option<(u16, Value)> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let text = response.text().await.unwrap_or_default();
    Some((status, serde_json::from_str(&text).unwrap_or_default()))
}

fn gauge(metrics: &str, queue: &str) -> Option<u64> {
    let name = format!("remuda_outbox_backlog{{queue=\"{queue}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&name))?.trim().parse().ok()
}
