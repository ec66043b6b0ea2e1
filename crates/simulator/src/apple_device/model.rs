//! What a pretend device is: the model, its numbers, and the state that it reports of itself.

mod applications;
mod numbers;
mod secrets;
mod user_enrollment;

use apple::{Authenticate, Identifiers, OsVersion, Platform};

pub use applications::Application;
pub use secrets::Secrets;
pub use user_enrollment::UserEnrollment;

use numbers::Numbers;

/// A device as it leaves the shop. Two models of the same preset and seed are equal; other seeds (below
/// 500,000 of one preset) have other serial numbers, UDIDs and IMEIs.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceModel {
    /// The operating system.
    pub platform: Platform,
    /// `UDID`.
    pub udid: String,
    /// `SerialNumber`.
    pub serial_number: String,
    /// `DeviceName`: what its owner calls it.
    pub device_name: String,
    /// `ProductName`, on a Mac also `Model`: `iPhone17,2`.
    pub product_name: String,
    /// `ModelName`: `iPhone`.
    pub model_name: String,
    /// `ModelNumber`: what is printed on the box.
    pub model_number: String,
    /// `OSVersion`: `18.1`.
    pub os_version: String,
    /// `BuildVersion`.
    pub build_version: String,
    /// `DeviceCapacity`, in GB of 10⁹ bytes.
    pub capacity: f64,
    /// `AvailableDeviceCapacity`, in GB.
    pub available_capacity: f64,
    /// `BatteryLevel`, from 0.0 to 1.0.
    pub battery_level: f64,
    /// `IsSupervised`.
    pub supervised: bool,
    /// Whether the user has set a passcode (or on a Mac a password).
    pub passcode_set: bool,
    /// One for each slot; none without a modem.
    pub modems: Vec<Modem>,
    /// `WiFiMAC`.
    pub wifi_mac: String,
    /// `BluetoothMAC`.
    pub bluetooth_mac: String,
    /// Set under User Enrollment: then the device is its user's, and hides UDID, serial number and IMEIs.
    pub user_enrollment: Option<UserEnrollment>,
    /// What its screen shows in Lost Mode; `None` out of it.
    pub lost_mode: Option<LostMode>,
    /// Where it is; `None` if it does not know.
    pub place: Option<Place>,
    /// Its apps; `None` for those with which a device of this serial number begins
    /// ([`installed_applications`](Self::installed_applications)).
    pub applications: Option<Vec<Application>>,
    /// What it tells or lets go of in answer to few commands only.
    pub secrets: Secrets,
}

/// What a lost device shows its finder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LostMode {
    /// `Message`.
    pub message: Option<String>,
    /// `PhoneNumber`.
    pub phone_number: Option<String>,
    /// `Footnote`.
    pub footnote: Option<String>,
}

/// A place on Earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich.
    pub longitude: f64,
}

/// A slot for a mobile subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modem {
    /// Fifteen digits, the last one Luhn's, in Apple's grouping: `35 612345 678901 2`.
    pub imei: String,
    /// `EID`, where the slot is an eSIM.
    pub eid: Option<String>,
    /// The SIM's number, where there is a SIM.
    pub iccid: Option<String>,
    /// Where there is a SIM.
    pub phone_number: Option<String>,
}

impl DeviceModel {
    /// An iPhone 16 Pro Max with iOS 18.1, its user's own, with one SIM and a free eSIM slot.
    pub fn iphone(seed: u64) -> DeviceModel {
        let numbers = Numbers::new("iPhone", seed);
        let sim = Modem { phone_number: Some(numbers.phone_number()), ..numbers.modem(35_612_345, false) };
        let modems = vec![sim, numbers.modem(35_612_346, true)];
        DeviceModel { modems, ..DeviceModel::iphone_of(&numbers) }
    }

