//! The one-time challenge of an enrollment profile: it carries what it is for, so that making one writes nothing.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use pki::KeyRing;
use uuid::Uuid;

use crate::{EnrollmentId, Error, LinkId, Result, TenantId, Timestamp};

/// Keeps a challenge's MAC apart from every other.
const CONTEXT: &str = "scep-challenge";

/// Tenant, enrollment, kind, link, expiry, nonce.
const BODY: usize = 16 + 16 + 1 + 16 + 8 + 16;

/// What a challenge is good for: one certificate, of one enrollment, until it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) tenant: TenantId,
    pub(crate) enrollment: EnrollmentId,
    pub(crate) kind: ChallengeKind,
    pub(crate) expires_at: Timestamp,
    pub(crate) nonce: [u8; 16],
}

/// By what right a certificate may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChallengeKind {
    /// A use of this link.
    Link(LinkId),
    /// The enrollment has one that will end.
    Renewal,
}

impl Challenge {
    /// As it stands in the profile: URL-safe base64, 140 letters.
    pub(crate) fn encode(&self, keys: &KeyRing) -> Result<String> {
        let mut bytes = Vec::with_capacity(BODY + 32);
        bytes.extend(self.tenant.0.as_bytes());
        bytes.extend(self.enrollment.0.as_bytes());
        let (kind, link) = match self.kind {
            ChallengeKind::Link(link) => (0, link.0),
            ChallengeKind::Renewal => (1, Uuid::nil()),
        };
        bytes.push(kind);
        bytes.extend(link.as_bytes());
        bytes.extend(self.expires_at.0.to_be_bytes());
        bytes.extend(self.nonce);
        let mac = keys.mac(CONTEXT, &bytes).map_err(Error::internal)?;
        bytes.extend(mac);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The challenge, if we made it.
    pub(crate) fn decode(text: &str, keys: &KeyRing) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, mac) = bytes.split_at_checked(BODY)?;
        if !keys.verify_mac(CONTEXT, body, mac) {
            return None;
        }
        let id = |at: usize| Uuid::from_slice(body.get(at..at + 16)?).ok();
        let kind = match body.get(32)? {
            0 => ChallengeKind::Link(LinkId(id(33)?)),
            1 => ChallengeKind::Renewal,
            _ => return None,
        };
        Some(Self {
            tenant: TenantId(id(0)?),
            enrollment: EnrollmentId(id(16)?),
            kind,
            expires_at: Timestamp(i64::from_be_bytes(body.get(49..57)?.try_into().ok()?)),
            nonce: body.get(57..73)?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn challenge() -> Challenge {
        Challenge {
            tenant: TenantId(Uuid::from_u128(1)),
            enrollment: EnrollmentId(Uuid::from_u128(2)),
            kind: ChallengeKind::Link(LinkId(Uuid::from_u128(3))),
            expires_at: Timestamp(4),
            nonce: [5; 16],
        }
    }

    #[test]
    fn a_challenge_says_what_it_is_for() {
        let keys = KeyRing::generate().unwrap();
        for kind in [challenge().kind, ChallengeKind::Renewal] {
            let challenge = Challenge { kind, ..challenge() };
            assert_eq!(Challenge::decode(&challenge.encode(&keys).unwrap(), &keys), Some(challenge));
        }
    }

    #[test]
    fn another_installations_challenge_is_none_of_ours() {
        let text = challenge().encode(&KeyRing::generate().unwrap()).unwrap();
        assert_eq!(Challenge::decode(&text, &KeyRing::generate().unwrap()), None);
    }

    proptest! {
        #[test]
        fn a_changed_challenge_is_refused(at in 0..104usize, bit in 0..8u8) {
            let keys = KeyRing::generate().unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(challenge().encode(&keys).unwrap()).unwrap();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Challenge::decode(&URL_SAFE_NO_PAD.encode(bytes), &keys), None);
        }

        #[test]
        fn any_text_is_decoded_or_refused(text in ".{0,300}") {
            let keys = KeyRing::generate().unwrap();
            prop_assert_eq!(Challenge::decode(&text, &keys), None);
        }
    }
}
