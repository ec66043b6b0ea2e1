//! Secrets: those that commands set, those that devices tell, and whoever looks at them.

mod kept;
mod set;
mod told;

use domain::{CommandId, DeviceSecret, Error, Revealed, SecretStanding, Thing};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::server::{Device, TestServer};

/// Sends a command by the admin API, as an administrator writes it.
async fn send(server: &TestServer, device: &Device, command: Value) -> CommandId {
    let body = json!({ "devices": [device.client_id()], "command": command });
    let answer = server.api().admin(Method::POST, "commands", Some(body)).await;
    assert_eq!((answer.status, &answer.body["failed"]), (202, &json!([])), "{}", answer.text);
    answer.body["commands"][0]["uuid"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}

/// The same, carried out or refused; the results are applied.
async fn done(server: &TestServer, device: &mut Device, command: Value) -> CommandId {
    let id = send(server, device, command).await;
    device.connect().await.expect("a conversation");
    server.settled().await;
    id
}

/// What is kept, to be found in this test.
async fn revealed(server: &TestServer, device: &Device, secret: DeviceSecret) -> Revealed {
    server.mdm().reveal(&server.owner(), device.id(), secret).await.expect("a secret")
}

async fn has_none(server: &TestServer, device: &Device, secret: DeviceSecret) -> bool {
    let found = server.mdm().reveal(&server.owner(), device.id(), secret).await;
    matches!(found, Err(Error::NotFound(Thing::Secret)))
}

/// The secret with its standing, and the same of the others, as text.
fn list(found: &Revealed) -> Vec<(String, SecretStanding)> {
    let one = |it: &Revealed| (String::from_utf8_lossy(&it.value).into_owned(), it.standing);
    std::iter::once(one(found)).chain(found.others.iter().map(one)).collect()
}

/// The same, expected.
fn told<const N: usize>(expected: [(&str, SecretStanding); N]) -> Vec<(String, SecretStanding)> {
    expected.into_iter().map(|(value, standing)| (value.to_owned(), standing)).collect()
}
