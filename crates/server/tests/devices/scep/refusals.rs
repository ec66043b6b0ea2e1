//! Who gets no certificate, and that all of them are told the same.

use std::time::Duration;

use pki::cms::{envelope::Cipher, verify_attached};
use pki::scep::{
    FailInfo, Kind,
    client::{ClientOptions, Failure},
};
use pki::{Authority, Certificate, Csr, Hash, Name, PrivateKey};
use testkit::{
    on_both,
    server::{Options, TestServer},
};

use super::client::Client;
use crate::{
    enrollment::{is_open, profile},
    speaker::Reply,
};

const REJECTED: Failure = Failure::Refused(FailInfo::REJECTED);

on_both!(a_challenge_that_was_used_is_none_for_a_second_key);
async fn a_challenge_that_was_used_is_none_for_a_second_key(server: TestServer) {
    let link = server.link_for(None, None, 5).await;
    let client = Client::new(&server, profile(&link).await);
    client.certificate().await.unwrap();
    let thief = client.with_key(PrivateKey::generate_rsa_2048().unwrap());
    assert_eq!(thief.certificate().await.unwrap_err(), REJECTED);
}

on_both!(a_challenge_expires);
async fn a_challenge_expires(server: TestServer) {
    let new = domain::NewLink { user: None, device: None, uses: 1, lifetime: Duration::from_hours(30 * 24) };
    let link = server.mdm().add_link(&server.owner(), &new).await.unwrap();
    let client = Client::new(&server, profile(&link).await);
    server.clock().advance(Duration::from_hours(24));
    assert_eq!(client.certificate().await.unwrap_err(), REJECTED);
    assert!(is_open(&link).await, "and no use was counted");
}

on_both!(a_forged_challenge_is_refused);
async fn a_forged_challenge_is_refused(server: TestServer) {
    let link = server.link().await;
    let honest = profile(&link).await.scep.challenge;
    let changed = honest.replacen(|letter: char| letter.is_ascii_digit(), "A", 1);
    for forged in [changed.as_str(), "", "secret", &honest[1..], &"A".repeat(140), &"ü".repeat(500)] {
        let mut client = Client::new(&server, profile(&link).await);
        client.challenge = forged.to_owned();
        assert_eq!(client.certificate().await.unwrap_err(), REJECTED, "{forged}");
    }
    assert!(is_open(&link).await);
}

#[tokio::test]
async fn another_installations_challenge_is_refused() {
    let (here, elsewhere) = (TestServer::start().await, TestServer::start().await);
    let mut client = Client::of(&here).await;
    client.challenge = Client::of(&elsewhere).await.challenge;
    assert_eq!(client.certificate().await.unwrap_err(), REJECTED);
}

#[tokio::test]
async fn a_request_without_a_challenge_is_refused() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let csr = Csr::build(&Name::new("device"), None, &client.key).unwrap();
    let reply = client.post(client.sealed(&csr)).await;
    assert_eq!(client.open(&reply, &csr).unwrap_err(), REJECTED);
}

#[tokio::test]
async fn other_messages_are_told_that_they_are_not_served() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let csr = client.csr();
    // CertPoll, GetCert, GetCRL, a CertRep that is ours to send, and the UpdateReq that never made it into the RFC.
    for message_type in [20, 21, 22, 3, 18, 99] {
        let exchange = client.exchange();
        let message = exchange.message(message_type, csr.der(), &client.key, client.options).unwrap();
        let reply = client.post(message).await;
        assert_eq!(
            client.open(&reply, &csr).unwrap_err(),
            Failure::Refused(FailInfo::BadRequest),
            "{message_type}"
        );
    }
}

#[tokio::test]
async fn single_des_is_refused() {
    let server = TestServer::start().await;
    let mut client = Client::of(&server).await;
    client.options = ClientOptions { cipher: Cipher::Des, digest: Hash::Sha256 };
    assert_eq!(client.certificate().await.unwrap_err(), REJECTED);
}

