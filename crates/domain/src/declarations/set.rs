//! What is declared to a device: a pure function of what is known of it, so that its tokens are the same on every node.

use apple::declaration::{Declaration, Item, Kind, Manifest};
use apple::facts::{self, Os};
use apple::validate::{Target, meets};
use serde_json::{Map, Value, json};

use crate::{ChannelKey, Device, secrets::sha256};

const SUBSCRIPTIONS: &str = "remuda.status-subscriptions";
const ACTIVATION: &str = "remuda.status-activation";

/// What a device is asked to report by itself, as far as its OS knows it.
const STATUS_ITEMS: [&str; 11] = [
    "device.identifier.serial-number",
    "device.model.identifier",
    "device.model.number",
    "device.operating-system.build-version",
    "device.operating-system.supplemental.build-version",
    "device.operating-system.supplemental.extra-version",
    "device.operating-system.version",
    "management.client-capabilities",
    "management.declarations",
    "passcode.is-compliant",
    "passcode.is-present",
];

/// All declarations of one channel.
pub(super) struct DeclarationSet {
    declarations: Vec<(Kind, Declaration)>,
    token: String,
}

impl Default for DeclarationSet {
    /// Nothing.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl DeclarationSet {
    /// What is declared to a channel of `device`; `None` where it knows no declarative management. To users of it nothing
    /// is declared yet.
    pub(super) fn of(device: &Device, channel: &ChannelKey) -> Option<Self> {
        let target = device.facts.target(channel);
        let os = knows_declarations(&target)?;
        if *channel != ChannelKey::default() {
            return Some(Self::default());
        }
        let items: Vec<_> = STATUS_ITEMS.into_iter().filter(|name| reports(&target, os, name)).collect();
        if items.is_empty() {
            return None;
        }
        let items: Vec<_> = items.into_iter().map(|name| json!({ "Name": name })).collect();
        Some(Self::new(vec![
            declaration(
                "com.apple.activation.simple",
                ACTIVATION,
                json!({ "StandardConfigurations": [SUBSCRIPTIONS] }),
            ),
            declaration(
                "com.apple.configuration.management.status-subscriptions",
                SUBSCRIPTIONS,
                json!({ "StatusItems": items }),
            ),
        ]))
    }

    fn new(declarations: Vec<Declaration>) -> Self {
        let kind = |it: &Declaration| Kind::of_type(&it.declaration_type).unwrap_or(Kind::Management);
        let mut declarations: Vec<_> = declarations.into_iter().map(|it| (kind(&it), it)).collect();
        declarations.sort_by(|(one, a), (other, b)| (one, &a.identifier).cmp(&(other, &b.identifier)));
        let names: Vec<_> = declarations
            .iter()
            .map(|(kind, it)| json!([kind.path(), it.identifier, it.server_token]))
            .collect();
        Self { declarations, token: digest(&Value::Array(names)) }
    }

    /// Another one whenever anything in the set changes.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// All of them by name.
    pub(super) fn manifest(&self) -> Manifest {
        let item = |(kind, it): &(Kind, Declaration)| Item {
            kind: *kind,
            identifier: it.identifier.clone(),
            server_token: it.server_token.clone(),
        };
        Manifest {
            items: self.declarations.iter().map(item).collect(),
            declarations_token: self.token.clone(),
        }
    }

    /// One of them.
    pub(super) fn declaration(&self, kind: Kind, identifier: &str) -> Option<&Declaration> {
        let found = self.declarations.iter().find(|(its, it)| *its == kind && it.identifier == identifier);
        found.map(|(_, it)| it)
    }
}

/// The OS of a device that knows declarative management. In iOS 15 it was for User Enrollment alone.
fn knows_declarations(target: &Target) -> Option<Os> {
    let (os, version) = (target.os?, target.version?);
    let command = facts::command("DeclarativeManagement")?;
    let too_early = os == Os::IOs && version.major < 16 && target.user_enrollment != Some(true);
    (meets(target, &command.support[os]) && !too_early).then_some(os)
}

fn reports(target: &Target, os: Os, item: &str) -> bool {
    facts::status_item(item).is_some_and(|entry| meets(target, &entry.support[os]))
}

