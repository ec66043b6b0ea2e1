//! The answers to `DeviceInformation`.

use super::Answers;
use crate::report::Report;

/// No device has more subscriptions (SIMs and eSIM profiles) than this.
const MAX_SUBSCRIPTIONS: usize = 32;

/// `QueryResponses`, each under Apple's name for it. `None` is unknown: not asked, not answered, or not
/// sensible.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceInformation {
    /// `UDID`.
    pub udid: Option<String>,
    /// `DeviceName`.
    pub device_name: Option<String>,
    /// `OSVersion`, such as `18.1`.
    pub os_version: Option<String>,
    /// `SupplementalOSVersionExtra`: the letter of a Rapid Security Response, such as `(a)`.
    pub supplemental_os_version_extra: Option<String>,
    /// `BuildVersion`.
    pub build_version: Option<String>,
    /// `SupplementalBuildVersion`.
    pub supplemental_build_version: Option<String>,
    /// `ModelName`: the family, such as `iPhone`.
    pub model_name: Option<String>,
    /// `Model`: on iOS a part number, on macOS such as `MacBookPro18,3`.
    pub model: Option<String>,
    /// `ModelNumber`: with the region, such as `MK1A3LL/A`.
    pub model_number: Option<String>,
    /// `ProductName`, such as `iPhone17,2`.
    pub product_name: Option<String>,
    /// `SerialNumber`.
    pub serial_number: Option<String>,
    /// `DeviceCapacity` in GB (10⁹ bytes; up to macOS 11 GiB).
    pub device_capacity: Option<f64>,
    /// `AvailableDeviceCapacity` in GB, as [`device_capacity`](Self::device_capacity).
    pub available_device_capacity: Option<f64>,
    /// `BatteryLevel` from 0.0 to 1.0. A device that does not know says -1.
    pub battery_level: Option<f64>,
    /// `HasBattery` of a Mac.
    pub has_battery: Option<bool>,
    /// `IsSupervised`.
    pub is_supervised: Option<bool>,
    /// `IsMultiUser`: it is a Shared iPad.
    pub is_multi_user: Option<bool>,
    /// `IsAppleSilicon`; asked only of macOS 12 and later.
    pub is_apple_silicon: Option<bool>,
    /// `IsDeviceLocatorServiceEnabled`: Find My is on.
    pub is_device_locator_service_enabled: Option<bool>,
    /// `IsActivationLockEnabled`.
    pub is_activation_lock_enabled: Option<bool>,
    /// `IsActivationLockSupported` by this Mac.
    pub is_activation_lock_supported: Option<bool>,
    /// `IsMDMLostModeEnabled`.
    pub is_mdm_lost_mode_enabled: Option<bool>,
    /// `AwaitingConfiguration`: Setup Assistant waits for a `DeviceConfigured`.
    pub awaiting_configuration: Option<bool>,
    /// `PINRequiredForDeviceLock` by this Mac.
    pub pin_required_for_device_lock: Option<bool>,
    /// `PINRequiredForEraseDevice` by this Mac.
    pub pin_required_for_erase_device: Option<bool>,
    /// `SystemIntegrityProtectionEnabled` on this Mac.
    pub system_integrity_protection_enabled: Option<bool>,
    /// `TimeZone`, such as `Europe/Berlin`.
    pub time_zone: Option<String>,
    /// `HostName` of this Mac.
    pub host_name: Option<String>,
    /// `LocalHostName` of this Mac.
    pub local_host_name: Option<String>,
    /// `WiFiMAC`.
    pub wifi_mac: Option<String>,
    /// `BluetoothMAC`.
    pub bluetooth_mac: Option<String>,
    /// `EthernetMAC`, of a Mac.
    pub ethernet_mac: Option<String>,
    /// `IMEI`: not from iOS 26 on; better [`imeis`](Self::imeis).
    pub imei: Option<String>,
    /// `MEID`: not from iOS 26 on.
    pub meid: Option<String>,
    /// `ICCID`: not from iOS 26 on.
    pub iccid: Option<String>,
    /// `PhoneNumber`: not from iOS 26 on.
    pub phone_number: Option<String>,
    /// `IsRoaming`: not from iOS 26 on; better [`is_roaming`](Self::is_roaming).
    pub roaming: Option<bool>,
    /// `ServiceSubscriptions`, at most 32.
    pub service_subscriptions: Vec<ServiceSubscription>,
}

