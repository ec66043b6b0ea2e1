//! Whether a device meets the terms on which something is supported.

use super::fault::Problem;
use super::target::{Target, TargetChannel};
use crate::facts::{Enrollments, Flag, Mode, Os, Right, Scopes, Since, Terms};
use crate::platform::OsVersion;

/// What a device lacks, a bit for each kind; kept so that what holds for a whole dictionary is said once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lacks(u32);

impl Lacks {
    /// What is lacked here and not already where `self` stands.
    pub(super) fn beyond(self, outer: Lacks) -> Lacks {
        Lacks(self.0 & !outer.0)
    }

    /// Without what a key with these terms of its own tells anew: its versions.
    pub(super) fn retold(self, own: &Terms) -> Lacks {
        let mut lacks = self;
        if own.introduced != Since::Same {
            lacks.0 &= !(1 << Lack::TooOld as u32);
        }
        if own.removed.is_some() {
            lacks.0 &= !(1 << Lack::Removed as u32);
        }
        lacks
    }

    /// Whether there is anything that makes a device refuse.
    pub(super) fn refuses(self) -> bool {
        self.0 & !WARNINGS != 0
    }

    fn has(self, lack: Lack) -> bool {
        self.0 & (1 << lack as u32) != 0
    }

    fn add(&mut self, lack: Lack, holds: bool) {
        self.0 |= u32::from(holds) << lack as u32;
    }
}

#[derive(Clone, Copy)]
#[repr(u32)]
enum Lack {
    Never,
    TooOld,
    Removed,
    Supervision,
    Automated,
    UserApproval,
    UserEnrollmentForbidden,
    UserEnrollmentRequired,
    SharedForbidden,
    SharedRequired,
    Right,
    DeviceChannel,
    UserChannel,
    Enrollment,
    Deprecated,
    Ignored,
}

/// Bits from `Deprecated` on refuse nothing.
const WARNINGS: u32 = !0 << Lack::Deprecated as u32;

/// Everything that `target` lacks under these terms of `os`.
pub(super) fn lacks(terms: &Terms, os: Os, target: &Target) -> Lacks {
    let mut lacks = Lacks::default();
    lacks.add(Lack::Never, terms.introduced == Since::Never);
    by_version(terms, target, &mut lacks);
    let not = |flag, known: Option<bool>| terms.flag(flag) == Some(true) && known == Some(false);
    lacks.add(Lack::Supervision, not(Flag::Supervised, target.supervised));
    lacks.add(Lack::Automated, not(Flag::Automated, target.automated));
    lacks.add(Lack::UserApproval, not(Flag::UserApproved, target.user_approved));
    let user = target.user_enrollment;
    lacks.add(
        Lack::UserEnrollmentForbidden,
        terms.user_enrollment == Some(Mode::Forbidden) && user == Some(true),
    );
    lacks.add(
        Lack::UserEnrollmentRequired,
        terms.user_enrollment == Some(Mode::Required) && user == Some(false),
    );
    if os == Os::IOs {
        let shared = target.shared_ipad;
        lacks.add(Lack::SharedForbidden, terms.shared_ipad == Some(Mode::Forbidden) && shared == Some(true));
        lacks.add(Lack::SharedRequired, terms.shared_ipad == Some(Mode::Required) && shared == Some(false));
    }
    let ignored = (terms.user_enrollment == Some(Mode::Ignored) && user == Some(true))
        || (terms.shared_ipad == Some(Mode::Ignored) && target.shared_ipad == Some(true));
    lacks.add(Lack::Ignored, ignored);
    if let (Right::Bit(bit), Some(rights)) = (terms.right, target.rights) {
        lacks.add(Lack::Right, rights.bits() & bit == 0 && user != Some(true));
    }
    by_channel(terms, os, target, &mut lacks);
    lacks.add(Lack::Enrollment, outside_enrollments(terms, os, target));
    lacks
}

