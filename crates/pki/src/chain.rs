//! Whether a certificate that somebody shows may be believed: issued by a CA that we trust, and in date.

use std::time::{Duration, SystemTime};

use crate::certificate::{Certificate, Fingerprint};

mod issued;

pub use issued::Issued;

/// What is to be thought of a certificate. Revocation and pinning are the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Issued by this anchor, and in date.
    Trusted {
        /// The CA that issued it.
        anchor: Fingerprint,
    },
    /// Issued by this anchor, but no longer valid: good for a renewal and nothing else.
    Expired {
        /// The CA that issued it.
        anchor: Fingerprint,
    },
    /// Issued by this anchor, but valid only later, by more than clocks are wrong.
    NotYetValid {
        /// The CA that issued it.
        anchor: Fingerprint,
    },
    /// Issued by nobody whom we trust, or marked with something critical that we do not understand.
    Unknown,
}

/// Judges `leaf`, which one of `anchors` must have issued directly, at `now`.
///
/// An anchor must be a CA; its own dates do not matter, since it is trusted for as long as it is listed. The
/// dates of the leaf may be missed by `skew`, because the clocks of devices are wrong: callers pass a day.
pub fn judge(leaf: &Certificate, anchors: &[Certificate], now: SystemTime, skew: Duration) -> Verdict {
    match anchors.iter().find(|anchor| anchor.is_ca() && leaf.is_issued_by(anchor)) {
        Some(anchor) => judge_issued(leaf, anchor.fingerprint(), now, skew),
        None => Verdict::Unknown,
    }
}

/// Judges what is left to judge of a certificate that `anchor` has issued.
fn judge_issued(leaf: &Certificate, anchor: Fingerprint, now: SystemTime, skew: Duration) -> Verdict {
    if leaf.extensions().has_unknown_critical {
        return Verdict::Unknown;
    }
    if now.checked_add(skew).is_some_and(|latest| latest < leaf.not_before()) {
        return Verdict::NotYetValid { anchor };
    }
    if now.checked_sub(skew).is_some_and(|earliest| earliest > leaf.not_after()) {
        return Verdict::Expired { anchor };
    }
    Verdict::Trusted { anchor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{DAY, authority, issue, now, p256_stranger};
    use crate::keys::Signer;
    use crate::name::Name;
    use crate::oid;
    use crate::template::Template;

    #[test]
    fn dates_are_judged_with_tolerance() {
        let authority = authority();
        let (key, _) = p256_stranger();
        let leaf = issue(&authority, &key);
        let anchor = authority.certificate().fingerprint();
        let anchors = [authority.certificate().clone()];
        let second = Duration::from_secs(1);
        let (first, last) = (leaf.not_before(), leaf.not_after());
        let verdict = |at| judge(&leaf, &anchors, at, DAY);

        assert_eq!(verdict(now()), Verdict::Trusted { anchor });
        assert_eq!(verdict(first - DAY), Verdict::Trusted { anchor });
        assert_eq!(verdict(first - DAY - second), Verdict::NotYetValid { anchor });
        assert_eq!(verdict(last + DAY), Verdict::Trusted { anchor });
        assert_eq!(verdict(last + DAY + second), Verdict::Expired { anchor });
    }

    #[test]
    fn only_a_direct_issuer_among_several_anchors_counts() {
        let (one, other) = (authority(), authority());
        let (key, stranger) = p256_stranger();
        let leaf = issue(&other, &key);
        let anchors = [one.certificate().clone(), other.certificate().clone()];
        let anchor = other.certificate().fingerprint();
        assert_eq!(judge(&leaf, &anchors, now(), DAY), Verdict::Trusted { anchor });
        assert_eq!(judge(&leaf, &anchors[..1], now(), DAY), Verdict::Unknown);
        assert_eq!(judge(&stranger, &anchors, now(), DAY), Verdict::Unknown);
        assert_eq!(judge(&leaf, &[], now(), DAY), Verdict::Unknown);
    }

    #[test]
    fn an_anchor_must_be_a_ca() {
        let (_, stranger) = p256_stranger();
        assert!(stranger.is_issued_by(&stranger));
        assert_eq!(judge(&stranger, std::slice::from_ref(&stranger), now(), DAY), Verdict::Unknown);
    }

    #[test]
    fn a_critical_extension_that_nobody_knows_is_not_believed() {
        let authority = authority();
        let (key, _) = p256_stranger();
        let template = |critical| {
            Template {
                serial: [1; 16],
                subject: &Name::new("x"),
                not_before: now() - DAY,
                not_after: now() + DAY,
                spki: key.public_spki(),
                extensions: vec![crate::extensions::write::extension(oid::DATA, critical, &[5, 0])],
            }
            .issue(authority.certificate(), authority.key())
            .unwrap()
        };
        let anchors = [authority.certificate().clone()];
        assert_eq!(judge(&template(true), &anchors, now(), DAY), Verdict::Unknown);
        assert_ne!(judge(&template(false), &anchors, now(), DAY), Verdict::Unknown);
    }
}
