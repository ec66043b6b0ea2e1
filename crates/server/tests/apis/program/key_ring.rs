//! `remuda key-ring`, beside a server that runs.

use std::{path::PathBuf, sync::Arc};

use domain::{DeviceSecret, Mdm};
use pki::KeyRing;
use testkit::server::{Device, TestServer};

use super::Program;

mod everything_is_sealed_anew_while_the_server_runs {
    use super::*;

    #[tokio::test]
    async fn on_sqlite() {
        let server = TestServer::start().await;
        let remuda = Program::beside(&server);
        sealed_anew(&server, &remuda, &[server.mdm()]).await;
    }

    #[tokio::test]
    async fn on_postgres_with_two_servers() {
        let server = TestServer::on_postgres().await;
        let remuda = Program::beside(&server).with("REMUDA_DATABASE", server.postgres().url());
        let node = server.another_node().await;
        sealed_anew(&server, &remuda, &[server.mdm(), node.mdm()]).await;
        node.stop().await.unwrap();
    }
}

async fn sealed_anew(server: &TestServer, remuda: &Program, nodes: &[&Arc<Mdm>]) {
    let (mut iphone, mut mac) = (server.enrolled_iphone().await, server.enrolled_mac().await);
    lock(server, &mac).await;
    let told = told(server, &mac).await;

    let prepared = remuda.json(&["key-ring", "prepare"]).await;
    assert_eq!((&prepared["current"], prepared["versions"].to_string()), (&1.into(), "[1,2]".into()));
    for mdm in nodes {
        assert!(mdm.use_key_ring(ring(server)).unwrap());
        assert!(!mdm.use_key_ring(ring(server)).unwrap(), "it has it already");
    }
    let rotated = remuda.json(&["key-ring", "rotate"]).await;
    assert_eq!((&rotated["current"], rotated["versions"].to_string()), (&2.into(), "[1,2]".into()));
    let resealed = remuda.json(&["key-ring", "reseal"]).await;
    assert_eq!(resealed["unreadable"], 0);
    assert!(resealed["resealed"].as_u64().unwrap() >= 7, "{resealed}");
    assert_eq!(remuda.json(&["key-ring", "reseal"]).await["resealed"], 0);

    // The servers still use the old key, and open what the new one sealed.
    for mdm in nodes {
        assert_eq!(mdm.key_versions(), (1, vec![1, 2]));
        let unlock = mdm.reveal(&server.owner(), iphone.id(), DeviceSecret::UnlockToken).await.unwrap();
        assert_eq!(Some(unlock.value), iphone.push_address().unlock_token);
        assert!(mdm.reveal_pin(&server.owner(), mac.id()).await.is_ok());
    }
    let result = server.command(&mac, told.id).await;
    assert!(result.result_sealed && result.result != told.result, "the answer is sealed anew as well");
    assert!(server.mdm().command(&server.owner(), told.id).await.unwrap().result.is_some());
    assert!(mac.bootstrap_token().await.unwrap().is_some());
    assert_eq!(mac.idle().await, Ok(Some("DeviceLock")));
    mac.answer().await.unwrap();
    server.mdm().use_key_ring(ring(server)).unwrap();
    iphone.rotate_push_address().await.unwrap();
    server.lock(&iphone).await;
    server.pushed().await;
}

#[tokio::test]
async fn a_ring_that_lacks_a_key_is_not_taken() {
    let server = TestServer::start().await;
    assert!(server.mdm().use_key_ring(KeyRing::generate().unwrap()).is_err());
    let mac = server.enrolled_mac().await;
    assert!(mac.is_enrolled());
}

/// A file of another installation is not changed, and a ring that opens nothing is told.
#[tokio::test]
async fn the_ring_of_another_database_is_not_rotated() {
    let server = TestServer::start().await;
    let remuda = Program::beside(&server);
    let foreign = KeyRing::generate().unwrap().to_json();
    std::fs::write(path(&server), foreign.as_bytes()).unwrap();
    let ran = remuda.run(&["key-ring", "rotate"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the key ring does not open"), "{}", ran.stderr);
    assert_eq!(std::fs::read(path(&server)).unwrap(), foreign.as_bytes());
}

#[tokio::test]
async fn what_cannot_be_opened_stays_and_is_told() {
    let server = TestServer::start().await;
    let mac = server.enrolled_mac().await;
    let mut tx = server.database().await.store.begin(server.tenant()).await.unwrap();
    let enrollment = tx.device_for_update(mac.id()).await.unwrap().unwrap().enrollment;
    tx.set_bootstrap_token(
        enrollment,
        Some(b"\0\0\0\x01 tampered with beyond recognition"),
        server.mdm().now(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let remuda = Program::beside(&server);
    remuda.json(&["key-ring", "rotate"]).await;
    let ran = remuda.run(&["key-ring", "reseal"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("1 secrets could not be opened"), "{}", ran.stderr);
}

/// An answer that is stored sealed: a Mac's `SecurityInfo` tells more than it should be read for.
async fn told(server: &TestServer, mac: &Device) -> domain::Command {
    let filter = domain::CommandFilter { device: Some(mac.id()), ..Default::default() };
    let commands = server.mdm().commands(&server.owner(), &filter, None, 100).await.unwrap();
    let info = commands.iter().find(|command| command.request_type == "SecurityInfo").unwrap();
    let told = server.command(mac, info.id).await;
    assert!(told.result_sealed);
    told
}

async fn lock(server: &TestServer, mac: &Device) {
    let lock = domain::Lock::new(Some("hello".into()), None, None).unwrap();
    server.mdm().act(&server.owner(), mac.id(), &domain::Action::Lock(lock)).await.unwrap();
}

fn path(server: &TestServer) -> PathBuf {
    server.folder().join("data/key-ring.json")
}

fn ring(server: &TestServer) -> KeyRing {
    KeyRing::from_json(&std::fs::read_to_string(path(server)).unwrap()).unwrap()
}