fn by_version(terms: &Terms, target: &Target, lacks: &mut Lacks) {
    let never_real = terms.removed == Some(OsVersion::new(0, 0, 0));
    let Some(version) = target.version else {
        lacks.add(Lack::Removed, never_real);
        return;
    };
    lacks.add(Lack::TooOld, matches!(terms.introduced, Since::Version(since) if version < since));
    lacks.add(Lack::Removed, terms.removed.is_some_and(|removed| version >= removed));
    lacks.add(Lack::Deprecated, terms.deprecated.is_some_and(|deprecated| version >= deprecated));
}

fn by_channel(terms: &Terms, os: Os, target: &Target, lacks: &mut Lacks) {
    let Some(channel) = target.channel else { return };
    let shared = os == Os::IOs && target.shared_ipad == Some(true);
    let users = shared || os == Os::MacOs || (os == Os::IOs && target.shared_ipad.is_none());
    let (device_flag, user_flag) = if shared {
        (Flag::SharedDeviceChannel, Flag::SharedUserChannel)
    } else {
        (Flag::DeviceChannel, Flag::UserChannel)
    };
    let scopes = if shared { terms.shared_scopes.or(terms.scopes) } else { terms.scopes };
    let outside = |scope| scopes.is_some_and(|Scopes(set)| set & scope == 0);
    match channel {
        TargetChannel::Device => {
            let refused = terms.flag(device_flag) == Some(false) || outside(Scopes::SYSTEM);
            lacks.add(Lack::DeviceChannel, refused);
        }
        TargetChannel::User => {
            let refused = !users || terms.flag(user_flag) == Some(false) || outside(Scopes::USER);
            lacks.add(Lack::UserChannel, refused);
        }
    }
}

fn outside_enrollments(terms: &Terms, os: Os, target: &Target) -> bool {
    let Some(Enrollments(allowed)) = terms.enrollments else { return false };
    // A Mac enrolled as a whole counts as supervised since macOS 11.
    let kind = match (target.user_enrollment, target.supervised) {
        (Some(true), _) => Enrollments::USER,
        (Some(false), Some(true)) => Enrollments::SUPERVISED,
        (Some(false), Some(false)) if os == Os::MacOs => Enrollments::SUPERVISED | Enrollments::DEVICE,
        (Some(false), Some(false)) => Enrollments::DEVICE,
        _ => return false,
    };
    allowed & kind == 0
}

/// What is lacked, in words, for the device `target`.
pub(super) fn problems(lacks: Lacks, terms: &Terms, os: Os, target: &Target) -> Vec<Problem> {
    let version = target.version.unwrap_or_default();
    let since = if let Since::Version(since) = terms.introduced { since } else { OsVersion::default() };
    let removed = terms.removed.unwrap_or_default();
    let bit = if let Right::Bit(bit) = terms.right { bit } else { 0 };
    [
        (Lack::Never, Problem::NotOn { os }),
        (Lack::TooOld, Problem::TooOld { os, since, version }),
        (Lack::Removed, Problem::Removed { os, removed, version }),
        (Lack::Supervision, Problem::NeedsSupervision),
        (Lack::Automated, Problem::NeedsAutomatedEnrollment),
        (Lack::UserApproval, Problem::NeedsUserApproval),
        (Lack::UserEnrollmentForbidden, Problem::NotUnderUserEnrollment),
        (Lack::UserEnrollmentRequired, Problem::OnlyUnderUserEnrollment),
        (Lack::SharedForbidden, Problem::NotOnSharedIpad),
        (Lack::SharedRequired, Problem::OnlyOnSharedIpad),
        (Lack::Right, Problem::NeedsRight { bit }),
        (Lack::DeviceChannel, Problem::NotOnDeviceChannel),
        (Lack::UserChannel, Problem::NotOnUserChannel),
        (Lack::Enrollment, Problem::OtherEnrollment),
        (Lack::Deprecated, Problem::Deprecated { os, since: terms.deprecated.unwrap_or_default() }),
        (Lack::Ignored, Problem::Ignored),
    ]
    .into_iter()
    .filter(|(lack, _)| lacks.has(*lack))
    .map(|(_, problem)| problem)
    .collect()
}
