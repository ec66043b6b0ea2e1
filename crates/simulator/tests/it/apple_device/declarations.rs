//! Declarative management: a device that takes a sound set, and what it calls a breach.

use apple::CheckIn;
use apple::checkin::Endpoint;
use apple::command::DeclarativeManagement;
use serde_json::{Value, json};
use simulator::apple_device::{AppleDevice, DeviceModel, Failure};

use super::desk::{Heard, Reply};
use super::server::Server;

/// What is declared, as the documents that go out.
#[derive(Clone)]
struct Declared {
    tokens: Value,
    manifest: Value,
    activation: Value,
    configuration: Value,
    content_type: &'static str,
}

impl Declared {
    fn sound() -> Declared {
        let item =
            |identifier: &str, token: &str| json!([{ "Identifier": identifier, "ServerToken": token }]);
        Declared {
            tokens: json!({ "SyncTokens": { "DeclarationsToken": "set-1", "Timestamp": "2026-01-02T03:04:05Z" } }),
            manifest: json!({
                "Declarations": {
                    "Activations": item("a", "a-1"), "Assets": [], "Configurations": item("c", "c-1"), "Management": [],
                },
                "DeclarationsToken": "set-1",
            }),
            activation: json!({
                "Type": "com.apple.activation.simple", "Identifier": "a", "ServerToken": "a-1",
                "Payload": { "StandardConfigurations": ["c"] },
            }),
            configuration: json!({
                "Type": "com.apple.configuration.management.status-subscriptions", "Identifier": "c",
                "ServerToken": "c-1",
                "Payload": { "StatusItems": [{ "Name": "device.operating-system.version" }] },
            }),
            content_type: "application/json",
        }
    }

    fn answer(&self, heard: &Heard, reply: &mut Reply) {
        let Ok(CheckIn::DeclarativeManagement(message)) = CheckIn::parse(&heard.body) else { return };
        let document = match message.endpoint {
            Endpoint::Tokens => &self.tokens,
            Endpoint::DeclarationItems => &self.manifest,
            Endpoint::Declaration { identifier, .. } if identifier == "a" => &self.activation,
            Endpoint::Declaration { .. } => &self.configuration,
            Endpoint::Status | Endpoint::Other(_) => return,
        };
        reply.content_type = Some(self.content_type.into());
        reply.body = document.to_string().into_bytes();
    }
}

/// A device that is told to fetch what is declared.
async fn told(server: &Server, declared: Declared) -> (AppleDevice, Result<(), Failure>) {
    let mut iphone = AppleDevice::enroll(server.options(DeviceModel::iphone(0))).await.unwrap();
    declare(server, declared.clone());
    let data = Some(declared.tokens.to_string().into_bytes());
    server.desk.hand_over("declare", DeclarativeManagement { data });
    let result = iphone.connect().await.map(|_| ());
    (iphone, result)
}

fn declare(server: &Server, declared: Declared) {
    server.desk.conduct(|conduct| {
        conduct.twist = Box::new(move |heard, reply| declared.answer(heard, reply));
    });
}

#[tokio::test]
async fn a_sound_set_is_fetched_once_and_reported_on() {
    let server = Server::start().await;
    let (mut iphone, result) = told(&server, Declared::sound()).await;
    assert_eq!(result, Ok(()));
    let names: Vec<_> = iphone.declarations().map(|it| it.identifier.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    let report =
        server.desk.heard().into_iter().rev().find(|heard| heard.what == "DeclarativeManagement").unwrap();
    let Ok(CheckIn::DeclarativeManagement(message)) = CheckIn::parse(&report.body) else { panic!() };
    assert_eq!(message.endpoint, Endpoint::Status);
    let status: Value = serde_json::from_slice(&message.data.unwrap()).unwrap();
    assert_eq!(status["StatusItems"]["device"]["operating-system"]["version"], "18.1");

    let before = server.desk.asked().len();
    iphone.synchronize().await.unwrap();
    assert_eq!(server.desk.asked().len(), before + 1, "the tokens are the same");
}

#[tokio::test]
async fn what_no_device_could_take_is_a_breach() {
    type Spoil = fn(&mut Declared);
    let spoils: [(Spoil, &str); 10] = [
        (|it| it.content_type = "text/html", "content type"),
        (|it| it.tokens["SyncTokens"]["Timestamp"] = "2026-01-02T03:04:05.5Z".into(), "whole seconds"),
        (|it| drop(it.manifest["Declarations"].as_object_mut().unwrap().remove("Assets")), "Assets"),
        (|it| it.manifest["DeclarationsToken"] = "set-2".into(), "their token"),
        (|it| it.configuration["ServerToken"] = "c-2".into(), "change each time"),
        (|it| it.configuration["Identifier"] = "d".into(), "another declaration"),
        (|it| it.activation["Payload"]["StandardConfigurations"] = json!(["x"]), "not declared"),
        (|it| it.activation["Payload"]["StandardConfigurations"] = json!([]), "no activation"),
        (|it| it.configuration["Payload"] = json!({}), "not for this device"),
        (
            |it| {
                it.configuration["Payload"]["StatusItems"] =
                    json!([{ "Name": "diskmanagement.filevault.enabled" }]);
            },
            "does not know",
        ),
    ];
    for (spoil, sentence) in spoils {
        let server = Server::start().await;
        let mut declared = Declared::sound();
        spoil(&mut declared);
        let (iphone, result) = told(&server, declared).await;
        let Err(Failure::Breach(breach)) = result else { panic!("{sentence}: {result:?}") };
        assert!(breach.0.contains(sentence), "{breach}");
        assert_eq!(iphone.breaches(), [breach]);
        assert_eq!(iphone.declarations().count(), 0);
    }
}

#[tokio::test]
async fn a_declaration_that_changes_under_its_old_token_is_a_breach() {
    let server = Server::start().await;
    let (mut iphone, _) = told(&server, Declared::sound()).await;
    let mut changed = Declared::sound();
    changed.tokens["SyncTokens"]["DeclarationsToken"] = "set-2".into();
    changed.manifest["DeclarationsToken"] = "set-2".into();
    changed.configuration["Payload"]["StatusItems"] = json!([{ "Name": "passcode.is-present" }]);
    declare(&server, changed);
    let result = iphone.synchronize().await;
    assert!(
        matches!(&result, Err(Failure::Breach(breach)) if breach.0.contains("ServerToken has not")),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_mac_is_given_back_what_it_left_and_nothing_else() {
    let server = Server::start().await;
    let mut mac = AppleDevice::enroll(server.options(DeviceModel::mac(0))).await.unwrap();
    let other = apple::checkin::BootstrapToken { token: Some(vec![9]) };
    server.desk.twist("GetBootstrapToken", move |reply| reply.body = other.encode());
    let result = mac.bootstrap_token().await;
    assert!(
        matches!(&result, Err(Failure::Breach(breach)) if breach.0.contains("another one")),
        "{result:?}"
    );
}
