//! What a device reported; anything that it did not is `None`.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// An iPhone or iPod touch.
    Ios,
    /// An iPad.
    Ipados,
    /// A Mac.
    Macos,
    /// An Apple TV.
    Tvos,
    /// An Apple Watch.
    Watchos,
    /// An Apple Vision.
    Visionos,
    /// An Android device.
    Android,
}

/// How much of an Android device is managed, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AndroidManagement {
    /// A work profile on a personal device.
    WorkProfile,
    /// All of a device of the company's.
    FullyManaged,
    /// A work profile on a device of the company's.
    CompanyOwnedWorkProfile,
}

/// By which service an Android device was told to enroll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AndroidChannel {
    /// Zero-touch enrollment.
    ZeroTouch,
    /// Knox Mobile Enrollment.
    Knox,
}

/// What only Google tells of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AndroidFacts {
    /// How it is managed.
    pub management: Option<AndroidManagement>,
    /// By which service it came, as its enrollment token says.
    pub channel: Option<AndroidChannel>,
    /// `appliedState`: what the device has made of what was wished.
    pub state: Option<String>,
    /// `lastStatusReportTime` of the report that is taken: an earlier one tells nothing.
    pub reported_at: Option<Timestamp>,
    /// When the battery was measured.
    pub battery_at: Option<Timestamp>,
    /// Until when the lost mode is known by a command or a log: an earlier report does not say better.
    pub lost_mode_at: Option<Timestamp>,
}

/// How the device came to be managed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnrollmentKind {
    /// By a profile that someone installed.
    #[default]
    Profile,
    /// By Apple's automated enrollment.
    Automated,
    /// As a personal device, with a managed part.
    User,
}

/// Where the device was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// When.
    pub at: Timestamp,
}

impl Platform {
    /// The same in Apple's words; `None` for what is not Apple's.
    pub fn apple(self) -> Option<apple::Platform> {
        Some(match self {
            Self::Ios => apple::Platform::IOs,
            Self::Ipados => apple::Platform::IPadOs,
            Self::Macos => apple::Platform::MacOs,
            Self::Tvos => apple::Platform::TvOs,
            Self::Watchos => apple::Platform::WatchOs,
            Self::Visionos => apple::Platform::VisionOs,
            Self::Android => return None,
        })
    }
}

/// What whoever finds a device in lost mode reads on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinderTexts {
    /// What to do.
    pub message: Option<String>,
    /// Whom to call.
    pub phone_number: Option<String>,
    /// What stands below.
    pub footnote: Option<String>,
}

impl FinderTexts {
    /// What a command shows.
    pub(crate) fn shown_by(command: apple::command::EnableLostMode) -> Self {
        let apple::command::EnableLostMode { message, phone_number, footnote } = command;
        Self { message, phone_number, footnote }
    }

    /// The command that shows it.
    pub(crate) fn command(&self) -> apple::command::EnableLostMode {
        let Self { message, phone_number, footnote } = self.clone();
        apple::command::EnableLostMode { message, phone_number, footnote }
    }
}

/// Everything that devices report of themselves, stored as one JSON document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The operating system; `None` until the product is known.
    pub platform: Option<Platform>,
    /// How it enrolled.
    pub enrollment: EnrollmentKind,
    /// `AccessRights` of the profile that it enrolled with; `None` where that was not ours, or is not known any more.
    pub access_rights: Option<u16>,
    /// `DeviceName`.
    pub device_name: Option<String>,
    /// `SerialNumber`.
    pub serial_number: Option<String>,
    /// `ProductName`, such as `iPhone17,2`.
    pub product_name: Option<String>,
    /// `ModelName`, such as `iPhone` or `MacBook Pro`.
    pub model_name: Option<String>,
    /// `Model` or `ModelNumber`, such as `MRYA2ZD`.
    pub model_number: Option<String>,
    /// `OSVersion`, such as `18.1`.
    pub os_version: Option<String>,
    /// `BuildVersion`.
    pub build_version: Option<String>,
    /// Every IMEI, digits only, the first one first.
    pub imeis: Vec<String>,
    /// `MEID`.
    pub meid: Option<String>,
    /// `DeviceCapacity`, GB.
    pub capacity_gb: Option<f64>,
    /// `AvailableDeviceCapacity`, GB.
    pub available_gb: Option<f64>,
    /// `BatteryLevel`, 0 to 1.
    pub battery_level: Option<f64>,
    /// `IsSupervised`.
    pub supervised: Option<bool>,
    /// `IsRoaming`, or that of any subscription.
    pub roaming: Option<bool>,
    /// `IsMDMLostModeEnabled`, or what an acknowledged command made of it.
    pub lost_mode: Option<bool>,
    /// What a finder reads, from when the device went into lost mode by us until someone ended it; an erase does not.
    pub lost: Option<FinderTexts>,
    /// `PasscodePresent`.
    pub passcode_present: Option<bool>,
    /// `PasscodeCompliant`.
    pub passcode_compliant: Option<bool>,
    /// `IsAppleSilicon`.
    pub apple_silicon: Option<bool>,
    /// `PINRequiredForDeviceLock`.
    pub pin_required_for_lock: Option<bool>,
    /// `PINRequiredForEraseDevice`.
    pub pin_required_for_erase: Option<bool>,
    /// `IsMultiUser`: an iPad that several people share.
    pub shared: Option<bool>,
    /// Where it last was.
    pub location: Option<Location>,
    /// What only Google tells; `None` of an Apple device.
    pub android: Option<AndroidFacts>,
    /// When the device last reported its inventory.
    pub reported_at: Option<Timestamp>,
    /// When it last reported its status by itself, in this enrollment: an older answer that is applied later does not take
    /// back what that told.
    pub status_at: Option<Timestamp>,
}