    /// Such an iPhone with an eSIM only, under User Enrollment: in its messages it is an `EnrollmentID`.
    pub fn user_enrolled_iphone(seed: u64) -> DeviceModel {
        let numbers = Numbers::new("iPhone, own", seed);
        let phone = DeviceModel::iphone_of(&numbers);
        let account = format!("user{seed}@example.com");
        DeviceModel {
            modems: vec![numbers.modem(35_612_347, true)],
            user_enrollment: Some(UserEnrollment::new(&phone.udid, 0, &account)),
            ..phone
        }
    }

    fn iphone_of(numbers: &Numbers) -> DeviceModel {
        DeviceModel {
            platform: Platform::IOs,
            udid: numbers.mobile_udid("00008140"),
            product_name: "iPhone17,2".into(),
            model_name: "iPhone".into(),
            model_number: "MYW53LL/A".into(),
            os_version: "18.1".into(),
            build_version: "22B83".into(),
            capacity: 256.0,
            ..numbers.device("iPhone")
        }
    }

    /// An iPad Pro 11-inch (M4) with iPadOS 18.1 and an eSIM slot, owned and supervised by an organization.
    pub fn supervised_ipad(seed: u64) -> DeviceModel {
        let numbers = Numbers::new("iPad", seed);
        DeviceModel {
            platform: Platform::IPadOs,
            udid: numbers.mobile_udid("00008132"),
            product_name: "iPad16,4".into(),
            model_name: "iPad".into(),
            model_number: "MVW13LL/A".into(),
            os_version: "18.1".into(),
            build_version: "22B83".into(),
            capacity: 512.0,
            supervised: true,
            modems: vec![numbers.modem(35_298_411, true)],
            ..numbers.device("iPad")
        }
    }

    /// A MacBook Pro (14-inch, M4) with macOS 15.1.
    pub fn mac(seed: u64) -> DeviceModel {
        let numbers = Numbers::new("Mac", seed);
        DeviceModel {
            platform: Platform::MacOs,
            udid: numbers.mac_udid(),
            product_name: "Mac16,1".into(),
            model_name: "MacBook Pro".into(),
            model_number: "MW2U3LL/A".into(),
            os_version: "15.1".into(),
            build_version: "24B83".into(),
            capacity: 994.66,
            ..numbers.device("MacBook Pro")
        }
    }

    /// A MacBook Pro (16-inch, 2019) with an Intel processor and macOS 15.1.
    pub fn intel_mac(seed: u64) -> DeviceModel {
        let mac = DeviceModel::mac(seed);
        DeviceModel { product_name: "MacBookPro16,1".into(), model_number: "MVVJ2LL/A".into(), ..mac }
    }

    /// By turns an iPhone, a supervised iPad and a Mac, beginning with 0.
    pub fn nth(seed: u64) -> DeviceModel {
        match seed % 3 {
            0 => DeviceModel::iphone(seed / 3),
            1 => DeviceModel::supervised_ipad(seed / 3),
            _ => DeviceModel::mac(seed / 3),
        }
    }

    /// Who it says that it is.
    pub fn identifiers(&self) -> Identifiers {
        match &self.user_enrollment {
            None => Identifiers { udid: Some(self.udid.clone()), ..Identifiers::default() },
            Some(user) => {
                Identifiers { enrollment_id: Some(user.enrollment_id.clone()), ..Identifiers::default() }
            }
        }
    }

    /// The version as a number; 0 for one that is none.
    pub fn os(&self) -> OsVersion {
        self.os_version.parse().unwrap_or_default()
    }

    /// Whether it is a Mac.
    pub fn is_mac(&self) -> bool {
        self.platform == Platform::MacOs
    }

    /// Whether it is a Mac with Apple silicon: their products are called `Mac16,1` and the like, but for the first ones,
    /// which are not among the presets.
    pub fn is_apple_silicon(&self) -> bool {
        let number = self.product_name.strip_prefix("Mac");
        self.is_mac() && number.is_some_and(|number| number.starts_with(|first: char| first.is_ascii_digit()))
    }

