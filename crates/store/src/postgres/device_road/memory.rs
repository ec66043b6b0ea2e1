//! For whom nothing waits, as far as a node remembers.
//!
//! It never answers by itself: the database is asked whose polls may have another answer than at the moment up to which the memory goes
//! (migration 18), one thing for a whole group. What that statement sees is all that a look of its own would see, so that a poll that
//! is answered from memory is answered as the database stands in that very moment, whatever other nodes write.

use std::{
    collections::HashMap,
    mem,
    time::{Duration, Instant},
};

use domain::{
    ChannelKey, EnrollmentId,
    ports::{Identity, Poll},
};
use pki::Fingerprint;

/// How many enrollments are remembered, some 10 MiB: as many as a table of 32,768 places takes before it grows.
const ROOM: usize = 28_672;

/// How many channels of each: a device's own, and those of users that come again.
const CHANNELS: usize = 8;

/// How long it is left alone where too much changes, or where a transaction stays open for long, to be of use.
const REST: Duration = Duration::from_secs(1);

/// Up to when the memory goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Which transactions the database's answer had seen: `pg_snapshot`, as text.
    pub(super) snapshot: String,
    /// When the database server was started, in microseconds: numbers of transactions mean nothing to another one.
    pub(super) server: i64,
}

/// What the database says of the time since such a moment.
#[derive(Debug)]
pub(super) struct Changes {
    /// Up to when it says it.
    pub(super) until: Moment,
    /// Whose polls may have another answer than before; `None` where that are too many to be told, or it is no longer known.
    pub(super) enrollments: Option<Vec<EnrollmentId>>,
}

/// What is remembered.
#[derive(Default)]
pub(super) struct Memory {
    until: Option<Moment>,
    rests_until: Option<Instant>,
    known: HashMap<Fingerprint, Known>,
    /// By which of its certificates an enrollment is known.
    certificates: HashMap<EnrollmentId, Fingerprint>,
}

/// One who has polled by this certificate.
#[derive(Default)]
struct Known {
    /// Who that is; `None` once something has changed.
    identity: Option<Identity>,
    /// On which channels nothing is open; none once something has changed.
    channels: Vec<ChannelKey>,
    /// Whether something has changed, and nobody was sent to see.
    has_changed: bool,
}

impl Memory {
    /// Up to when it goes; `None` for an empty one.
    pub(super) fn until(&self) -> Option<&Moment> {
        self.until.as_ref()
    }

    /// Whether it is left alone for a while.
    pub(super) fn rests(&self) -> bool {
        self.rests_until.is_some_and(|until| until > Instant::now())
    }

    /// Who asks, if nothing waited for them on that channel.
    pub(super) fn idle(&self, step: &Poll) -> Option<&Identity> {
        let known = self.known.get(&step.fingerprint)?;
        known.identity.as_ref().filter(|_| known.channels.contains(&step.channel))
    }

    /// Whether it would learn of a change for who asks.
    pub(super) fn knows(&self, step: &Poll) -> bool {
        self.known.contains_key(&step.fingerprint)
    }

    /// Whether something has changed for who asks since they were looked up, or since this was asked.
    pub(super) fn take_change(&mut self, step: &Poll) -> bool {
        self.known.get_mut(&step.fingerprint).is_some_and(|known| mem::take(&mut known.has_changed))
    }

    /// Takes in what has changed.
    pub(super) fn bring_forward(&mut self, changes: Changes) {
        let is_same = self.until.as_ref().is_none_or(|until| until.server == changes.until.server);
        match changes.enrollments {
            Some(enrollments) => {
                if !is_same {
                    self.forget();
                }
                enrollments.iter().for_each(|enrollment| self.note_change(*enrollment));
                self.until = Some(changes.until);
            }
            None => self.rest(),
        }
    }

    /// Begins anew after a while.
    pub(super) fn rest(&mut self) {
        self.forget();
        self.rests_until = Some(Instant::now() + REST);
    }

    /// Remembers who asked, and, where it `is_idle`, that nothing was open on that channel, not even for later; as of now or later.
    pub(super) fn learn(&mut self, step: &Poll, identity: Identity, is_idle: bool) {
        if self.until.is_none() {
            return;
        }
        if self.certificates.len() >= ROOM {
            self.known.clear();
            self.certificates.clear();
        }
        let before = self.certificates.insert(identity.enrollment, step.fingerprint);
        if let Some(other) = before.filter(|other| *other != step.fingerprint) {
            self.known.remove(&other);
        }
        let known = self.known.entry(step.fingerprint).or_default();
        (known.identity, known.has_changed) = (Some(identity), false);
        if is_idle && known.channels.len() < CHANNELS && !known.channels.contains(&step.channel) {
            known.channels.reserve_exact(1);
            known.channels.push(step.channel.clone());
        }
    }

