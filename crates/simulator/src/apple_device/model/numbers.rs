//! Serial numbers, UDIDs, IMEIs and the like: plausible, and the same for the same seed.

use apple::Platform;
use aws_lc_rs::digest::{SHA256, digest};

use super::{DeviceModel, Modem, Place, Secrets};

/// What Apple's serial numbers are made of.
const SERIAL_CHARACTERS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRTVWXYZ";
const SERIALS_OF_A_TYPE: u64 = 1_000_000;
const FIRST_NAMES: [&str; 8] = ["Ada", "Grace", "Edsger", "Barbara", "Alan", "Radia", "Donald", "Frances"];

/// The numbers of one device.
pub(super) struct Numbers {
    preset: &'static str,
    seed: u64,
}

impl Numbers {
    pub(super) fn new(preset: &'static str, seed: u64) -> Numbers {
        Numbers { preset, seed }
    }

    /// What all presets have; the rest is to be filled in.
    pub(super) fn device(&self, kind: &str) -> DeviceModel {
        let owner = FIRST_NAMES[(self.number("owner") % FIRST_NAMES.len() as u64) as usize];
        let tenths = (self.number("used") % 1_500) as f64 / 10.0;
        DeviceModel {
            platform: Platform::IOs,
            udid: String::new(),
            serial_number: self.serial_number(),
            device_name: format!("{owner}’s {kind}"),
            product_name: String::new(),
            model_name: String::new(),
            model_number: String::new(),
            os_version: String::new(),
            build_version: String::new(),
            capacity: 0.0,
            available_capacity: 40.0 + tenths,
            battery_level: (20 + self.number("battery") % 81) as f64 / 100.0,
            supervised: false,
            passcode_set: true,
            modems: Vec::new(),
            wifi_mac: self.mac_address(0),
            bluetooth_mac: self.mac_address(1),
            user_enrollment: None,
            lost_mode: None,
            place: Some(self.place()),
            applications: None,
            secrets: Secrets::default(),
        }
    }

    /// `00008140-000A1B2C3D4E5F60`: the chip, and which one.
    pub(super) fn mobile_udid(&self, chip: &str) -> String {
        format!("{chip}-{:016X}", self.number("UDID") >> 8)
    }

    /// A UUID in capitals, as Macs have it.
    pub(super) fn mac_udid(&self) -> String {
        let (high, low) = (self.number("UDID"), self.number("UDID, continued"));
        format!(
            "{:08X}-{:04X}-{:04X}-{:04X}-{:012X}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// A slot whose type allocation code is (at least) `tac`, eight digits.
    pub(super) fn modem(&self, tac: u64, is_esim: bool) -> Modem {
        let (types, serial) = (self.seed / SERIALS_OF_A_TYPE, self.seed % SERIALS_OF_A_TYPE);
        let digits = format!("{:08}{serial:06}", tac + 1_000 * types);
        let number = |purpose: &str| self.number(purpose) % 10_000_000_000;
        Modem {
            imei: format!("{} {} {} {}", &digits[..2], &digits[2..8], &digits[8..], luhn(&digits)),
            eid: is_esim
                .then(|| format!("8904903200000088{:010}{:06}", number("EID"), self.seed % 1_000_000)),
            iccid: (!is_esim).then(|| format!("890141{:010}{:03}", number("ICCID"), self.seed % 1_000)),
            phone_number: None,
        }
    }

    /// In the range that is kept for fiction.
    pub(super) fn phone_number(&self) -> String {
        format!("+1202555{:04}", 100 + self.number("phone") % 100)
    }

    /// Within a few kilometers of the middle of Berlin.
    fn place(&self) -> Place {
        let degrees = |purpose: &str| (self.number(purpose) % 100_000) as f64 / 1_000_000.0;
        Place { latitude: 52.47 + degrees("latitude"), longitude: 13.35 + degrees("longitude") }
    }

    fn serial_number(&self) -> String {
        let bits = self.number("serial");
        let character = |place: u32| char::from(SERIAL_CHARACTERS[(bits >> (5 * place) & 31) as usize]);
        std::iter::once('F').chain((0..9).map(character)).collect()
    }

    fn mac_address(&self, interface: u64) -> String {
        let number = (2 * self.seed + interface) & 0xff_ffff;
        let preset = self.preset.bytes().last().unwrap_or_default() & 0x0f;
        format!("f0:18:{preset:02x}:{:02x}:{:02x}:{:02x}", number >> 16, number >> 8 & 0xff, number & 0xff)
    }

    fn number(&self, purpose: &str) -> u64 {
        let digest = digest(&SHA256, format!("{}|{}|{purpose}", self.preset, self.seed).as_bytes());
        digest.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// The digit that makes the sum of Luhn's formula a multiple of ten.
fn luhn(digits: &str) -> u32 {
    let weigh = |(place, digit): (usize, u32)| match (place % 2, digit) {
        (0, 5..) => digit * 2 - 9,
        (0, _) => digit * 2,
        _ => digit,
    };
    let sum: u32 = digits.chars().rev().filter_map(|c| c.to_digit(10)).enumerate().map(weigh).sum();
    (10 - sum % 10) % 10
}
