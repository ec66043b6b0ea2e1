//! Clients as they are in the field: BER that streams, SHA-1, triple DES.

use pki::cms::{
    Attribute, Signing,
    envelope::{self, Cipher},
};
use pki::scep::{Kind, client::ClientOptions};
use pki::{Csr, Hash, ObjectIdentifier};
use testkit::{on_both, server::TestServer};

use super::{ber::streamed, client::Client, openssl::Openssl};

on_both!(a_client_of_long_ago_gets_its_certificate);
async fn a_client_of_long_ago_gets_its_certificate(server: TestServer) {
    let mut client = Client::of(&server).await;
    client.options = ClientOptions { cipher: Cipher::TripleDes, digest: Hash::Sha1 };
    let openssl = Openssl::with_key(&client.key);
    let csr = old_csr(&openssl, &client.challenge);
    let message = client.exchange().request(Kind::PkcsReq, &csr, &openssl, client.options).unwrap();
    let reply = client.post(message).await;
    assert_eq!(client.open(&reply, &csr).unwrap().public_key_spki(), csr.spki());
}

#[tokio::test]
async fn a_message_without_any_definite_length_is_read() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let csr = client.csr();
    let message = streamed(&client.sealed(&csr));
    assert!(message.starts_with(&[0x30, 0x80]));
    assert!(client.open(&client.post(message).await, &csr).is_ok());
}

#[tokio::test]
async fn an_envelope_without_any_definite_length_is_read() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let csr = client.csr();
    for cipher in [Cipher::TripleDes, Cipher::Aes128, Cipher::Aes256] {
        let envelope = streamed(&envelope::seal(csr.der(), &client.ca, cipher).unwrap());
        let message = streamed(&signed(&client, &envelope));
        assert!(client.open(&client.post(message).await, &csr).is_ok(), "{cipher:?}");
    }
}

#[tokio::test]
async fn an_envelope_that_openssl_streams_is_read() {
    let server = TestServer::start().await;
    let client = Client::of(&server).await;
    let openssl = Openssl::with_key(&client.key);
    let csr = client.csr();
    openssl.write("ca.pem", client.ca.to_pem().as_bytes());
    openssl.write("csr", csr.der());
    for cipher in ["des3", "aes-128-cbc", "aes-192-cbc", "aes-256-cbc"] {
        openssl
            .run(&format!("cms -encrypt -stream -binary -{cipher} -in csr -outform DER -out sealed ca.pem"));
        let envelope = openssl.read("sealed");
        assert!(envelope.starts_with(&[0x30, 0x80]), "openssl streams");
        let reply = client.post(signed(&client, &envelope)).await;
        assert!(client.open(&reply, &csr).is_ok(), "{cipher}");
    }
}

/// A `PKCSReq` of `client` around an envelope that it did not make itself.
pub fn signed(client: &Client, envelope: &[u8]) -> Vec<u8> {
    let attribute = |number: u8| ObjectIdentifier::new_unwrap(&format!("2.16.840.1.113733.1.9.{number}"));
    let exchange = client.exchange();
    let attributes = [
        Attribute::printable(attribute(2), "19"),
        Attribute::printable(attribute(7), exchange.transaction_id),
        Attribute::octets(attribute(5), &exchange.nonce),
    ];
    Signing::new(&client.signer, &client.key).with_attributes(attributes).attached(envelope).unwrap()
}

/// A request that `openssl` signs with SHA-1.
fn old_csr(openssl: &Openssl, challenge: &str) -> Csr {
    let config = format!(
        "[req]\nprompt=no\ndistinguished_name=name\nattributes=attributes\n[name]\nCN=old\n\
         [attributes]\nchallengePassword={challenge}\n"
    );
    openssl.write("request.cnf", config.as_bytes());
    openssl.run("req -new -sha1 -key device.key -config request.cnf -outform DER -out request.der");
    Csr::from_der(&openssl.read("request.der")).unwrap()
}
