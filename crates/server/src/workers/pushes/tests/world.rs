//! A desk without a database and a push service without a network, both of which do what a test wants.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    ChannelKey, DeviceId, Error, Result, TenantId, Timestamp,
    ports::{Deliver, Delivery, PushCredentials, PushJob, PushTarget, SettledPush},
};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};
use uuid::Uuid;

use super::super::{desk::Desk, flow::Flow};

/// How long the service takes for a push.
pub const LATENCY: Duration = Duration::from_millis(20);

/// A desk and a service, and all that happened at them.
#[derive(Default)]
pub struct World {
    books: Mutex<Books>,
    bell: Notify,
}

#[derive(Default)]
pub struct Books {
    pub due: VecDeque<PushJob>,
    pub claimed: HashSet<Vec<u8>>,
    pub most_claimed: usize,
    pub claims: usize,
    pub sent: Vec<Vec<u8>>,
    pub kept: Vec<Vec<u8>>,
    pub settled: Vec<(SettledPush, Delivery)>,
    /// How large each group was.
    pub groups: Vec<usize>,
    /// How long the database takes to settle.
    pub settling: Duration,
    /// How often it fails to claim, and to settle, before it does.
    pub failing_claims: usize,
    pub failing_settlements: usize,
    /// A push that it never takes.
    pub poison: Option<Vec<u8>>,
    /// The tenants whose pushes are not answered, who have no certificate, whose certificate cannot be read, for whom it breaks.
    pub silent: HashSet<TenantId>,
    pub without: HashSet<TenantId>,
    pub unreadable: HashSet<TenantId>,
    pub breaking: HashSet<TenantId>,
}

impl World {
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// The worker begins.
    pub fn begin(self: &Arc<Self>) -> JoinHandle<()> {
        tokio::spawn(Flow::new(self.clone(), self.clone()).run())
    }

    /// Asks for a push to each of `count` devices of `tenant`.
    pub fn ask(&self, tenant: TenantId, count: usize) {
        self.books().due.extend((0..count).map(|_| job(tenant)));
        self.bell.notify_one();
    }

    /// Waits until so many are settled.
    pub async fn settled(&self, count: usize) {
        self.until(|books| books.settled.len() >= count).await;
    }

    /// Waits, as long as an hour of this clock's.
    pub async fn until(&self, is_so: impl Fn(&Books) -> bool) {
        let comes = async {
            while !is_so(&self.books()) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_hours(1), comes).await.expect("it comes to that");
    }

    /// How many pushes of `tenant` are settled.
    pub fn settled_of(&self, tenant: TenantId) -> usize {
        self.books().settled.iter().filter(|(row, _)| row.job.tenant == tenant).count()
    }
}

/// Another one each time.
fn id() -> Uuid {
    static LAST: AtomicU64 = AtomicU64::new(0);
    Uuid::from_u128(LAST.fetch_add(1, Ordering::Relaxed).into())
}

pub fn tenant() -> TenantId {
    TenantId(id())
}

/// A push to a new device; its token is the device's id.
fn job(tenant: TenantId) -> PushJob {
    let device = DeviceId(id());
    let target = PushTarget::Channel { device, channel: ChannelKey::default() };
    let token = device.0.as_bytes().to_vec();
    PushJob { tenant, target, token, magic: "magic".into(), attempts: 0, generation: 1 }
}

#[async_trait]
impl Desk for World {
    async fn claim(&self, limit: u32, except: &[TenantId]) -> Result<Vec<PushJob>> {
        let mut books = self.books();
        books.claims += 1;
        if books.failing_claims > 0 {
            books.failing_claims -= 1;
            return Err(Error::Unavailable("no claims".into()));
        }
        let mut jobs = Vec::new();
        for job in std::mem::take(&mut books.due) {
            if jobs.len() < limit as usize && !except.contains(&job.tenant) {
                assert!(books.claimed.insert(job.token.clone()));
                jobs.push(job);
            } else {
                books.due.push_back(job);
            }
        }
        books.most_claimed = books.most_claimed.max(books.claimed.len());
        Ok(jobs)
    }

    async fn credentials(&self, tenant: TenantId) -> Result<Option<Arc<PushCredentials>>> {
        let books = self.books();
        if books.unreadable.contains(&tenant) {
            return Err(Error::Unavailable("no certificates".into()));
        }
        let topic = tenant.0.to_string();
        let credentials =
            PushCredentials { topic, certificates: Vec::new(), key: Vec::new(), fingerprint: [0; 32] };
        Ok((!books.without.contains(&tenant)).then(|| Arc::new(credentials)))
    }

    async fn keep(&self, jobs: &[PushJob]) -> Result<()> {
        self.books().kept.extend(jobs.iter().map(|job| job.token.clone()));
        Ok(())
    }

    fn judge(&self, job: PushJob, delivery: &Delivery) -> SettledPush {
        SettledPush { job, retry_at: None, token_gone: false, at: self.now(), said: format!("{delivery:?}") }
    }

    async fn settle(&self, settled: &[(SettledPush, Delivery)]) -> Result<()> {
        let takes = self.books().settling;
        sleep(takes).await;
        let mut books = self.books();
        let poisoned = settled.iter().any(|(row, _)| Some(&row.job.token) == books.poison.as_ref());
        if poisoned || books.failing_settlements > 0 {
            books.failing_settlements = books.failing_settlements.saturating_sub(1);
            return Err(Error::Unavailable("no settlements".into()));
        }
        for (row, _) in settled {
            assert!(books.claimed.remove(&row.job.token), "it is settled twice");
        }
        books.groups.push(settled.len());
        books.settled.extend_from_slice(settled);
        Ok(())
    }

    async fn wait(&self, _found: bool) {
        let _ = timeout(Duration::from_secs(1), self.bell.notified()).await;
    }

    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

#[async_trait]
impl Deliver for World {
    async fn push(&self, credentials: Arc<PushCredentials>, token: &[u8], _: &str, _: Timestamp) -> Delivery {
        let tenant = TenantId(credentials.topic.parse().unwrap());
        let (is_silent, breaks) = {
            let mut books = self.books();
            books.sent.push(token.to_vec());
            (books.silent.contains(&tenant), books.breaking.contains(&tenant))
        };
        assert!(!breaks, "a delivery breaks off, as a test wants it");
        if is_silent {
            std::future::pending::<()>().await;
        }
        sleep(LATENCY).await;
        Delivery::Accepted
    }
}
