//! A server without listeners, whose workers work when they are told to, on either database.

use std::sync::Arc;

use domain::{Actor, TenantId, Timestamp, ports::Clock};
use server::{
    adapters::SystemRandom,
    config::{Config, Settings},
    wire::{Ground, Parts},
};
use tempfile::TempDir;
use testkit::{clock::HandClock, postgres::TestDatabase};

use crate::{fleet::Fleet, plan::Plan};

/// What there is to simulate with.
pub struct Installation {
    pub plan: Plan,
    pub parts: Parts,
    pub clock: HandClock,
    pub tenant: TenantId,
    pub fleet: Fleet,
    /// How many commands were carried out.
    pub commands: u64,
    pub postgresql: Option<TestDatabase>,
    _folder: TempDir,
}

impl Installation {
    pub async fn on_sqlite(plan: Plan) -> Self {
        Self::open(plan, None).await
    }

    pub async fn on_postgresql(plan: Plan) -> Self {
        Self::open(plan, Some(TestDatabase::new().await)).await
    }

    async fn open(plan: Plan, postgresql: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let settings = Settings {
            data: Some(folder.path().join("data")),
            database: postgresql.as_ref().map(|database| database.url().to_owned()),
            device_listen: Some("127.0.0.1:0".into()),
            api_listen: Some("127.0.0.1:0".into()),
            tls: Some("off".into()),
            history: Some(hours(plan.history)),
            audit: Some(hours(plan.audit)),
            archive: Some(hours(plan.archive)),
            ..Settings::default()
        };
        let clock = HandClock::default();
        clock.stop();
        let ground = Ground { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom::default()) };
        let parts = Parts::open(&Config::new(settings).unwrap(), ground).await.unwrap();
        let tenant = parts.mdm.add_tenant("Growth").await.unwrap().id;
        let fleet = Fleet::default();
        let mut it = Self { plan, parts, clock, tenant, fleet, commands: 0, postgresql, _folder: folder };
        it.enroll_all().await;
        it
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whoever sits at the machine.
    pub fn operator(&self) -> Actor {
        Actor::local(self.tenant)
    }

    async fn enroll_all(&mut self) {
        let ends = self.now().plus(self.plan.certificates);
        for _ in 0..self.plan.devices.div_ceil(500) {
            let mut tx = self.parts.database.store.begin(self.tenant).await.unwrap();
            let left = self.plan.devices - self.fleet.len();
            for _ in 0..left.min(500) {
                self.fleet.enroll(&mut *tx, self.clock.now(), ends).await;
            }
            tx.commit().await.unwrap();
        }
    }
}

fn hours(time: std::time::Duration) -> String {
    format!("{}h", time.as_secs() / 3600)
}
