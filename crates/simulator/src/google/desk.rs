//! Where every request comes first: who asks, is Google there at all, and whose business is it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::keys::Key;
use super::refusal::Refusal;
use super::request::Request;
use super::settings::PretendGoogleSettings;
use super::world::World;
use super::{management, oauth, pubsub, time};

/// How many arrivals are remembered.
const MAX_ARRIVALS: usize = 10_000;

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// `GET`, `POST` …
    pub method: String,
    /// The path with its verb, without the query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

/// What all connections share.
pub(super) struct Desk {
    pub(super) settings: PretendGoogleSettings,
    pub(super) account: Key,
    pub(super) google: Key,
    pub(super) address: SocketAddr,
    world: Mutex<World>,
    arrivals: Mutex<VecDeque<Arrival>>,
    /// Counts changes that pulls and pushes may wait for.
    changes: watch::Sender<u64>,
    /// Whether calls that issue commands are held, and how many are.
    hold: watch::Sender<bool>,
    held: AtomicUsize,
}

impl Desk {
    pub(super) fn new(
        settings: PretendGoogleSettings,
        account: Key,
        google: Key,
        address: SocketAddr,
    ) -> Self {
        let world = Mutex::new(World::new(&settings));
        let (arrivals, changes) = (Mutex::default(), watch::Sender::default());
        let (hold, held) = (watch::Sender::default(), AtomicUsize::default());
        Self { settings, account, google, address, world, arrivals, changes, hold, held }
    }

    /// Looks at the world, or changes what nobody waits for.
    pub(super) fn world<T>(&self, step: impl FnOnce(&mut World) -> T) -> T {
        step(&mut lock(&self.world))
    }

    /// Changes the world, and wakes those who wait for messages.
    pub(super) fn change<T>(&self, step: impl FnOnce(&mut World) -> T) -> T {
        let outcome = self.world(step);
        self.changes.send_modify(|count| *count += 1);
        outcome
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        lock(&self.arrivals).iter().cloned().collect()
    }

    /// What Google's clock says.
    pub(super) fn now(&self) -> SystemTime {
        self.world(|world| world.now())
    }

    pub(super) async fn answer(&self, request: Request) -> Response<Full<Bytes>> {
        let outcome = self.judge(&request).await;
        let (status, body, retry_after) = match outcome {
            Ok(body) => (200, body, None),
            Err(refusal) => (refusal.status, refusal.body, refusal.retry_after),
        };
        self.remember(&request, status);
        let mut response = Response::builder()
            .status(status)
            .header("content-type", "application/json; charset=UTF-8")
            .header("date", httpdate::fmt_http_date(self.now()));
        if let Some(after) = retry_after {
            response = response.header("retry-after", after);
        }
        response.body(Full::from(body.to_string())).unwrap_or_default()
    }

    async fn judge(&self, request: &Request) -> Result<Value, Refusal> {
        if self.world(|world| world.away) {
            return Err(Refusal::away());
        }
        let (method, path, _) = request.route();
        match (method, path.as_slice()) {
            ("POST", ["token"]) => oauth::grant(self, request),
            ("GET", ["oauth2", "v3", "certs"]) => Ok(json!({"keys": [self.google.jwk()]})),
            (_, ["v1", "projects", ..]) => {
                self.authorize(request, oauth::PUBSUB)?;
                self.pubsub(request).await
            }
            (_, ["v1", ..]) => {
                self.authorize(request, oauth::MANAGEMENT)?;
                self.world(World::count_query)?;
                self.world(|world| world.refusal_at(&whole_path(request)))?;
                self.management(request).await
            }
            _ => Err(Refusal::not_found("the path")),
        }
    }

    /// Issuing a command may be held up, and its answer lost.
    async fn management(&self, request: &Request) -> Result<Value, Refusal> {
        if request.verb.as_deref() != Some("issueCommand") {
            return self.change(|world| management::answer(world, request));
        }
        self.wait_while_held().await;
        let answer = self.change(|world| management::answer(world, request))?;
        match self.world(World::loses_answer) {
            true => Err(Refusal::away()),
            false => Ok(answer),
        }
    }

    async fn wait_while_held(&self) {
        let mut hold = self.hold.subscribe();
        self.held.fetch_add(1, Ordering::SeqCst);
        // The sender is ours: it cannot be gone.
        let _ = hold.wait_for(|hold| !hold).await;
        self.held.fetch_sub(1, Ordering::SeqCst);
    }

    /// Holds calls that issue commands, or lets them go on.
    pub(super) fn hold_commands(&self, hold: bool) {
        self.hold.send_replace(hold);
    }

    pub(super) fn held_commands(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// A pull waits for a message, for a while.
    async fn pubsub(&self, request: &Request) -> Result<Value, Refusal> {
        if request.verb.as_deref() != Some("pull") {
            return self.change(|world| pubsub::answer(world, request));
        }
        let mut changes = self.changes();
        let pulled = self.world(|world| pubsub::answer(world, request))?;
        if pulled != json!({}) {
            return Ok(pulled);
        }
        let _ = timeout(self.settings.pull_wait, changes.changed()).await;
        self.world(|world| pubsub::answer(world, request))
    }

    fn authorize(&self, request: &Request, scope: &str) -> Result<(), Refusal> {
        let token = request.authorization.as_deref().and_then(|it| it.strip_prefix("Bearer "));
        let token =
            token.ok_or_else(|| Refusal::unauthenticated("Request is missing required credential"))?;
        self.world(|world| {
            let now = world.now();
            let known = world.access_tokens.get(token).filter(|it| now < it.end);
            let known =
                known.ok_or_else(|| Refusal::unauthenticated("invalid authentication credentials"))?;
            if !known.scopes.iter().any(|it| it == scope) {
                return Err(Refusal::forbidden("Request had insufficient authentication scopes."));
            }
            world.refusals.pop_front().map_or(Ok(()), Err)
        })
    }

    /// What Google claims of itself when it pushes.
    pub(super) fn push_claims(&self, audience: &str, email: &str) -> Value {
        let now = time::seconds(self.now());
        json!({"iss": "https://accounts.google.com", "aud": audience, "azp": "1", "sub": "1",
            "email": email, "email_verified": true, "iat": now, "exp": now + 3600})
    }

    fn remember(&self, request: &Request, status: u16) {
        let path = whole_path(request);
        let mut arrivals = lock(&self.arrivals);
        if arrivals.len() == MAX_ARRIVALS {
            arrivals.pop_front();
        }
        arrivals.push_back(Arrival { method: request.method.to_string(), path, status });
    }
}

/// The path with its verb.
fn whole_path(request: &Request) -> String {
    let verb = request.verb.as_ref().map(|verb| format!(":{verb}")).unwrap_or_default();
    format!("/{}{verb}", request.path.join("/"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