/// One subscription to a mobile network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceSubscription {
    /// `Slot`, such as `CTSubscriptionSlotOne`.
    pub slot: Option<String>,
    /// `Label` that the user gave it.
    pub label: Option<String>,
    /// `IMEI` of the slot.
    pub imei: Option<String>,
    /// `MEID` of the slot.
    pub meid: Option<String>,
    /// `EID` of the eSIM.
    pub eid: Option<String>,
    /// `ICCID` of the SIM.
    pub iccid: Option<String>,
    /// `PhoneNumber`.
    pub phone_number: Option<String>,
    /// `CurrentCarrierNetwork`.
    pub current_carrier_network: Option<String>,
    /// `SubscriberCarrierNetwork`.
    pub subscriber_carrier_network: Option<String>,
    /// `IsRoaming`.
    pub is_roaming: Option<bool>,
    /// `IsDataPreferred`.
    pub is_data_preferred: Option<bool>,
    /// `IsVoicePreferred`.
    pub is_voice_preferred: Option<bool>,
}

impl DeviceInformation {
    /// Reads what a report answers; all unknown if it answers no query.
    pub fn from_report(report: &Report) -> DeviceInformation {
        let answers = Answers(Some(&report.body)).inner("QueryResponses");
        let mut information = DeviceInformation::identity(answers);
        information.read_state(answers);
        information.read_network(answers);
        information
    }

    /// Every IMEI of the device, each once, the first slot's first, as the device writes them.
    pub fn imeis(&self) -> Vec<&str> {
        let by_slot = self.service_subscriptions.iter().map(|subscription| &subscription.imei);
        let mut imeis: Vec<&str> = Vec::new();
        for imei in std::iter::once(&self.imei).chain(by_slot).flatten() {
            // The old key and the new one may differ in their spaces.
            let digits = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            if !imeis.iter().any(|known| digits(known) == digits(imei)) {
                imeis.push(imei);
            }
        }
        imeis
    }

    /// Whether any subscription is in a foreign network.
    pub fn is_roaming(&self) -> Option<bool> {
        let by_slot = self.service_subscriptions.iter().map(|subscription| subscription.is_roaming);
        std::iter::once(self.roaming).chain(by_slot).flatten().reduce(|any, one| any || one)
    }

    fn identity(answers: Answers<'_>) -> DeviceInformation {
        DeviceInformation {
            udid: answers.text("UDID"),
            device_name: answers.text("DeviceName"),
            os_version: answers.text("OSVersion"),
            supplemental_os_version_extra: answers.text("SupplementalOSVersionExtra"),
            build_version: answers.text("BuildVersion"),
            supplemental_build_version: answers.text("SupplementalBuildVersion"),
            model_name: answers.text("ModelName"),
            model: answers.text("Model"),
            model_number: answers.text("ModelNumber"),
            product_name: answers.text("ProductName"),
            serial_number: answers.text("SerialNumber"),
            ..DeviceInformation::default()
        }
    }

