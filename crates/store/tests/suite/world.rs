//! A database to test on, and what a test puts there.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::{
    CertificateState, Channel, ChannelKey, Command, CommandId, CommandState, Device, DeviceId, Enrollment,
    EnrollmentId, EnrollmentState, Facts, IdentityCertificate, LinkId, Schedule, TenantId, Timestamp,
    ports::{Answer, Poll, PollAnswer, ReportStep, TokenStep, Tx},
};
use pki::Fingerprint;
use store::{Opened, StoreSettings};
use uuid::Uuid;

use super::super::Place;

pub const NOW: Timestamp = Timestamp(1_750_000_000_000);

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A number that no other call gives; later ones are greater.
pub fn number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// An id that sorts behind every one before.
pub fn id() -> Uuid {
    Uuid::from_u64_pair(0x0192_0000_0000_7000 + number(), 0x8000_0000_0000_0000)
}

/// A digest like no other.
pub fn digest() -> [u8; 32] {
    let mut digest = [0xd1; 32];
    digest[24..].copy_from_slice(&number().to_be_bytes());
    digest
}

pub fn later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1000)
}

/// An open database and a tenant in it.
pub struct World {
    pub db: Opened,
    pub tenant: TenantId,
    pub place: Place,
}

impl World {
    pub async fn new() -> Self {
        let place = Place::new().await;
        let db = store::open(&StoreSettings::new(place.url())).await.unwrap();
        Self { db, tenant: TenantId(id()), place }
    }

    /// A transaction of our tenant.
    pub async fn tx(&self) -> Box<dyn Tx> {
        self.db.store.begin(self.tenant).await.unwrap()
    }

    /// One that only reads.
    pub async fn look(&self) -> Box<dyn Tx> {
        self.db.store.read(self.tenant).await.unwrap()
    }

    /// A device that has enrolled, its certificate pinned and its device channel known.
    pub async fn phone(&self) -> Phone {
        let phone = Phone::new(self.tenant);
        let mut tx = self.tx().await;
        phone.enroll(&mut *tx).await;
        tx.commit().await.unwrap();
        phone
    }

    pub async fn poll(&self, step: Poll) -> PollAnswer {
        self.answer(step).await.served.expect("the step is served")
    }

    pub async fn answer(&self, step: Poll) -> Answer<PollAnswer> {
        self.db.road.poll(Arc::new(step)).await.unwrap()
    }

    /// The command that a device gets at `Idle`.
    pub async fn idle(&self, phone: &Phone) -> Option<CommandId> {
        self.poll(phone.idle()).await.next.map(|next| next.command)
    }

    /// The command that a device gets after it answered one.
    pub async fn reports(&self, phone: &Phone, command: CommandId, state: CommandState) -> Option<CommandId> {
        let answer = self.poll(phone.reports(command, state)).await;
        assert!(answer.report_known, "the report is taken");
        answer.next.map(|next| next.command)
    }

    /// Adds commands for a phone's device channel, in order.
    pub async fn queue<const N: usize>(&self, phone: &Phone) -> [CommandId; N] {
        let commands: Vec<Command> = (0..N).map(|_| phone.command()).collect();
        let mut tx = self.tx().await;
        tx.add_commands(&commands).await.unwrap();
        tx.commit().await.unwrap();
        std::array::from_fn(|n| commands[n].id)
    }

    /// Every row of every table, as text, but for what PostgreSQL keeps for two minutes, so that all nodes see whose polls may have
    /// another answer than before.
    pub async fn rows(&self) -> Vec<(String, String)> {
        let rows = self.place.dump().await;
        rows.into_iter().filter(|(table, _)| table != "changes").collect()
    }

    pub async fn command(&self, phone: &Phone, id: CommandId) -> Command {
        self.look().await.command(phone.device, id).await.unwrap().unwrap()
    }
}

/// A device's names.
#[derive(Clone, Debug)]
pub struct Phone {
    pub tenant: TenantId,
    pub device: DeviceId,
    pub enrollment: EnrollmentId,
    pub fingerprint: Fingerprint,
    pub key: String,
}

impl Phone {
    pub fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            device: DeviceId(id()),
            enrollment: EnrollmentId(id()),
            fingerprint: Fingerprint(digest()),
            key: format!("00008030-{:016X}", number()),
        }
    }

    pub async fn enroll(&self, tx: &mut dyn Tx) {
        tx.add_enrollment(&self.enrollment()).await.unwrap();
        tx.add_certificate(&self.certificate()).await.unwrap();
        tx.add_device(&self.record()).await.unwrap();
        tx.set_channel(self.device, self.enrollment, &channel("")).await.unwrap();
    }

    pub fn enrollment(&self) -> Enrollment {
        Enrollment {
            id: self.enrollment,
            device: self.device,
            key: Some(self.key.clone()),
            link: Some(LinkId(self.enrollment.0)),
            wanted_device: None,
            user: None,
            state: EnrollmentState::Active,
            claimed: None,
            created_at: NOW,
        }
    }

    pub fn certificate(&self) -> IdentityCertificate {
        IdentityCertificate {
            fingerprint: self.fingerprint,
            enrollment: self.enrollment,
            state: CertificateState::Pinned,
            challenge: Some(digest()),
            key_digest: digest(),
            der: b"a certificate".to_vec(),
            not_after: later(1_000_000),
        }
    }

    pub fn record(&self) -> Device {
        Device {
            id: self.device,
            enrollment: self.enrollment,
            key: self.key.clone(),
            user: None,
            external_id: None,
            managed: true,
            wiped: false,
            profile_removed: false,
            quarantined: false,
            enrolled_at: NOW,
            last_contact: None,
            unlockable: false,
            facts: Facts::default(),
        }
    }

    pub fn command(&self) -> Command {
        Command {
            id: CommandId(id()),
            device: self.device,
            enrollment: self.enrollment,
            channel: ChannelKey::default(),
            request_type: "DeviceLock".into(),
            action: None,
            dedupe: None,
            payload: b"<plist/>".to_vec(),
            sealed: false,
            judged: None,
            schedule: Schedule::default(),
            put_off: 0,
            wake_at: later(900),
            state: CommandState::Queued,
            result: None,
            result_sealed: false,
            queued_at: NOW,
            handed_over_at: None,
            finished_at: None,
        }
    }

    pub fn idle(&self) -> Poll {
        Poll {
            fingerprint: self.fingerprint,
            key: self.key.clone(),
            channel: ChannelKey::default(),
            report: None,
            renewal_only: false,
            now: NOW,
        }
    }

    pub fn reports(&self, command: CommandId, state: CommandState) -> Poll {
        let result = if state.is_open() { Vec::new() } else { b"<report/>".to_vec() };
        Poll {
            report: Some(ReportStep { command, state, result, sealed: false, errors: serde_json::json!([]) }),
            ..self.idle()
        }
    }

    pub fn tells(&self, channel: Channel) -> TokenStep {
        TokenStep { fingerprint: self.fingerprint, key: self.key.clone(), channel, bound: None, now: NOW }
    }
}

pub fn channel(key: &str) -> Channel {
    Channel {
        key: ChannelKey(key.into()),
        push_token: vec![7; 32],
        push_magic: "magic".into(),
        unlock_token: None,
        user_name: None,
        updated_at: NOW,
    }
}
