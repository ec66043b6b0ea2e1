//! What every test of the APNs client starts with.

mod answers;
mod connections;
mod failures;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use outbound::apns::{Apns, ApnsSettings, Credentials, Outcome, Push};
use simulator::apns::{Counters, PretendApns, PretendApnsSettings, push_certificate};
use tokio::task::JoinSet;

const TOPIC: &str = "com.apple.mgmt.External.5f1b0e7a";
const MAGIC: &str = "C53BD2A5-7C1A-4F6B-9A61-0E4A5A3B2C1D";
const KEPT: Duration = Duration::from_secs(3600);

/// When all tests take place: 14 November 2023.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn credentials(topic: &str, name: u8) -> Credentials<'_> {
    let made = push_certificate(topic).unwrap();
    let certificate_chain = vec![made.certificate];
    Credentials { topic, fingerprint: [name; 32], certificate_chain, key: made.key }
}

fn push_to(token: &[u8]) -> Push<'_> {
    Push { token, magic: MAGIC }
}

/// A token that differs for each `number`.
fn token(number: usize) -> [u8; 32] {
    let mut token = [0xab; 32];
    token[..8].copy_from_slice(&number.to_be_bytes());
    token
}

/// A pretend APNs, and a client that knows and trusts it.
struct World {
    pretend: PretendApns,
    apns: Apns,
    credentials: Credentials<'static>,
}

impl World {
    async fn start() -> Arc<Self> {
        Self::with(|_| {}, |_| {}).await
    }

    async fn with(
        service: impl FnOnce(&mut PretendApnsSettings),
        client: impl FnOnce(&mut ApnsSettings),
    ) -> Arc<Self> {
        let mut settings = PretendApnsSettings::new(TOPIC, Arc::new(now));
        service(&mut settings);
        let pretend = PretendApns::start(settings).await.unwrap();
        let mut settings = ApnsSettings::new(pretend.url());
        settings.extra_roots = vec![pretend.root_certificate_der()];
        settings.expiration = KEPT;
        client(&mut settings);
        let apns = Apns::new(settings).unwrap();
        Arc::new(Self { pretend, apns, credentials: credentials(TOPIC, 1) })
    }

    async fn push(&self, push: Push<'_>) -> Outcome {
        self.apns.push(&self.credentials, push, now()).await
    }

    /// Starts one push for each number, each to its own device, which is made known and stays offline.
    fn push_all(self: &Arc<Self>, numbers: std::ops::Range<usize>) -> JoinSet<Outcome> {
        let mut pushes = JoinSet::new();
        for number in numbers {
            drop(self.pretend.register(&token(number), MAGIC));
            let world = Arc::clone(self);
            pushes.spawn(async move { world.push(push_to(&token(number))).await });
        }
        pushes
    }

    /// Waits for an event at the pretend APNs; a minute is far more than any takes.
    async fn until(&self, happened: impl FnMut(&Counters) -> bool) -> Counters {
        let mut counters = self.pretend.watch();
        let waited = tokio::time::timeout(Duration::from_secs(60), counters.wait_for(happened)).await;
        waited.unwrap_or_else(|_| panic!("it never happened: {:?}", self.pretend.counters())).unwrap().clone()
    }

    /// Asserts that each of the first `count` devices has got a push.
    fn assert_all_reached(&self, count: usize) {
        let reached: std::collections::HashSet<_> =
            self.pretend.pushes().into_iter().map(|arrival| arrival.token).collect();
        assert_eq!(reached, (0..count).map(|number| token(number).to_vec()).collect());
    }
}

#[track_caller]
fn assert_accepted(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Accepted { apns_id: Some(_) }), "{outcome:?}");
}

#[track_caller]
fn reason_to_wait(outcome: Outcome) -> String {
    match outcome {
        Outcome::TryLater { after: None, why } => why,
        other => panic!("{other:?}"),
    }
}