    fn read_state(&mut self, answers: Answers<'_>) {
        self.device_capacity = answers.number("DeviceCapacity");
        self.available_device_capacity = answers.number("AvailableDeviceCapacity");
        self.battery_level = answers.number("BatteryLevel").filter(|level| *level <= 1.0);
        self.has_battery = answers.boolean("HasBattery");
        self.is_supervised = answers.boolean("IsSupervised");
        self.is_multi_user = answers.boolean("IsMultiUser");
        self.is_apple_silicon = answers.boolean("IsAppleSilicon");
        self.is_device_locator_service_enabled = answers.boolean("IsDeviceLocatorServiceEnabled");
        self.is_activation_lock_enabled = answers.boolean("IsActivationLockEnabled");
        self.is_activation_lock_supported = answers.boolean("IsActivationLockSupported");
        self.is_mdm_lost_mode_enabled = answers.boolean("IsMDMLostModeEnabled");
        self.awaiting_configuration = answers.boolean("AwaitingConfiguration");
        self.pin_required_for_device_lock = answers.boolean("PINRequiredForDeviceLock");
        self.pin_required_for_erase_device = answers.boolean("PINRequiredForEraseDevice");
        self.system_integrity_protection_enabled = answers.boolean("SystemIntegrityProtectionEnabled");
        self.time_zone = answers.text("TimeZone");
    }

    fn read_network(&mut self, answers: Answers<'_>) {
        self.host_name = answers.text("HostName");
        self.local_host_name = answers.text("LocalHostName");
        self.wifi_mac = answers.text("WiFiMAC");
        self.bluetooth_mac = answers.text("BluetoothMAC");
        self.ethernet_mac = answers.text("EthernetMAC");
        self.imei = answers.text("IMEI");
        self.meid = answers.text("MEID");
        self.iccid = answers.text("ICCID");
        self.phone_number = answers.text("PhoneNumber");
        self.roaming = answers.boolean("IsRoaming");
        let subscriptions = answers.inner_list("ServiceSubscriptions").take(MAX_SUBSCRIPTIONS);
        self.service_subscriptions = subscriptions.map(ServiceSubscription::read).collect();
    }
}

