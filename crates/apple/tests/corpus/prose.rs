//! Cases by hand: what Apple says in prose, and what came and went with 26 and 27.

use apple::facts::Os;
use apple::validate::{self, Options, Target, TargetChannel, Verdicts};
use apple::{Dictionary, OsVersion, Value};

fn device(os: Os, major: u16, minor: u16) -> Target {
    Target {
        supervised: Some(true),
        automated: Some(true),
        user_enrollment: Some(false),
        rights: Some(apple::enrollment::AccessRights::ALL),
        channel: Some(TargetChannel::Device),
        shared_ipad: Some(false),
        ..Target::of(os, OsVersion::new(major, minor, 0))
    }
}

fn dictionary(pairs: &[(&str, Value)]) -> Dictionary {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

fn faults(request_type: &str, keys: &[(&str, Value)], target: &Target) -> Vec<String> {
    let mut command = dictionary(keys);
    command.insert("RequestType".into(), request_type.into());
    let verdict = validate::command(&command, target, Options::default());
    verdict.faults.iter().map(ToString::to_string).collect()
}

#[test]
fn updates_by_command_end_with_27() {
    let update =
        |keys: &[(&str, Value)]| [("Updates", Value::Array(vec![Value::Dictionary(dictionary(keys))]))];
    let good = update(&[("ProductVersion", "18.2".into()), ("InstallAction", "Default".into())]);
    assert_eq!(faults("ScheduleOSUpdate", &good, &device(Os::IOs, 18, 1)), Vec::<String>::new());
    assert_eq!(
        faults("ScheduleOSUpdate", &good, &device(Os::IOs, 27, 0)),
        ["RequestType: found iOS 27.0; allowed: before iOS 27.0, which removed it"]
    );
    let neither = update(&[("InstallAction", "Default".into()), ("MaxUserDeferrals", 3.into())]);
    assert_eq!(
        faults("ScheduleOSUpdate", &neither, &device(Os::MacOs, 15, 0)),
        [
            "Updates[0]: missing; one of these is required: ProductKey, ProductVersion",
            "Updates[0].MaxUserDeferrals: allowed only where InstallAction is InstallLater",
        ]
    );
    assert_eq!(
        faults("ScheduleOSUpdate", &[("Updates", Value::Array(Vec::new()))], &device(Os::IOs, 18, 1)),
        ["Updates: found nothing in it; at least one is required"]
    );
}

#[test]
fn deprecated_is_a_warning() {
    let command = dictionary(&[("RequestType", "AvailableOSUpdates".into())]);
    let verdict = validate::command(&command, &device(Os::IOs, 26, 0), Options::default());
    assert!(verdict.is_valid());
    assert_eq!(verdict.warnings[0].to_string(), "RequestType: deprecated since iOS 26.0");
}

#[test]
fn logs_for_applecare_come_with_27_and_on_a_mac_from_the_user() {
    let token = [("AppleCareToken", Value::from("test-token-normal"))];
    let name = "TriggerEnhancedLogCollection";
    assert!(faults(name, &token, &device(Os::IOs, 27, 0)).is_empty());
    assert_eq!(
        faults(name, &token, &device(Os::IOs, 26, 4)),
        ["RequestType: found iOS 26.4; allowed: iOS 27.0 and later"]
    );
    assert_eq!(
        faults(name, &token, &device(Os::MacOs, 27, 0)),
        ["RequestType: not allowed on the device channel"]
    );
    let user = Target { channel: Some(TargetChannel::User), ..device(Os::MacOs, 27, 0) };
    assert!(faults(name, &token, &user).is_empty());
    assert!(faults("CancelEnhancedLogCollection", &[], &user).is_empty());
}

#[test]
fn the_imei_is_no_query_of_ios_26() {
    let ask = |query: &str| [("Queries", Value::Array(vec!["OSVersion".into(), query.into()]))];
    assert!(faults("DeviceInformation", &ask("IMEI"), &device(Os::IOs, 18, 7)).is_empty());
    assert_eq!(
        faults("DeviceInformation", &ask("IMEI"), &device(Os::IOs, 26, 0)),
        ["Queries[1]: found iOS 26.0; allowed: before iOS 26.0, which removed it"]
    );
    let unknown = faults("DeviceInformation", &ask("ShoeSize"), &device(Os::IOs, 18, 0));
    assert!(unknown[0].starts_with("Queries[1]: found \"ShoeSize\"; allowed: UDID, "), "{unknown:?}");
    let few = Target { rights: apple::enrollment::AccessRights::new(16), ..device(Os::IOs, 18, 0) };
    assert_eq!(
        faults("DeviceInformation", &ask("WiFiMAC"), &few),
        ["Queries[1]: the enrollment does not grant the access right 32 (query network information)"]
    );
}

#[test]
fn an_erasure_is_judged_by_its_prose() {
    let alone = [("DisallowProximitySetup", Value::from(true)), ("PreserveDataPlan", true.into())];
    assert!(faults("EraseDevice", &alone, &device(Os::IOs, 14, 0)).is_empty());
    assert_eq!(
        faults("EraseDevice", &alone, &device(Os::IOs, 13, 7)),
        ["DisallowProximitySetup: before iOS 14.0, no other key is allowed beside it"]
    );
    let back = Value::Dictionary(dictionary(&[("Enabled", true.into())]));
    let service = [("ReturnToService", back)];
    assert!(faults("EraseDevice", &service, &device(Os::IOs, 18, 0)).is_empty());
    let by_hand = Target { automated: Some(false), ..device(Os::IOs, 18, 0) };
    assert_eq!(
        faults("EraseDevice", &service, &by_hand),
        ["ReturnToService.MDMProfileData: missing; required for a device that did not come through \
             Automated Device Enrollment"]
    );
}

#[test]
fn settings_are_told_apart_by_their_item() {
    let settings =
        |pairs: &[(&str, Value)]| [("Settings", Value::Array(vec![Value::Dictionary(dictionary(pairs))]))];
    let name = settings(&[("Item", "DeviceName".into()), ("DeviceName", "Front desk".into())]);
    assert!(faults("Settings", &name, &device(Os::IOs, 18, 0)).is_empty());
    let own = Target { supervised: Some(false), ..device(Os::IOs, 18, 0) };
    assert_eq!(faults("Settings", &name, &own), ["Settings[0]: only for supervised devices"]);
    let none = faults("Settings", &settings(&[("Item", "Mood".into())]), &own);
    assert!(none[0].starts_with("Settings[0].Item: found \"Mood\"; allowed: Wallpaper, DataRoaming"));
    assert_eq!(
        faults("Settings", &settings(&[("Enabled", true.into())]), &own),
        ["Settings[0].Item: missing; a value of the type string is required"]
    );
}

#[test]
fn what_is_unknown_of_a_device_is_not_judged() {
    let nothing = Target::default();
    assert!(faults("EnableLostMode", &[("Message", "x".into())], &nothing).is_empty());
    assert!(faults("DeviceLock", &[("PIN", "123456".into())], &nothing).is_empty());
    let supervision = Target { os: Some(Os::IOs), ..nothing };
    assert!(faults("EnableLostMode", &[("Message", "x".into())], &supervision).is_empty());
}

#[test]
fn unknown_keys_pass_only_by_the_flag() {
    let command = dictionary(&[("RequestType", "FlyAway".into()), ("Height", 7.into())]);
    let strict = validate::command(&command, &device(Os::IOs, 18, 0), Options::default());
    assert_eq!(
        strict.faults[0].to_string(),
        "RequestType: found \"FlyAway\", which is no command of Apple's"
    );
    let lenient = Options { allow_unknown: true };
    assert!(validate::command(&command, &device(Os::IOs, 18, 0), lenient).is_valid());
    let lock = dictionary(&[("RequestType", "DeviceLock".into()), ("Volume", 11.into())]);
    assert!(!validate::command(&lock, &device(Os::IOs, 18, 0), Options::default()).is_valid());
    assert!(validate::command(&lock, &device(Os::IOs, 18, 0), lenient).is_valid());
}

#[test]
fn a_profile_is_checked_inside_the_command_that_installs_it() {
    let payload = dictionary(&[
        ("PayloadType", "com.apple.wifi.managed".into()),
        ("PayloadIdentifier", "com.example.wifi".into()),
        ("PayloadUUID", "0123ABCD-0123-0123-0123-0123456789AB".into()),
        ("PayloadVersion", 1.into()),
        ("SSID_STR", 5.into()),
    ]);
    let profile = dictionary(&[
        ("PayloadType", "Configuration".into()),
        ("PayloadIdentifier", "com.example".into()),
        ("PayloadUUID", "0123ABCD-0123-0123-0123-0123456789AC".into()),
        ("PayloadVersion", 1.into()),
        ("PayloadContent", Value::Array(vec![Value::Dictionary(payload)])),
    ]);
    let mut bytes = Vec::new();
    Value::Dictionary(profile).to_writer_xml(&mut bytes).unwrap();
    let found = faults("InstallProfile", &[("Payload", Value::Data(bytes))], &device(Os::IOs, 18, 0));
    assert_eq!(
        found,
        ["Payload.PayloadContent[0].SSID_STR: found integer; allowed: string"],
        "the place of the fault is that in the profile"
    );
    let install = |payload| {
        let command =
            dictionary(&[("RequestType", "InstallProfile".into()), ("Payload", Value::Data(payload))]);
        validate::command(&command, &device(Os::IOs, 18, 0), Options::default())
    };
    let verdict = install(vec![0x30, 0x80]);
    assert!(verdict.is_valid());
    assert_eq!(verdict.warnings[0].to_string(), "Payload: encrypted, and not looked into");
    assert_eq!(install(b"hello".to_vec()).faults[0].to_string(), "Payload: found no configuration profile");
}

#[test]
fn a_declaration_is_checked_by_its_type() {
    let declaration = serde_json::json!({
        "Type": "com.apple.configuration.passcode.settings",
        "Identifier": "x".repeat(65),
        "ServerToken": "1",
        "Payload": { "RequirePasscode": "yes", "MinimumLength": 99, "Colour": null },
    });
    let verdict = validate::declaration(&declaration, &device(Os::IOs, 18, 0), Options::default());
    let mut found: Vec<_> = verdict.faults.iter().map(ToString::to_string).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "Identifier: found 65 bytes; allowed: at most 64",
            "Payload.Colour: found null, which is no value here",
            "Payload.MinimumLength: found 99; allowed: 0 to 16",
            "Payload.RequirePasscode: found string; allowed: boolean",
        ]
    );
}

#[test]
fn one_command_for_many_devices_is_checked_once_for_each_class() {
    let lock = dictionary(&[("RequestType", "DeviceLock".into()), ("Message", "x".into())]);
    let mut verdicts = Verdicts::new(&lock, Options::default());
    let mut refused = 0;
    for index in 0..10_000u16 {
        let os = if index % 10 == 0 { Os::TvOs } else { Os::IOs };
        refused += u32::from(!verdicts.on(&device(os, 15 + index % 4, 0)).is_valid());
    }
    assert_eq!((verdicts.classes(), refused), (6, 1_000));
}
