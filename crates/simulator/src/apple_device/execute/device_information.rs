//! Answers to `DeviceInformation` (Apple's `mdm/commands/information.device.yaml`): only what the OS knows,
//! only what was asked.

use apple::inventory::{EnrollmentKind, queries_for};
use apple::{Dictionary, Value};

use crate::apple_device::model::{DeviceModel, Modem};

/// The answers to those queries that this device knows; others it passes over, as real ones do.
pub(super) fn answers(model: &DeviceModel, queries: &[String]) -> Dictionary {
    let kind = if model.is_user_enrolled() {
        EnrollmentKind::User
    } else {
        EnrollmentKind::Device { supervised: model.supervised }
    };
    let known = queries_for(model.platform, Some(model.os()), kind);
    let asked = queries.iter().filter(|query| known.contains(&query.as_str()));
    asked.filter_map(|query| Some((query.clone(), answer(model, query)?))).collect()
}

fn answer(model: &DeviceModel, query: &str) -> Option<Value> {
    identity(model, query).or_else(|| state(model, query)).or_else(|| network(model, query))
}

fn identity(model: &DeviceModel, query: &str) -> Option<Value> {
    let text = match query {
        "UDID" | "ProvisioningUDID" => &model.udid,
        "DeviceName" => &model.device_name,
        "OSVersion" => &model.os_version,
        "SupplementalOSVersionExtra" => "",
        "BuildVersion" | "SupplementalBuildVersion" => &model.build_version,
        "ModelName" => &model.model_name,
        // On a Mac the identifier, elsewhere the part number.
        "Model" if model.is_mac() => &model.product_name,
        "Model" | "ModelNumber" => &model.model_number,
        "ProductName" => &model.product_name,
        "SerialNumber" => &model.serial_number,
        "TimeZone" => "Europe/Berlin",
        "EASDeviceIdentifier" => return Some(Value::from(model.udid.replace('-', ""))),
        "LocalHostName" | "HostName" => return Some(Value::from(host_name(&model.device_name))),
        _ => return None,
    };
    Some(Value::from(text))
}

fn state(model: &DeviceModel, query: &str) -> Option<Value> {
    Some(match query {
        "DeviceCapacity" => Value::from(model.capacity),
        "AvailableDeviceCapacity" => Value::from(model.available_capacity),
        "BatteryLevel" => Value::from(model.battery_level),
        "IsSupervised" => Value::from(model.supervised),
        "IsMDMLostModeEnabled" => Value::from(model.lost_mode.is_some()),
        "IsAppleSilicon" => Value::from(!model.is_mac() || model.is_apple_silicon()),
        "HasBattery"
        | "IsActivationLockSupported"
        | "SystemIntegrityProtectionEnabled"
        | "PINRequiredForEraseDevice"
        | "PINRequiredForDeviceLock"
        | "SupportsiOSAppInstalls"
        | "IsDeviceLocatorServiceEnabled" => Value::from(true),
        "IsMultiUser"
        | "IsActivationLockEnabled"
        | "IsDoNotDisturbInEffect"
        | "IsCloudBackupEnabled"
        | "AwaitingConfiguration"
        | "DiagnosticSubmissionEnabled"
        | "AppAnalyticsEnabled"
        | "SupportsLOMDevice" => Value::from(false),
        _ => return None,
    })
}

fn network(model: &DeviceModel, query: &str) -> Option<Value> {
    Some(match query {
        "WiFiMAC" => Value::from(model.wifi_mac.as_str()),
        "BluetoothMAC" => Value::from(model.bluetooth_mac.as_str()),
        "IsNetworkTethered" => Value::from(false),
        _ => return modem(model.modems.first()?, model, query),
    })
}

/// What only a device with a modem answers.
fn modem(first: &Modem, model: &DeviceModel, query: &str) -> Option<Value> {
    Some(match query {
        "IMEI" => Value::from(first.imei.as_str()),
        "ICCID" => Value::from(first.iccid.as_deref()?),
        "PhoneNumber" => Value::from(first.phone_number.as_deref()?),
        "CurrentCarrierNetwork" | "SubscriberCarrierNetwork" if first.iccid.is_some() => {
            Value::from("Carrier")
        }
        "CarrierSettingsVersion" => Value::from("60.0"),
        "ModemFirmwareVersion" => Value::from("1.11.01"),
        // Both GSM and CDMA.
        "CellularTechnology" => Value::from(3),
        "VoiceRoamingEnabled" | "DataRoamingEnabled" | "PersonalHotspotEnabled" | "IsRoaming" => {
            Value::from(false)
        }
        "ServiceSubscriptions" => {
            let slots = model.modems.iter().enumerate();
            Value::Array(slots.map(|(slot, modem)| Value::Dictionary(subscription(slot, modem))).collect())
        }
        _ => return None,
    })
}

