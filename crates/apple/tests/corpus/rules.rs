//! More cases by hand: what Apple's errata and prose say, rule by rule.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which end where they cannot go on")]
#![expect(clippy::needless_pass_by_value, reason = "`json!` is written in place")]

use apple::enrollment::AccessRights;
use apple::facts::{self, Os, Since};
use apple::validate::{self, Options, Target, TargetChannel, Verdict};
use apple::{Dictionary, OsVersion, Value};
use serde_json::json;

fn device(os: Os, major: u16) -> Target {
    Target {
        supervised: Some(true),
        automated: Some(true),
        user_enrollment: Some(false),
        rights: Some(AccessRights::ALL),
        channel: Some(TargetChannel::Device),
        shared_ipad: Some(false),
        ..Target::of(os, OsVersion::new(major, 0, 0))
    }
}

fn texts(verdict: &Verdict) -> Vec<String> {
    verdict.faults.iter().map(ToString::to_string).collect()
}

/// A command or a payload as JSON, which is shorter to write.
fn dictionary(json: &serde_json::Value) -> Dictionary {
    let value: Value = serde_json::from_value(json.clone()).unwrap();
    value.into_dictionary().unwrap()
}

fn command(json: &serde_json::Value, target: &Target) -> Vec<String> {
    texts(&validate::command(&dictionary(json), target, Options::default()))
}

fn payload(kind: &str, keys: serde_json::Value, target: &Target) -> Vec<String> {
    let mut payload = dictionary(&keys);
    for (key, value) in [
        ("PayloadType", Value::from(kind)),
        ("PayloadIdentifier", "com.example".into()),
        ("PayloadUUID", "0123ABCD-0123-0123-0123-0123456789AB".into()),
        ("PayloadVersion", 1.into()),
    ] {
        payload.insert(key.into(), value);
    }
    texts(&validate::payload(&payload, target, Options::default()))
}

fn declaration(kind: &str, payload: serde_json::Value, target: &Target) -> Vec<String> {
    let declaration = json!({ "Type": format!("com.apple.configuration.{kind}"), "Identifier": "a", "ServerToken": "b",
        "Payload": payload });
    texts(&validate::declaration(&declaration, target, Options::default()))
}

#[test]
fn the_errata_hold() {
    let remove = json!({ "RequestType": "RemoveApplication", "Identifier": "com.example" });
    let personal = Target { user_enrollment: Some(true), ..device(Os::MacOs, 15) };
    assert!(command(&remove, &personal).is_empty());
    let icon = |kind| json!({ "Pages": [[{ "Type": kind, "BundleID": "com.example" }]] });
    assert!(payload("com.apple.homescreenlayout", icon("Application"), &device(Os::IOs, 18)).is_empty());
    assert_eq!(payload("com.apple.homescreenlayout", icon("App"), &device(Os::IOs, 18)).len(), 1);
    assert_eq!(
        payload(
            "com.apple.screensaver",
            json!({ "idleTime": 60, "moduleName": "Flurry" }),
            &device(Os::MacOs, 15)
        ),
        [""; 0]
    );
    let relay =
        |key: &str| json!({ "Relays": [{ "HTTP3RelayURL": "https://example.com" }], key: ["a.example.com"] });
    assert!(payload("com.apple.relay.managed", relay("ExcludedFQDNs"), &device(Os::IOs, 26)).is_empty());
    assert_eq!(payload("com.apple.relay.managed", relay("Excluded FQDNs"), &device(Os::IOs, 26)).len(), 1);
    let proxy = facts::declaration("com.apple.configuration.network.dns-proxy").unwrap();
    assert_eq!(proxy.apply, Some(facts::Apply::Single));
    let id = facts::status_item("softwareupdate.device-id").unwrap();
    assert_eq!(id.support[Os::VisionOs].introduced, Since::Version(OsVersion::new(26, 4, 0)));
    let skip = facts::find("SkipKeys")[0];
    let names: Vec<_> = skip.keys.iter().map(|key| key.name).collect();
    assert!(!names.contains(&"AgeAssurance") && !names.contains(&"AgeBasedSafetySettings"));
    let of = |name| skip.keys.iter().find(|key| key.name == name).unwrap().support[Os::MacOs].introduced;
    for name in ["OSShowcase", "UpdateCompleted"] {
        assert_eq!(of(name), Since::Version(OsVersion::new(26, 1, 0)), "{name}");
    }
}