#[tokio::test]
async fn single_des_is_read_where_that_was_said() {
    let settings = server::config::Settings { scep_allow_des: Some(true.into()), ..Default::default() };
    let server = TestServer::with(Options { settings, ..Options::default() }).await;
    let mut client = Client::of(&server).await;
    client.options = ClientOptions { cipher: Cipher::Des, digest: Hash::Sha256 };
    assert!(client.certificate().await.is_ok());
}

/// Whoever could tell a wrong padding from a wrong password could have us decrypt what he intercepted.
#[tokio::test]
async fn every_refusal_looks_the_same() {
    let server = TestServer::start().await;
    let mut client = Client::of(&server).await;
    let csr = client.csr();
    let honest = client.sealed(&csr);
    let key = PrivateKey::generate_rsa_2048().unwrap();
    let stranger = Authority::with_key("Remuda device CA", key, server.clock().as_closure()()).unwrap();
    let unreadable = {
        let ours = std::mem::replace(&mut client.ca, stranger.certificate().clone());
        let message = client.sealed(&csr);
        client.ca = ours;
        message
    };
    let nonsense = client.exchange().message(19, b"no request", &client.key, client.options).unwrap();
    client.challenge = "wrong".into();
    let wrong_password = client.sealed(&client.csr());
    let mut shapes = Vec::new();
    for message in [unreadable, nonsense, wrong_password] {
        let reply = client.post(message).await;
        assert_eq!(client.open(&reply, &csr).unwrap_err(), REJECTED);
        shapes.push(shape(&reply));
    }
    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
    assert!(client.open(&client.post(honest).await, &csr).is_ok(), "the honest one is still served");
}

/// All of a refusal that does not change from one to the next.
fn shape(reply: &Reply) -> (u16, usize, usize) {
    let signed = verify_attached(&reply.body).unwrap();
    (reply.status, reply.body.len(), signed.content.len())
}

#[tokio::test]
async fn a_request_that_is_about_another_key_than_its_signers_is_refused() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let other = PrivateKey::generate_rsa_2048().unwrap();
    let csr = Csr::build(&Name::new("device"), Some(&client.challenge), &other).unwrap();
    let reply = client.post(client.sealed(&csr)).await;
    assert_eq!(client.open(&reply, &csr).unwrap_err(), REJECTED);
}

#[tokio::test]
async fn a_signer_that_could_not_open_its_answer_is_refused() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await.with_key(PrivateKey::generate_p256().unwrap());
    assert_eq!(client.certificate().await.unwrap_err(), REJECTED);
}

on_both!(a_certificate_of_a_stranger_is_not_renewed);
async fn a_certificate_of_a_stranger_is_not_renewed(server: TestServer) {
    let client = Client::of(&server).await;
    let csr = Csr::build(&Name::new("device"), None, &client.key).unwrap();
    // Self-signed, and one that names a tenant and an enrollment but is of another CA.
    let key = PrivateKey::generate_rsa_2048().unwrap();
    let stranger = Authority::with_key("Remuda device CA", key, server.clock().as_closure()()).unwrap();
    for signer in [client.signer.clone(), issued(&stranger, &client, &server)] {
        let exchange = pki::scep::client::Exchange { signer: &signer, ..client.exchange() };
        let message = exchange.request(Kind::RenewalReq, &csr, &client.key, client.options).unwrap();
        let reply = client.post(message).await;
        assert_eq!(exchange.open_reply(&reply.body, &csr, &client.key).unwrap_err(), REJECTED);
    }
}

fn issued(ca: &Authority, client: &Client, server: &TestServer) -> Certificate {
    let now = server.clock().as_closure()();
    ca.issue(&pki::Identity {
        spki: pki::Signer::public_spki(&client.key),
        common_name: "a7d9a1e0-5ee0-4b8f-9d5e-0a4b7f1d2c3b",
        organization: &server.tenant().to_string(),
        serial: [7; 16],
        not_before: now - Duration::from_hours(1),
        not_after: now + Duration::from_hours(1),
    })
    .unwrap()
}