impl ServiceSubscription {
    fn read(answers: Answers<'_>) -> ServiceSubscription {
        ServiceSubscription {
            slot: answers.text("Slot"),
            label: answers.text("Label"),
            imei: answers.text("IMEI"),
            meid: answers.text("MEID"),
            eid: answers.text("EID"),
            iccid: answers.text("ICCID"),
            phone_number: answers.text("PhoneNumber"),
            current_carrier_network: answers.text("CurrentCarrierNetwork"),
            subscriber_carrier_network: answers.text("SubscriberCarrierNetwork"),
            is_roaming: answers.boolean("IsRoaming"),
            is_data_preferred: answers.boolean("IsDataPreferred"),
            is_voice_preferred: answers.boolean("IsVoicePreferred"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identifiers;
    use plist::{Dictionary, Value};
    use proptest::prelude::*;

    fn answered(pairs: Vec<(&str, Value)>) -> DeviceInformation {
        let ids = Identifiers { udid: Some("U".into()), ..Identifiers::default() };
        let report = Report::acknowledged(ids, "c").with("QueryResponses", Dictionary::from_iter(pairs));
        DeviceInformation::from_report(&Report::parse(&report.encode()).unwrap())
    }

    fn subscription(imei: &str, roaming: Option<bool>) -> Value {
        let mut dictionary = Dictionary::from_iter([("IMEI", imei)]);
        crate::fields::put(&mut dictionary, "IsRoaming", roaming);
        Value::Dictionary(dictionary)
    }

    #[test]
    fn an_iphone_is_read() {
        let read = answered(vec![
            ("OSVersion", "18.1".into()),
            ("ProductName", "iPhone17,2".into()),
            ("DeviceCapacity", Value::Real(256.0)),
            ("AvailableDeviceCapacity", Value::Real(101.5)),
            ("BatteryLevel", Value::Real(0.87)),
            ("IsSupervised", true.into()),
        ]);
        let expected = DeviceInformation {
            os_version: Some("18.1".into()),
            product_name: Some("iPhone17,2".into()),
            device_capacity: Some(256.0),
            available_device_capacity: Some(101.5),
            battery_level: Some(0.87),
            is_supervised: Some(true),
            ..DeviceInformation::default()
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_battery_of_minus_one_is_unknown() {
        let level = |value| answered(vec![("BatteryLevel", value)]).battery_level;
        assert_eq!(level(Value::Real(-1.0)), None);
        assert_eq!(level(Value::from(-1)), None);
        assert_eq!(level(Value::Real(0.0)), Some(0.0));
        assert_eq!(level(Value::from(1)), Some(1.0));
        assert_eq!(level(Value::Real(87.0)), None);
        assert_eq!(level(Value::Real(f64::NAN)), None);
    }

    #[test]
    fn a_value_of_the_wrong_type_hides_no_other() {
        let read = answered(vec![
            ("OSVersion", Value::Real(18.1)),
            ("IsSupervised", "yes".into()),
            ("ServiceSubscriptions", Value::Array(vec!["x".into(), subscription("1", None)])),
            ("DeviceName", "Ann's iPhone".into()),
            ("ModelName", "x".repeat(1025).into()),
        ]);
        assert_eq!(
            (read.os_version.clone(), read.is_supervised, read.model_name.clone()),
            (None, None, None)
        );
        assert_eq!(read.device_name.as_deref(), Some("Ann's iPhone"));
        assert_eq!(read.imeis(), ["1"]);
    }

    #[test]
    fn a_report_without_answers_tells_nothing() {
        let ids = Identifiers { udid: Some("U".into()), ..Identifiers::default() };
        let read = DeviceInformation::from_report(&Report::not_now(ids, "c"));
        assert_eq!(read, DeviceInformation::default());
    }

    #[test]
    fn from_ios_26_on_imeis_come_from_the_subscriptions() {
        let slots = vec![subscription("35 1", None), subscription("35 2", None)];
        assert_eq!(answered(vec![("ServiceSubscriptions", Value::Array(slots))]).imeis(), ["35 1", "35 2"]);
    }

    #[test]
    fn an_imei_told_by_both_keys_counts_once() {
        let slots = vec![subscription("351", None), subscription("352", None)];
        let read = answered(vec![("IMEI", "35 1".into()), ("ServiceSubscriptions", Value::Array(slots))]);
        assert_eq!(read.imeis(), ["35 1", "352"]);
    }

    #[test]
    fn a_device_roams_if_any_subscription_does() {
        let roaming = |old: Option<bool>, slots: &[Option<bool>]| {
            let slots = slots.iter().map(|roaming| subscription("", *roaming)).collect();
            let mut pairs = vec![("ServiceSubscriptions", Value::Array(slots))];
            pairs.extend(old.map(|old| ("IsRoaming", old.into())));
            answered(pairs).is_roaming()
        };
        assert_eq!(roaming(None, &[]), None);
        assert_eq!(roaming(None, &[None]), None);
        assert_eq!(roaming(Some(false), &[]), Some(false));
        assert_eq!(roaming(None, &[Some(false), Some(true)]), Some(true));
        assert_eq!(roaming(Some(true), &[Some(false)]), Some(true));
    }

    proptest! {
        #[test]
        fn odd_answers_never_panic(
            pairs in proptest::collection::vec((
                proptest::sample::select(vec![
                    "OSVersion", "BatteryLevel", "DeviceCapacity", "IMEI", "IsRoaming",
                    "ServiceSubscriptions",
                ]),
                prop_oneof![
                    ".{0,20}".prop_map(Value::from),
                    any::<f64>().prop_map(Value::Real),
                    any::<u64>().prop_map(Value::from),
                    any::<bool>().prop_map(Value::from),
                    Just(Value::Array(vec![Value::Dictionary(Dictionary::new()), Value::from(1)])),
                ],
            ), 0..8),
        ) {
            let read = answered(pairs);
            prop_assert!(read.battery_level.is_none_or(|level| (0.0..=1.0).contains(&level)));
            prop_assert!(read.device_capacity.is_none_or(|capacity| capacity.is_finite() && capacity >= 0.0));
        }
    }
}