#[test]
fn the_mdm_payload_keeps_its_own_rules() {
    let mdm = |changes: serde_json::Value| {
        let mut keys = json!({
            "IdentityCertificateUUID": "0123ABCD-0123-0123-0123-0123456789AC", "Topic": "com.apple.mgmt.External.1",
            "ServerURL": "https://example.com",
        });
        keys.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        payload("com.apple.mdm", keys, &device(Os::IOs, 18))
    };
    assert!(mdm(json!({ "AccessRights": 8191 })).is_empty());
    assert_eq!(mdm(json!({ "AccessRights": 2 })), ["AccessRights: 2 is allowed only together with 1"]);
    assert_eq!(mdm(json!({ "AccessRights": 128 })), ["AccessRights: 128 is allowed only together with 64"]);
    assert_eq!(mdm(json!({ "AccessRights": 0 })), ["AccessRights: found 0; allowed: 1 to 8191"]);
    assert_eq!(mdm(json!({ "Topic": "com.example" })).len(), 1);
    let account = json!({ "EnrollmentMode": "BYOD", "AccessRights": 1 });
    assert_eq!(
        mdm(account),
        [
            "AccessRights: not allowed where EnrollmentMode is BYOD",
            "AssignedManagedAppleID: missing; required beside EnrollmentMode"
        ]
    );
}

#[test]
fn commands_keep_the_rules_of_prose() {
    let mac = Target { apple_silicon: Some(true), ..device(Os::MacOs, 15) };
    let rotate = |unlock: serde_json::Value| {
        command(
            &json!({ "RequestType": "RotateFileVaultKey", "KeyType": "personal", "FileVaultUnlock": unlock }),
            &mac,
        )
    };
    assert!(rotate(json!({ "Password": "x" })).is_empty());
    assert_eq!(
        rotate(json!({})),
        ["FileVaultUnlock: missing; one of these is required: Password, PrivateKeyExport"]
    );
    let app = |url: &str| json!({ "RequestType": "InstallApplication", "ManifestURL": url });
    assert!(command(&app("https://example.com/a"), &device(Os::IOs, 18)).is_empty());
    assert_eq!(command(&app("ftp://example.com/a"), &device(Os::IOs, 18)).len(), 1);
    let shared = Target { shared_ipad: Some(true), ..device(Os::IOs, 18) };
    let timeout = |seconds: u32| {
        let setting = json!({ "Item": "SharedDeviceConfiguration", "UserSessionTimeout": seconds });
        command(&json!({ "RequestType": "Settings", "Settings": [setting] }), &shared)
    };
    assert!(timeout(0).is_empty() && timeout(30).is_empty());
    assert!(!timeout(29).is_empty());
    let delete = json!({ "RequestType": "DeleteUser" });
    assert!(!command(&delete, &shared).is_empty());
}

#[test]
fn configurations_keep_the_rules_of_prose() {
    let phone = device(Os::IOs, 27);
    assert!(declaration("legacy", json!({ "ProfileAssetReference": "a" }), &phone).is_empty());
    let old = declaration("legacy", json!({ "ProfileAssetReference": "a" }), &device(Os::IOs, 26));
    assert_eq!(old, ["Payload.ProfileAssetReference: found iOS 26.0; allowed: iOS 27.0 and later"]);
    assert_eq!(declaration("legacy", json!({ "ProfileURL": "http://example.com" }), &phone).len(), 1);
    let both = json!({ "AppStoreID": "1", "BundleID": "com.example" });
    assert_eq!(declaration("app.managed", both, &phone).len(), 1);
    let page = json!({ "NewTabStartPage": { "PageType": "Home" } });
    assert_eq!(
        declaration("safari.settings", page, &phone),
        ["Payload.NewTabStartPage.HomepageURL: missing; required where PageType is Home"]
    );
    let relay = json!({ "VisibleName": "a", "Relays": [{ "HTTP2RelayURL": "https://example.com" }] });
    assert!(declaration("network.relay", relay.clone(), &phone).is_empty());
    let personal = Target { user_enrollment: Some(true), supervised: Some(false), ..phone };
    assert_eq!(
        declaration("network.relay", relay, &personal),
        ["Payload.RelayUUID: missing; required for a personal device under User Enrollment"]
    );
    let filter = json!({ "VisibleName": "a", "PluginBundleID": "com.example" });
    let own = Target { supervised: Some(false), ..phone };
    assert_eq!(declaration("webcontent-filter.plugin", filter, &own).len(), 1);
    let sso = json!({ "ExtensionComposedIdentifier": "com.example", "Type": "Redirect" });
    assert_eq!(
        declaration("extensible-sso", sso, &phone),
        ["Payload.URLs: missing; required where Type is Redirect"]
    );
    assert_eq!(declaration("siri.settings", json!({}), &device(Os::IOs, 18)).len(), 1, "it came with 26.4");
}
