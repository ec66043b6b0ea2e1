//! The certificates of one CA whose signature was verified before: it never changes, and verifying it is the dearest part of
//! a poll.

use std::collections::HashSet;
use std::fmt;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Verdict, judge_issued};
use crate::certificate::{Certificate, Fingerprint};

/// How many certificates a generation holds; there are two, of some 2 MiB each when they are full.
const GENERATION: usize = 1 << 16;

/// So much of a fingerprint is remembered: nobody finds another certificate with the same 128 bits of SHA-256.
type Remembered = [u8; 16];

/// A CA, and which certificates it is known to have issued.
///
/// Nothing is remembered but that the CA's key signed this very certificate. Dates are judged anew each time, and whether a
/// certificate was revoked is asked of whoever keeps that, each time too.
pub struct Issued {
    anchor: Certificate,
    known: Mutex<Generations>,
    size: usize,
}

/// What was used lately, and what was used before that: the older generation is forgotten when the younger is full.
#[derive(Default)]
struct Generations {
    young: HashSet<Remembered>,
    old: HashSet<Remembered>,
}

impl Issued {
    /// Knows none yet. The anchor's own dates do not matter; where it is not a CA, it has issued nothing.
    pub fn by(anchor: Certificate) -> Self {
        Self { anchor, known: Mutex::default(), size: GENERATION }
    }

    /// As [`judge`](super::judge) with the CA as the only anchor; the signature is verified once.
    pub fn judge(&self, leaf: &Certificate, now: SystemTime, skew: Duration) -> Verdict {
        if self.has_issued(leaf) {
            judge_issued(leaf, self.anchor.fingerprint(), now, skew)
        } else {
            Verdict::Unknown
        }
    }

    fn has_issued(&self, leaf: &Certificate) -> bool {
        let Fingerprint(whole) = leaf.fingerprint();
        let Some(part) = whole.first_chunk().copied() else { return false };
        if self.lock().knows(&part, self.size) {
            return true;
        }
        let issued = self.anchor.is_ca() && leaf.is_issued_by(&self.anchor);
        if issued {
            self.lock().add(part, self.size);
        }
        issued
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn knows(&mut self, part: &Remembered, size: usize) -> bool {
        if self.young.contains(part) {
            return true;
        }
        let known = self.old.contains(part);
        if known {
            self.add(*part, size);
        }
        known
    }

    fn add(&mut self, part: Remembered, size: usize) {
        if self.young.len() >= size {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(part);
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("anchor", &self.anchor.fingerprint()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{DAY, authority, issue, now, p256_stranger};

    #[test]
    fn a_certificate_is_judged_the_second_time_as_the_first() {
        let (ours, other) = (authority(), authority());
        let (key, stranger) = p256_stranger();
        let (leaf, foreign) = (issue(&ours, &key), issue(&other, &key));
        let issued = Issued::by(ours.certificate().clone());
        let anchors = [ours.certificate().clone()];
        let second = Duration::from_secs(1);
        for _ in 0..2 {
            for certificate in [&leaf, &foreign, &stranger, ours.certificate()] {
                for at in [now(), leaf.not_before() - DAY - second, leaf.not_after() + DAY + second] {
                    let expected = crate::chain::judge(certificate, &anchors, at, DAY);
                    assert_eq!(issued.judge(certificate, at, DAY), expected);
                }
            }
        }
    }

    #[test]
    fn only_what_the_ca_has_issued_is_remembered() {
        let (ours, other) = (authority(), authority());
        let (key, _) = p256_stranger();
        let issued = Issued::by(ours.certificate().clone());
        assert!(!issued.has_issued(&issue(&other, &key)) && issued.lock().young.is_empty());
        assert!(issued.has_issued(&issue(&ours, &key)) && issued.lock().young.len() == 1);
    }

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let mut known = Generations::default();
        for number in 0..9 {
            known.add([number; 16], 3);
            assert!(known.knows(&[0; 16], 3), "used all the time");
            assert!(known.young.len() <= 3 && known.old.len() <= 3);
        }
        assert!(known.knows(&[8; 16], 3) && !known.knows(&[1; 16], 3));
    }

    #[test]
    fn an_anchor_that_is_no_ca_has_issued_nothing() {
        let (_, stranger) = p256_stranger();
        assert!(!Issued::by(stranger.clone()).has_issued(&stranger));
    }
}