    /// As it leaves the shop, but for what it cannot shed: it has aged, and it is supervised or not.
    pub(super) fn erase(&mut self) {
        self.device_name.clone_from(&self.model_name);
        self.passcode_set = false;
        self.lost_mode = None;
        self.applications = None;
        self.secrets = Secrets::default();
    }

    /// The first message of an enrollment.
    pub(super) fn authenticate(&self, topic: &str) -> Authenticate {
        let mac = |text: &String| Some(text.clone()).filter(|_| self.is_mac());
        let open = !self.is_user_enrolled();
        Authenticate {
            topic: topic.to_owned(),
            ids: self.identifiers(),
            device_name: mac(&self.device_name),
            model_name: mac(&self.model_name),
            model: mac(&self.product_name),
            os_version: Some(self.os_version.clone()),
            build_version: Some(self.build_version.clone()),
            product_name: Some(self.product_name.clone()),
            serial_number: open.then(|| self.serial_number.clone()),
            imei: self.modems.first().filter(|_| open).map(|modem| modem.imei.clone()),
            meid: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn digits(imei: &str) -> Vec<u32> {
        imei.chars().filter_map(|c| c.to_digit(10)).collect()
    }

    fn luhn_sum(digits: &[u32]) -> u32 {
        let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
        let weigh = |(place, digit): (usize, &u32)| if place % 2 == 0 { *digit } else { doubled(*digit) };
        digits.iter().rev().enumerate().map(weigh).sum()
    }

    #[test]
    fn the_same_seed_is_the_same_device() {
        assert_eq!(DeviceModel::nth(41), DeviceModel::nth(41));
        assert_ne!(DeviceModel::mac(1), DeviceModel::mac(2));
    }

    #[test]
    fn the_first_three_are_an_iphone_a_supervised_ipad_and_a_mac() {
        let three: Vec<_> =
            (0..3).map(DeviceModel::nth).map(|model| (model.platform, model.supervised)).collect();
        assert_eq!(three, [(Platform::IOs, false), (Platform::IPadOs, true), (Platform::MacOs, false)]);
    }

    #[test]
    fn thousands_differ_in_every_number_that_identifies() {
        let (mut numbers, mut count) = (HashSet::new(), 0);
        let own = (0..10_000).map(DeviceModel::user_enrolled_iphone);
        for model in (0..30_000).map(DeviceModel::nth).chain(own) {
            let imeis = model.modems.iter().map(|modem| modem.imei.clone());
            for number in [model.udid.clone(), model.serial_number.clone()].into_iter().chain(imeis) {
                numbers.insert(number);
                count += 1;
            }
        }
        assert_eq!(numbers.len(), count);
    }

    #[test]
    fn imeis_have_fifteen_digits_and_luhns_last_one() {
        for modem in (0..300).map(DeviceModel::nth).flat_map(|model| model.modems) {
            let digits = digits(&modem.imei);
            assert_eq!((digits.len(), luhn_sum(&digits) % 10), (15, 0), "{}", modem.imei);
        }
    }

    #[test]
    fn products_and_platforms_fit() {
        for model in (0..3).map(DeviceModel::nth) {
            assert_eq!(Platform::from_product_name(&model.product_name), Some(model.platform));
            assert!(apple::platform::marketing_name(&model.product_name).is_some());
            assert_eq!(model.os().to_string(), model.os_version);
            assert!(model.available_capacity < model.capacity && (0.0..=1.0).contains(&model.battery_level));
        }
    }

    #[test]
    fn only_a_mac_tells_its_name_when_it_authenticates() {
        assert_eq!(DeviceModel::iphone(0).authenticate("t").device_name, None);
        assert!(DeviceModel::mac(0).authenticate("t").device_name.is_some());
        assert!(DeviceModel::iphone(0).authenticate("t").imei.is_some());
    }
}
