//! Whether a certificate that somebody shows may be believed: issued by a CA that we trust, and in date.

use std::time::{Duration, SystemTime};

use crate::certificate::{Certificate, Fingerprint};

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
/// An anchor must be a CA; its own dates do not matter, since it is trusted for as long as it is listed. The dates
/// of the leaf may be missed by `skew`, because the clocks of devices are wrong: callers pass a day.
pub fn judge(leaf: &Certificate, anchors: &[Certificate], now: SystemTime, skew: Duration) -> Verdict {
    if leaf.extensions().has_unknown_critical {
        return Verdict::Unknown;
    }
    let Some(anchor) = anchors.iter().find(|anchor| anchor.is_ca() && leaf.is_issued_by(anchor)) else {
        return Verdict::Unknown;
    };
    let anchor = anchor.fingerprint();
    if now.checked_add(skew).is_some_and(|latest| latest < leaf.not_before()) {
        return Verdict::NotYetValid { anchor };
    }
    if now.checked_sub(skew).is_some_and(|earliest| earliest > leaf.not_after()) {
        return Verdict::Expired { anchor };
    }
    Verdict::Trusted { anchor }
}
