//! What each OS makes of an entry or a key, and how a key inherits from what it is in.

use std::ops::Index;

use super::model::Os;
use crate::platform::OsVersion;

/// What is said for each OS; what is not said is inherited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// iOS and iPadOS.
    pub ios: Terms,
    /// macOS.
    pub macos: Terms,
    /// tvOS.
    pub tvos: Terms,
    /// visionOS.
    pub visionos: Terms,
    /// watchOS.
    pub watchos: Terms,
}

impl Support {
    /// Nothing is said: as what it is in.
    pub const SAME: Support = Support {
        ios: Terms::SAME,
        macos: Terms::SAME,
        tvos: Terms::SAME,
        visionos: Terms::SAME,
        watchos: Terms::SAME,
    };
}

impl Index<Os> for Support {
    type Output = Terms;

    fn index(&self, os: Os) -> &Terms {
        match os {
            Os::IOs => &self.ios,
            Os::MacOs => &self.macos,
            Os::TvOs => &self.tvos,
            Os::VisionOs => &self.visionos,
            Os::WatchOs => &self.watchos,
        }
    }
}

/// On which terms one OS knows something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// First version that knows it.
    pub introduced: Since,
    /// First version that discourages it.
    pub deprecated: Option<OsVersion>,
    /// First version without it; 0.0 where no version ever really had it.
    pub removed: Option<OsVersion>,
    /// The right that the enrollment must grant.
    pub right: Right,
    /// How it goes with User Enrollment.
    pub user_enrollment: Option<Mode>,
    /// How it goes with a Shared iPad.
    pub shared_ipad: Option<Mode>,
    /// `allowed-enrollments`, a set of [`Enrollments`].
    pub enrollments: Option<Enrollments>,
    /// `allowed-scopes`.
    pub scopes: Option<Scopes>,
    /// `allowed-scopes` of a Shared iPad.
    pub shared_scopes: Option<Scopes>,
    /// The [`Flag`]s that are said to hold.
    pub(super) yes: u16,
    /// The [`Flag`]s that are said not to hold.
    pub(super) no: u16,
}

/// From which version on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// As what it is in.
    Same,
    /// `n/a`: not on this OS.
    Never,
    /// That version; 0.0 for `all`.
    Version(OsVersion),
}

/// What the enrollment must allow: a bit of `AccessRights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// As what it is in.
    Same,
    /// None is needed.
    None,
    /// It depends on the request; the keys say it.
    Special,
    /// That bit.
    Bit(u16),
}

/// How a thing goes with a way of being managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// With and without.
    Allowed,
    /// Only with.
    Required,
    /// Only without.
    Forbidden,
    /// Taken and not looked at.
    Ignored,
}

/// What is said with yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Flag {
    /// `supervised`: only on supervised devices.
    Supervised = 1,
    /// `requiresdep`: only on devices that came through Automated Device Enrollment.
    Automated = 2,
    /// `userapprovedmdm`: only where the user approved the enrollment.
    UserApproved = 4,
    /// `allowmanualinstall`: a user may install the profile by hand.
    ManualInstall = 8,
    /// `multiple`: several payloads of the type may be installed.
    Multiple = 16,
    /// `devicechannel`.
    DeviceChannel = 32,
    /// `userchannel`.
    UserChannel = 64,
    /// `devicechannel` of a Shared iPad.
    SharedDeviceChannel = 128,
    /// `userchannel` of a Shared iPad.
    SharedUserChannel = 256,
    /// `always-skippable`, of a pane of the Setup Assistant.
    AlwaysSkippable = 512,
    /// `beta`.
    Beta = 1024,
}

impl Flag {
    /// All of them.
    pub const ALL: [Flag; 11] = [
        Flag::Supervised,
        Flag::Automated,
        Flag::UserApproved,
        Flag::ManualInstall,
        Flag::Multiple,
        Flag::DeviceChannel,
        Flag::UserChannel,
        Flag::SharedDeviceChannel,
        Flag::SharedUserChannel,
        Flag::AlwaysSkippable,
        Flag::Beta,
    ];
}

/// `allowed-enrollments`: a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Enrollments(pub u8);

impl Enrollments {
    /// `supervised`.
    pub const SUPERVISED: u8 = 1;
    /// `device`: the whole device, not supervised.
    pub const DEVICE: u8 = 2;
    /// `user`: User Enrollment.
    pub const USER: u8 = 4;
    /// `local`: not managed at all.
    pub const LOCAL: u8 = 8;
}

/// `allowed-scopes`: a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scopes(pub u8);

impl Scopes {
    /// `system`: the device channel.
    pub const SYSTEM: u8 = 1;
    /// `user`: the user channel.
    pub const USER: u8 = 2;
}

impl Terms {
    /// Nothing is said.
    pub const SAME: Terms = Terms {
        introduced: Since::Same,
        deprecated: None,
        removed: None,
        right: Right::Same,
        user_enrollment: None,
        shared_ipad: None,
        enrollments: None,
        scopes: None,
        shared_scopes: None,
        yes: 0,
        no: 0,
    };

    /// What is said of `flag`, if anything.
    pub fn flag(&self, flag: Flag) -> Option<bool> {
        let bit = flag as u16;
        if self.yes & bit != 0 {
            Some(true)
        } else if self.no & bit != 0 {
            Some(false)
        } else {
            None
        }
    }

    /// These terms within those of what they are in: field by field, what is said here wins.
    pub fn within(&self, outer: &Terms) -> Terms {
        let said = self.yes | self.no;
        Terms {
            introduced: if self.introduced == Since::Same { outer.introduced } else { self.introduced },
            deprecated: self.deprecated.or(outer.deprecated),
            removed: self.removed.or(outer.removed),
            right: if self.right == Right::Same { outer.right } else { self.right },
            user_enrollment: self.user_enrollment.or(outer.user_enrollment),
            shared_ipad: self.shared_ipad.or(outer.shared_ipad),
            enrollments: self.enrollments.or(outer.enrollments),
            scopes: self.scopes.or(outer.scopes),
            shared_scopes: self.shared_scopes.or(outer.shared_scopes),
            yes: self.yes | (outer.yes & !said),
            no: self.no | (outer.no & !said),
        }
    }

    /// Says of `flags` that they hold, in the tables.
    pub(super) const fn yes(self, flags: u16) -> Terms {
        Terms { yes: flags, ..self }
    }

    /// Says of `flags` that they do not hold, in the tables.
    pub(super) const fn no(self, flags: u16) -> Terms {
        Terms { no: flags, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_does_not_say_it_inherits() {
        let outer = Terms {
            introduced: Since::Version(OsVersion::new(9, 3, 0)),
            right: Right::Bit(4),
            user_enrollment: Some(Mode::Allowed),
            ..Terms::SAME
        }
        .yes(Flag::Supervised as u16)
        .no(Flag::UserChannel as u16);
        let inner =
            Terms { user_enrollment: Some(Mode::Forbidden), ..Terms::SAME }.no(Flag::Supervised as u16);
        let both = inner.within(&outer);
        assert_eq!(both.introduced, outer.introduced);
        assert_eq!(both.right, Right::Bit(4));
        assert_eq!(both.user_enrollment, Some(Mode::Forbidden));
        assert_eq!(both.flag(Flag::Supervised), Some(false));
        assert_eq!(both.flag(Flag::UserChannel), Some(false));
        assert_eq!(both.flag(Flag::Beta), None);
        assert_eq!(Terms::SAME.within(&both), both);
    }
}
