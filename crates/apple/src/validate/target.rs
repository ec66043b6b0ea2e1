//! The device for which something is checked, as far as it is known.

use std::fmt;

use crate::enrollment::AccessRights;
use crate::facts::{Os, Trait};
use crate::platform::OsVersion;

/// What is known of a device, its enrollment and the channel. What is `None` is not judged: the device itself
/// will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// Without it nothing is judged that depends on the OS.
    pub os: Option<Os>,
    /// Its version.
    pub version: Option<OsVersion>,
    /// Whether the organisation owns it.
    pub supervised: Option<bool>,
    /// Whether it came through Automated Device Enrollment.
    pub automated: Option<bool>,
    /// Whether it is under User Enrollment.
    pub user_enrollment: Option<bool>,
    /// Whether the user of a Mac approved the enrollment.
    pub user_approved: Option<bool>,
    /// What the enrollment allows; without meaning under User Enrollment.
    pub rights: Option<AccessRights>,
    /// Which channel is spoken on.
    pub channel: Option<TargetChannel>,
    /// Whether it is an iPad that several people share.
    pub shared_ipad: Option<bool>,
    /// Whether a Mac has Apple silicon.
    pub apple_silicon: Option<bool>,
    /// `PINRequiredForDeviceLock`.
    pub pin_for_lock: Option<bool>,
    /// `PINRequiredForEraseDevice`.
    pub pin_for_erase: Option<bool>,
}

/// On which of an enrollment's channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetChannel {
    /// The device itself.
    Device,
    /// A user of it.
    User,
}

impl Target {
    /// A device of which only the OS is known.
    pub fn of(os: Os, version: OsVersion) -> Target {
        Target { os: Some(os), version: Some(version), ..Target::default() }
    }

    /// The class of devices that it belongs to: all of a class get the same verdict on everything. What makes
    /// no difference to its OS is left out, so that classes are few.
    pub fn class(&self) -> Class {
        let mac = self.os.is_none_or(|os| os == Os::MacOs);
        let ios = self.os.is_none_or(|os| os == Os::IOs);
        Class(Target {
            rights: self.rights.filter(|_| self.user_enrollment != Some(true)),
            user_approved: self.user_approved.filter(|_| mac),
            shared_ipad: self.shared_ipad.filter(|_| ios),
            apple_silicon: self.apple_silicon.filter(|_| mac),
            pin_for_lock: self.pin_for_lock.filter(|_| mac),
            pin_for_erase: self.pin_for_erase.filter(|_| mac),
            ..*self
        })
    }

    /// Whether it has that trait, as far as that is known.
    pub fn has(&self, wanted: Trait) -> Option<bool> {
        let mac = |known: Option<bool>| if self.os == Some(Os::MacOs) { known } else { Some(false) };
        let mobile = |known: Option<bool>| if self.os == Some(Os::MacOs) { Some(false) } else { known };
        match wanted {
            Trait::AppleSilicon => mac(self.apple_silicon),
            Trait::PinForLock => mac(self.pin_for_lock),
            Trait::PinForErase => mac(self.pin_for_erase),
            Trait::NotAutomated => self.automated.map(|automated| !automated),
            Trait::PersonalMobile => mobile(self.user_enrollment),
            Trait::UnsupervisedMobile if self.user_enrollment == Some(true) => mobile(Some(true)),
            Trait::UnsupervisedMobile => mobile(self.supervised.map(|supervised| !supervised)),
        }
    }
}

/// Devices for which every verdict is the same; a key for caches, and in its text the revision that is stored
/// beside a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Class(Target);

impl Class {
    /// A device of this class.
    pub fn target(&self) -> &Target {
        &self.0
    }
}

impl fmt::Display for Class {
    /// `iOS 18.1 supervised automated rights=8191 device`: `!` before what is known not to be so; what is
    /// unknown is not there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = &self.0;
        f.write_str(target.os.map_or("any", Os::name))?;
        if let Some(version) = target.version {
            write!(f, " {version}")?;
        }
        let said = [
            (target.supervised, "supervised"),
            (target.automated, "automated"),
            (target.user_enrollment, "user-enrollment"),
            (target.user_approved, "user-approved"),
            (target.shared_ipad, "shared"),
            (target.apple_silicon, "apple-silicon"),
            (target.pin_for_lock, "pin-for-lock"),
            (target.pin_for_erase, "pin-for-erase"),
        ];
        for (said, word) in said {
            if let Some(holds) = said {
                write!(f, " {}{word}", if holds { "" } else { "!" })?;
            }
        }
        if let Some(rights) = target.rights {
            write!(f, " rights={}", rights.bits())?;
        }
        match target.channel {
            Some(TargetChannel::Device) => f.write_str(" device"),
            Some(TargetChannel::User) => f.write_str(" user"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_difference_makes_no_class() {
        let one = Target {
            apple_silicon: Some(true),
            pin_for_lock: Some(true),
            ..Target::of(Os::IOs, OsVersion::new(18, 1, 0))
        };
        let other = Target::of(Os::IOs, OsVersion::new(18, 1, 0));
        assert_eq!(one.class(), other.class());
        let mac = Target { os: Some(Os::MacOs), ..one };
        assert_ne!(mac.class(), Target { os: Some(Os::MacOs), ..other }.class());
    }

    #[test]
    fn a_class_is_written_as_it_is_stored() {
        let target = Target {
            supervised: Some(true),
            automated: Some(false),
            rights: Some(AccessRights::ALL),
            channel: Some(TargetChannel::Device),
            ..Target::of(Os::IOs, OsVersion::new(18, 1, 0))
        };
        assert_eq!(target.class().to_string(), "iOS 18.1 supervised !automated rights=8191 device");
        assert_eq!(Target::default().class().to_string(), "any");
    }
}