    /// Begins anew.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn note_change(&mut self, enrollment: EnrollmentId) {
        let fingerprint = self.certificates.get(&enrollment);
        if let Some(known) = fingerprint.and_then(|fingerprint| self.known.get_mut(fingerprint)) {
            *known = Known { has_changed: true, ..Known::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{CertificateState, DeviceId, EnrollmentState, TenantId, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn identity(number: u128) -> Identity {
        Identity {
            tenant: TenantId(Uuid::nil()),
            device: DeviceId(Uuid::from_u128(number)),
            enrollment: EnrollmentId(Uuid::from_u128(number)),
            key: None,
            enrollment_state: EnrollmentState::Active,
            certificate_state: CertificateState::Pinned,
        }
    }

    /// By the certificate of that number.
    fn poll(number: u128) -> Poll {
        let mut fingerprint = Fingerprint([0; 32]);
        fingerprint.0[..16].copy_from_slice(&number.to_be_bytes());
        Poll {
            fingerprint,
            key: String::new(),
            channel: ChannelKey::default(),
            report: None,
            renewal_only: false,
            now: Timestamp(0),
        }
    }

    fn changes(server: i64, enrollments: Option<&[u128]>) -> Changes {
        let enrollments =
            enrollments.map(|ids| ids.iter().map(|id| EnrollmentId(Uuid::from_u128(*id))).collect());
        Changes { until: Moment { snapshot: "1:1:".into(), server }, enrollments }
    }

    /// One that knows these.
    fn memory(numbers: impl Iterator<Item = u128>) -> Memory {
        let mut memory = Memory::default();
        memory.bring_forward(changes(1, Some(&[])));
        numbers.for_each(|number| memory.learn(&poll(number), identity(number), true));
        memory
    }

    #[test]
    fn who_has_changed_is_no_longer_known_to_be_idle() {
        let mut memory = memory(1..=3);
        memory.bring_forward(changes(1, Some(&[2, 9])));
        let idle = [1, 2, 3].map(|number| memory.idle(&poll(number)).is_some());
        assert_eq!(idle, [true, false, true]);
        assert!(!memory.knows(&poll(9)) && !memory.rests());
    }

    #[test]
    fn a_change_is_told_once_whether_or_not_nothing_waited_before() {
        let mut memory = memory(1..=1);
        memory.learn(&poll(2), identity(2), false);
        assert!(memory.knows(&poll(2)) && memory.idle(&poll(2)).is_none());
        memory.bring_forward(changes(1, Some(&[1, 2])));
        let told = [1, 2, 3, 1, 2].map(|number| memory.take_change(&poll(number)));
        assert_eq!(told, [true, true, false, false, false]);
        memory.bring_forward(changes(1, Some(&[1])));
        memory.learn(&poll(1), identity(1), true);
        assert!(!memory.take_change(&poll(1)), "it has been looked up since");
    }

    #[test]
    fn what_waits_on_one_channel_leaves_the_others_idle() {
        let mut memory = memory(1..=1);
        let user = Poll { channel: ChannelKey("user".into()), ..poll(1) };
        memory.learn(&user, identity(1), false);
        assert!(memory.idle(&poll(1)).is_some() && memory.idle(&user).is_none());
    }

    #[test]
    fn without_a_moment_nothing_is_learned() {
        let mut memory = Memory::default();
        memory.learn(&poll(1), identity(1), true);
        assert!(!memory.knows(&poll(1)) && memory.certificates.is_empty());
    }

    #[test]
    fn another_server_knows_nothing_of_what_this_one_has_seen() {
        let mut memory = memory(1..=3);
        memory.bring_forward(changes(2, Some(&[])));
        assert!(memory.known.is_empty() && memory.certificates.is_empty());
        assert_eq!(memory.until().map(|until| until.server), Some(2));
    }

    #[test]
    fn where_too_much_has_changed_it_is_left_alone_for_a_while() {
        let mut memory = memory(1..=3);
        memory.bring_forward(changes(1, None));
        assert!(memory.rests() && memory.until().is_none() && memory.known.is_empty());
    }

    #[test]
    fn an_enrollment_is_known_by_the_certificate_that_came_last() {
        let mut memory = memory(1..=1);
        memory.learn(&poll(2), identity(1), true);
        assert!(memory.idle(&poll(1)).is_none() && memory.idle(&poll(2)).is_some());
        memory.bring_forward(changes(1, Some(&[1])));
        assert!(memory.idle(&poll(2)).is_none());
    }

    #[test]
    fn it_never_takes_more_room_than_it_has() {
        let mut memory = memory(0..ROOM as u128);
        assert!(memory.known.len() == ROOM && memory.known.capacity() == ROOM);
        memory.learn(&poll(ROOM as u128), identity(ROOM as u128), true);
        assert!(memory.known.len() == 1 && memory.certificates.len() == 1);
        for n in 0..2 * CHANNELS {
            memory.learn(&Poll { channel: ChannelKey(format!("user {n}")), ..poll(7) }, identity(7), true);
        }
        assert_eq!(memory.known[&poll(7).fingerprint].channels.len(), CHANNELS);
    }
}