fn subscription(slot: usize, modem: &Modem) -> Dictionary {
    let in_use = modem.iccid.is_some();
    let mut subscription = Dictionary::from_iter([
        ("Slot", Value::from(if slot == 0 { "CTSubscriptionSlotOne" } else { "CTSubscriptionSlotTwo" })),
        ("IMEI", Value::from(modem.imei.as_str())),
        ("IsDataPreferred", Value::from(in_use)),
        ("IsVoicePreferred", Value::from(in_use)),
        ("IsRoaming", Value::from(false)),
    ]);
    for (key, value) in [
        ("EID", &modem.eid),
        ("ICCID", &modem.iccid),
        ("PhoneNumber", &modem.phone_number),
        ("CurrentCarrierNetwork", &in_use.then(|| "Carrier".to_owned())),
        ("Label", &in_use.then(|| "Primary".to_owned())),
    ] {
        if let Some(value) = value {
            subscription.insert(key.into(), Value::from(value.as_str()));
        }
    }
    subscription
}

/// As macOS derives it from the computer's name.
fn host_name(device_name: &str) -> String {
    let plain = device_name.replace('’', "");
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(model: &DeviceModel, queries: &[&str]) -> Vec<String> {
        let queries: Vec<String> = queries.iter().map(|query| (*query).to_owned()).collect();
        answers(model, &queries).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn only_what_the_os_knows_is_answered() {
        assert_eq!(
            asked(&DeviceModel::mac(0), &["IMEI", "UDID", "Nonsense", "HasBattery"]),
            ["UDID", "HasBattery"]
        );
        assert_eq!(asked(&DeviceModel::iphone(0), &["HasBattery", "IMEI"]), ["IMEI"]);
        let newest = DeviceModel { os_version: "26.0".into(), ..DeviceModel::iphone(0) };
        assert_eq!(asked(&newest, &["IMEI", "ServiceSubscriptions"]), ["ServiceSubscriptions"]);
    }

    #[test]
    fn what_a_server_may_ask_has_an_answer() {
        const UNANSWERED: [&str; 4] = ["LastCloudBackupDate", "AccessibilitySettings", "MEID", "EthernetMAC"];
        for model in [DeviceModel::iphone(0), DeviceModel::mac(0)] {
            let kind = EnrollmentKind::Device { supervised: true };
            let mut queries = queries_for(model.platform, Some(model.os()), kind);
            queries.retain(|query| !UNANSWERED.contains(query));
            assert_eq!(asked(&model, &queries), queries);
        }
    }

    #[test]
    fn a_lost_device_says_so() {
        let says = |lost_mode| {
            let model = DeviceModel { lost_mode, ..DeviceModel::supervised_ipad(0) };
            answers(&model, &["IsMDMLostModeEnabled".into()]).get("IsMDMLostModeEnabled").cloned()
        };
        assert_eq!(says(None), Some(Value::from(false)));
        assert_eq!(says(Some(Default::default())), Some(Value::from(true)));
    }

    #[test]
    fn a_users_own_device_does_not_tell_which_one_it_is() {
        let own = DeviceModel::user_enrolled_iphone(0);
        let asked = asked(&own, &["UDID", "SerialNumber", "IMEI", "WiFiMAC", "OSVersion", "ModelName"]);
        assert_eq!(asked, ["OSVersion", "ModelName"]);
    }

    #[test]
    fn a_device_with_two_slots_tells_both_imeis() {
        let model = DeviceModel::iphone(0);
        let report = apple::Report::acknowledged(model.identifiers(), "c").with(
            "QueryResponses",
            Value::Dictionary(answers(&model, &["ServiceSubscriptions".into(), "IMEI".into()])),
        );
        let information = apple::inventory::DeviceInformation::from_report(&report);
        assert_eq!(information.imeis().len(), 2);
    }
}