fn declaration(declaration_type: &str, identifier: &str, payload: Value) -> Declaration {
    let server_token = digest(&json!([declaration_type, identifier, payload]));
    let payload = match payload {
        Value::Object(payload) => payload,
        _ => Map::new(),
    };
    Declaration {
        declaration_type: declaration_type.to_owned(),
        identifier: identifier.to_owned(),
        server_token,
        payload,
    }
}

/// SHA-256 of a document, in hexadecimal: 64 letters, as long as a server token may be.
fn digest(document: &Value) -> String {
    sha256(document.to_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EnrollmentKind, Platform, fixtures::device};
    use apple::validate::{self, Options};

    fn set(platform: Platform, version: &str) -> Option<DeclarationSet> {
        DeclarationSet::of(&device(platform, version), &ChannelKey::default())
    }

    fn by_user(platform: Platform, version: &str) -> Option<DeclarationSet> {
        let mut device = device(platform, version);
        device.facts.enrollment = EnrollmentKind::User;
        DeclarationSet::of(&device, &ChannelKey::default())
    }

    #[test]
    fn only_systems_that_know_declarations_get_any() {
        for (platform, last_without, first_with) in [
            (Platform::Ios, "15.7", "16.0"),
            (Platform::Ipados, "15.8", "16"),
            (Platform::Macos, "12.7", "13.0"),
            (Platform::Tvos, "15.6", "16.0"),
            (Platform::Visionos, "1.0", "1.1"),
            (Platform::Watchos, "9.6", "10.0"),
        ] {
            assert!(set(platform, last_without).is_none(), "{platform:?}");
            assert!(set(platform, first_with).is_some(), "{platform:?}");
        }
        assert!(by_user(Platform::Ios, "14.8").is_none());
        assert!(by_user(Platform::Ios, "15.0").is_some(), "iOS 15 knows them under User Enrollment");
    }

    #[test]
    fn what_the_version_is_nobody_knows_gets_none() {
        let mut unknown = device(Platform::Ios, "");
        unknown.facts.os_version = None;
        assert!(DeclarationSet::of(&unknown, &ChannelKey::default()).is_none());
    }

    #[test]
    fn every_declaration_is_one_that_the_device_takes() {
        for (platform, version) in [
            (Platform::Ios, "16.0"),
            (Platform::Ipados, "18.1"),
            (Platform::Macos, "15.1"),
            (Platform::Tvos, "17.0"),
        ] {
            let device = device(platform, version);
            let set = DeclarationSet::of(&device, &ChannelKey::default()).unwrap();
            for (kind, declaration) in &set.declarations {
                let target = device.facts.target(&ChannelKey::default());
                let verdict = validate::declaration(&declaration.to_json(), &target, Options::default());
                assert!(verdict.faults.is_empty(), "{platform:?} {:?}", verdict.faults);
                assert_eq!(Some(*kind), Kind::of_type(&declaration.declaration_type));
                assert!(declaration.server_token.len() <= apple::declaration::MAX_NAME);
            }
        }
    }

    #[test]
    fn a_device_is_asked_for_nothing_that_its_system_does_not_know() {
        let asked = |set: &DeclarationSet| {
            let subscriptions = set.declaration(Kind::Configuration, SUBSCRIPTIONS).unwrap();
            subscriptions.to_json()["Payload"]["StatusItems"].to_string()
        };
        let (phone, mac) = (set(Platform::Ios, "18.1").unwrap(), set(Platform::Macos, "15.1").unwrap());
        assert!(asked(&phone).contains("passcode.is-present"));
        assert!(!asked(&mac).contains("passcode.is-present"), "no Mac reports that");
        let own = by_user(Platform::Ios, "18.1").unwrap();
        assert!(!asked(&own).contains("serial-number"), "User Enrollment hides it");
    }

    #[test]
    fn the_token_changes_with_the_set_and_with_nothing_else() {
        let of = |version| set(Platform::Ios, version).unwrap().token;
        assert_eq!(of("18.1"), of("18.2"));
        assert_ne!(of("16.0"), of("18.1"), "a newer system is asked for more");
        assert_ne!(of("18.1"), DeclarationSet::default().token);
    }

    #[test]
    fn nothing_is_declared_to_users_yet() {
        let user = DeclarationSet::of(&device(Platform::Macos, "15.1"), &ChannelKey("ann".into())).unwrap();
        assert!(user.manifest().items.is_empty());
    }
}
