//! The devices: their names, how they enroll, and how they do so again.

use domain::{
    CertificateState, Channel, ChannelKey, DeviceId, Enrollment, EnrollmentId, EnrollmentState,
    IdentityCertificate, LinkId, Timestamp,
    ports::{Poll, ReportStep, Tx},
};
use pki::Fingerprint;
use testkit::server::record;

/// All of them.
#[derive(Default)]
pub struct Fleet {
    phones: Vec<Phone>,
    /// Makes names that were never there.
    names: u128,
}

/// One.
#[derive(Clone, Debug)]
pub struct Phone {
    pub device: DeviceId,
    pub enrollment: EnrollmentId,
    pub fingerprint: Fingerprint,
    pub key: String,
    certificate_ends: Timestamp,
}

impl Fleet {
    pub fn len(&self) -> u64 {
        self.phones.len() as u64
    }

    pub fn phones(&self) -> &[Phone] {
        &self.phones
    }

    /// Their names in the admin API.
    pub fn names(&self) -> Vec<String> {
        self.phones.iter().map(|phone| phone.device.client_id()).collect()
    }

    /// One more, as the protocol leaves it.
    pub async fn enroll(&mut self, tx: &mut dyn Tx, now: Timestamp, certificate_ends: Timestamp) {
        let mut device = record(self.len());
        device.enrolled_at = now;
        let phone = self.named(device.id, device.key.clone(), certificate_ends);
        device.enrollment = phone.enrollment;
        tx.add_device(&device).await.unwrap();
        phone.begin(tx, now).await;
        self.phones.push(phone);
    }

    /// One that was erased enrolls again: its record stays, all else is new, and the enrollment of before is over.
    pub async fn come_back(
        &mut self,
        tx: &mut dyn Tx,
        place: usize,
        now: Timestamp,
        certificate_ends: Timestamp,
    ) {
        let before = self.phones[place].clone();
        let mut enrollment = tx.enrollment_for_update(before.enrollment).await.unwrap().unwrap();
        enrollment.state = EnrollmentState::Over;
        tx.set_enrollment(&enrollment).await.unwrap();
        tx.set_certificate_states(before.enrollment, CertificateState::Revoked).await.unwrap();
        let mut device = tx.device_for_update(before.device).await.unwrap().unwrap();
        tx.cancel_commands(before.device, None, now).await.unwrap();
        tx.drop_pushes(before.device).await.unwrap();
        let phone = self.named(before.device, before.key, certificate_ends);
        device.enrollment = phone.enrollment;
        device.enrolled_at = now;
        tx.set_device(&device).await.unwrap();
        phone.begin(tx, now).await;
        self.phones[place] = phone;
    }

    /// The places of those whose certificates end before `by`.
    pub fn ending(&self, by: Timestamp) -> Vec<usize> {
        (0..self.phones.len()).filter(|&place| self.phones[place].certificate_ends < by).collect()
    }

    fn named(&mut self, device: DeviceId, key: String, certificate_ends: Timestamp) -> Phone {
        self.names += 1;
        let mut digest = [0x5a; 32];
        digest[16..].copy_from_slice(&self.names.to_be_bytes());
        let enrollment =
            EnrollmentId(format!("{:032x}", 0xe000_0000_0000_u128 + self.names).parse().unwrap());
        Phone { device, enrollment, fingerprint: Fingerprint(digest), key, certificate_ends }
    }
}

impl Phone {
    async fn begin(&self, tx: &mut dyn Tx, now: Timestamp) {
        let enrollment = Enrollment {
            id: self.enrollment,
            device: self.device,
            key: Some(self.key.clone()),
            link: Some(LinkId(self.enrollment.0)),
            wanted_device: None,
            user: None,
            state: EnrollmentState::Active,
            claimed: None,
            created_at: now,
        };
        tx.add_enrollment(&enrollment).await.unwrap();
        tx.add_certificate(&self.certificate()).await.unwrap();
        tx.set_channel(self.device, self.enrollment, &self.channel(now)).await.unwrap();
    }

    fn certificate(&self) -> IdentityCertificate {
        IdentityCertificate {
            fingerprint: self.fingerprint,
            enrollment: self.enrollment,
            state: CertificateState::Pinned,
            challenge: Some(self.fingerprint.0),
            key_digest: self.fingerprint.0,
            // As long as those that are issued.
            der: vec![0x30; 1100],
            not_after: self.certificate_ends,
        }
    }

    pub fn channel(&self, now: Timestamp) -> Channel {
        Channel {
            key: ChannelKey::default(),
            push_token: self.fingerprint.0.to_vec(),
            push_magic: "2E1C9A2D-0C5B-4D7E-9E3C-0E6D6D0C6F11".into(),
            unlock_token: Some(vec![0x75; 1200]),
            user_name: None,
            updated_at: now,
        }
    }

    pub fn poll(&self, report: Option<ReportStep>, now: Timestamp) -> Poll {
        Poll {
            fingerprint: self.fingerprint,
            key: self.key.clone(),
            channel: ChannelKey::default(),
            report,
            renewal_only: false,
            now,
        }
    }
}
