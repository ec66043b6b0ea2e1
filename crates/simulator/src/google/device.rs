//! A pretend Android device: what it is, how it enrolls, and what it does when it is in touch with Google.

mod enroll;
mod execute;
mod logs;
mod report;
mod sync;

use std::time::SystemTime;

/// What a device is. Google hears of a change at the next report.
#[derive(Clone, Debug, PartialEq)]
pub struct AndroidDevice {
    /// Such as `Google`.
    pub manufacturer: String,
    /// Such as `Pixel 9`.
    pub model: String,
    /// What is printed on it.
    pub serial_number: String,
    /// Of its first SIM slot; none on a tablet without a radio.
    pub imei: Option<String>,
    /// Such as `15`.
    pub android_version: u32,
    /// Set up as a new device of the company's, by QR code; else a link opened on somebody's own device.
    pub company_owned: bool,
    /// Internal storage, in bytes.
    pub storage: u64,
    /// What is free of it.
    pub free_storage: u64,
    /// Percent.
    pub battery_level: u8,
    /// Degrees: latitude and longitude.
    pub location: (f64, f64),
    /// Whether a PIN, pattern or password is set.
    pub secure: bool,
    /// What is installed.
    pub applications: Vec<Application>,
}

/// An application on a pretend device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Such as `com.android.chrome`.
    pub package_name: String,
    /// What the user sees.
    pub display_name: String,
    /// Such as `131.0.6778.39`.
    pub version_name: String,
}

impl AndroidDevice {
    /// A phone of the company's with Android 15; `number` makes its serial number and IMEI.
    pub fn phone(number: u32) -> Self {
        Self {
            manufacturer: "Google".to_owned(),
            model: "Pixel 9".to_owned(),
            serial_number: format!("4A0{number:011}"),
            imei: Some(format!("35693803{number:07}")),
            android_version: 15,
            company_owned: true,
            storage: 128_000_000_000,
            free_storage: 96_000_000_000,
            battery_level: 81,
            location: (52.520_008, 13.404_954),
            secure: true,
            applications: vec![Application::chrome()],
        }
    }

    /// Somebody's own phone: a token for work profiles makes a work profile on it.
    pub fn personal_phone(number: u32) -> Self {
        Self { company_owned: false, ..Self::phone(number) }
    }
}

impl Application {
    fn chrome() -> Self {
        Self {
            package_name: "com.android.chrome".to_owned(),
            display_name: "Chrome".to_owned(),
            version_name: "131.0.6778.39".to_owned(),
        }
    }
}

/// A device out there, and what Google's application on it remembers.
pub(super) struct Hardware {
    pub(super) facts: AndroidDevice,
    /// The serial number that Google is told.
    pub(super) known_as: String,
    /// When it last was.
    pub(super) in_touch: Option<SystemTime>,
    /// The last one that a command has set.
    pub(super) password: Option<String>,
    /// Google has given the record up, and will tell the device so.
    pub(super) to_be_wiped: bool,
    pub(super) wiped: bool,
    lost: bool,
    password_reset: Option<SystemTime>,
    lost_mode_left_by_user: Option<SystemTime>,
}

impl Hardware {
    fn new(facts: AndroidDevice) -> Self {
        Self {
            known_as: facts.serial_number.clone(),
            facts,
            in_touch: None,
            password: None,
            to_be_wiped: false,
            wiped: false,
            lost: false,
            password_reset: None,
            lost_mode_left_by_user: None,
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }
}
