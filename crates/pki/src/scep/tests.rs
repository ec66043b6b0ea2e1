//! Both sides of SCEP against each other, and the server against clients that mean harm.

use std::sync::OnceLock;

use proptest::prelude::*;

use super::client::{ClientOptions, Exchange, Failure};
use super::*;
use crate::authority::Authority;
use crate::cms::envelope;
use crate::fixtures::{
    authority, change, changes, flipped, issue, now, p256_stranger, rsa_stranger, streamed, truncated,
};
use crate::keys::{PrivateKey, Signer};
use crate::name::Name;

const NONCE: [u8; 16] = [9; 16];

struct Device {
    key: PrivateKey,
    signer: Certificate,
    csr: Csr,
}

impl Device {
    fn new() -> Self {
        let (key, signer) = rsa_stranger();
        let csr = Csr::build(&Name::new("device"), Some("one-time secret"), &key).unwrap();
        Device { key, signer, csr }
    }

    fn exchange<'a>(&'a self, authority: &'a Authority) -> Exchange<'a> {
        Exchange { ca: authority.certificate(), signer: &self.signer, transaction_id: "id-1", nonce: NONCE }
    }

    fn request(&self, authority: &Authority, options: ClientOptions) -> Vec<u8> {
        self.exchange(authority).request(Kind::PkcsReq, &self.csr, &self.key, options).unwrap()
    }
}

fn with_cipher(cipher: Cipher) -> ClientOptions {
    ClientOptions { cipher, ..ClientOptions::default() }
}

/// The same CA and device for the tests that only read.
fn shared() -> &'static (Authority, Device) {
    static SHARED: OnceLock<(Authority, Device)> = OnceLock::new();
    SHARED.get_or_init(|| (authority(), Device::new()))
}

#[test]
fn a_device_gets_its_certificate() {
    let (authority, device) = shared();
    let request = open(&device.request(authority, ClientOptions::default()), authority, false).unwrap();
    assert_eq!(request.kind, Kind::PkcsReq);
    assert_eq!(
        (request.transaction.id.as_str(), request.transaction.sender_nonce.as_slice()),
        ("id-1", &NONCE[..])
    );
    assert_eq!(request.csr.challenge_password(), Some("one-time secret"));
    assert_eq!(request.csr, device.csr);

    let issued = issue(authority, &device.key);
    let reply = reply_success(&request, &issued, authority, now(), [1; 16]).unwrap();
    assert_eq!(device.exchange(authority).open_reply(&reply, &device.csr, &device.key), Ok(issued));
}

#[test]
fn a_device_renews_its_certificate_with_a_new_key() {
    let (authority, device) = shared();
    let old = issue(authority, &device.key);
    let new_key = PrivateKey::generate_rsa_2048().unwrap();
    let csr = Csr::build(&Name::new("device"), None, &new_key).unwrap();
    let exchange = Exchange { signer: &old, ..device.exchange(authority) };
    let options = ClientOptions::default();
    let message = exchange.request(Kind::RenewalReq, &csr, &device.key, options).unwrap();

    let request = open(&message, authority, false).unwrap();
    assert_eq!((request.kind, &request.signer), (Kind::RenewalReq, &old));
    assert_eq!(request.csr.challenge_password(), None);
    let issued = issue(authority, &new_key);
    let reply = reply_success(&request, &issued, authority, now(), [1; 16]).unwrap();
    assert_eq!(exchange.open_reply(&reply, &csr, &device.key), Ok(issued));
}

#[test]
fn the_reply_uses_what_the_client_uses() {
    let (authority, device) = shared();
    for cipher in [Cipher::Des, Cipher::TripleDes, Cipher::Aes128, Cipher::Aes192, Cipher::Aes256] {
        for digest in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let message = device.request(authority, ClientOptions { cipher, digest });
            let request = open(&message, authority, true).unwrap();
            assert_eq!(request.cipher, cipher);
            let issued = issue(authority, &device.key);
            let reply = reply_success(&request, &issued, authority, now(), [1; 16]).unwrap();
            let signed = crate::cms::verify_attached(&reply).unwrap();
            assert_eq!((signed.hash, signed.signing_time), (digest, Some(now())));
            let opened = envelope::open(&signed.content, &device.key, &device.signer, true).unwrap();
            assert_eq!(opened.cipher, cipher);
        }
    }
}

#[test]
fn single_des_is_served_only_where_it_is_allowed() {
    let (authority, device) = shared();
    let message = device.request(authority, with_cipher(Cipher::Des));
    assert!(open(&message, authority, true).is_ok());
    let refusal = open(&message, authority, false).unwrap_err();
    assert_eq!(refusal.answer().map(|(_, reason)| reason), Some(FailInfo::REJECTED));
}

#[test]
fn streamed_requests_are_served() {
    let (authority, device) = shared();
    let message = streamed(&device.request(authority, with_cipher(Cipher::TripleDes)));
    assert_eq!(open(&message, authority, false).unwrap().csr, device.csr);
}

#[test]
fn a_refusal_reaches_the_device() {
    let (authority, device) = shared();
    let request = open(&device.request(authority, ClientOptions::default()), authority, false).unwrap();
    for reason in
        [FailInfo::REJECTED, FailInfo::BadRequest, FailInfo::BadCertId, FailInfo::BadTime, FailInfo::BadAlg]
    {
        let reply = reply_failure(&request.transaction, reason, authority, now(), [1; 16]).unwrap();
        let outcome = device.exchange(authority).open_reply(&reply, &device.csr, &device.key);
        assert_eq!(outcome, Err(Failure::Refused(reason)));
    }
}

#[test]
fn other_message_types_are_refused_with_an_answer() {
    let (authority, device) = shared();
    let exchange = device.exchange(authority);
    for message_type in [3, 18, 20, 21, 22, 255] {
        let options = ClientOptions::default();
        let message = exchange.message(message_type, device.csr.der(), &device.key, options).unwrap();
        let refusal = open(&message, authority, false).unwrap_err();
        assert!(matches!(refusal, Refusal::Unsupported { message_type: other, .. } if other == message_type));
        let (transaction, reason) = refusal.answer().unwrap();
        let reply = reply_failure(transaction, reason, authority, now(), [1; 16]).unwrap();
        let outcome = exchange.open_reply(&reply, &device.csr, &device.key);
        assert_eq!(outcome, Err(Failure::Refused(FailInfo::BadRequest)));
    }
}

/// What cannot be decrypted, what is no request inside, and a request for another's key: the client cannot
/// tell.
#[test]
fn every_unreadable_request_gets_the_same_answer() {
    let (authority, device) = shared();
    let (other_ca, other_device) = (Exchange { ..device.exchange(authority) }, Device::new());
    let impostor = crate::fixtures::authority();
    let options = ClientOptions::default();
    let for_another = Exchange { ca: impostor.certificate(), ..device.exchange(authority) };
    let messages = [
        for_another.request(Kind::PkcsReq, &device.csr, &device.key, options).unwrap(),
        other_ca.message(message_type::PKCS_REQ, b"no request", &device.key, options).unwrap(),
        other_ca.request(Kind::PkcsReq, &other_device.csr, &device.key, options).unwrap(),
    ];
    for message in messages {
        let refusal = open(&message, authority, false).unwrap_err();
        let (transaction, reason) = refusal.answer().unwrap();
        assert_eq!((transaction.id.as_str(), reason), ("id-1", FailInfo::REJECTED), "{refusal}");
    }
}

#[test]
fn an_answer_can_only_be_sealed_for_rsa() {
    let (authority, _) = shared();
    let (key, signer) = p256_stranger();
    let csr = Csr::build(&Name::new("device"), None, &key).unwrap();
    let exchange =
        Exchange { ca: authority.certificate(), signer: &signer, transaction_id: "id", nonce: NONCE };
    let message = exchange.request(Kind::PkcsReq, &csr, &key, ClientOptions::default()).unwrap();
    assert!(matches!(open(&message, authority, false), Err(Refusal::Unreadable { .. })));
}

#[test]
fn transaction_ids_and_nonces_are_bounded() {
    let (authority, device) = shared();
    let long = "x".repeat(MAX_TRANSACTION_ID + 1);
    for transaction_id in ["", "line\nbreak", "é", &long] {
        let exchange = Exchange { transaction_id, ..device.exchange(authority) };
        let message =
            exchange.request(Kind::PkcsReq, &device.csr, &device.key, ClientOptions::default()).unwrap();
        let refusal = open(&message, authority, false).unwrap_err();
        assert!(matches!(refusal, Refusal::BadRequest(_)), "{transaction_id}");
        assert_eq!(refusal.answer(), None);
    }
    let exchange = Exchange { transaction_id: &long[1..], ..device.exchange(authority) };
    let message =
        exchange.request(Kind::PkcsReq, &device.csr, &device.key, ClientOptions::default()).unwrap();
    assert!(open(&message, authority, false).is_ok());
}

#[test]
fn a_device_believes_only_its_own_answer() {
    let (authority, device) = shared();
    let request = open(&device.request(authority, ClientOptions::default()), authority, false).unwrap();
    let issued = issue(authority, &device.key);
    let reply = reply_success(&request, &issued, authority, now(), [1; 16]).unwrap();
    let exchange = device.exchange(authority);
    let is_invalid = |exchange: &Exchange<'_>, reply: &[u8], csr: &Csr| {
        matches!(exchange.open_reply(reply, csr, &device.key), Err(Failure::Invalid(_)))
    };
    assert!(is_invalid(&Exchange { nonce: [8; 16], ..exchange.clone() }, &reply, &device.csr));
    assert!(is_invalid(&Exchange { transaction_id: "id-2", ..exchange.clone() }, &reply, &device.csr));
    assert!(is_invalid(&exchange, &reply, &Device::new().csr), "another's key");
    let impostor = crate::fixtures::authority();
    assert!(is_invalid(&Exchange { ca: impostor.certificate(), ..exchange.clone() }, &reply, &device.csr));
    let foreign = issue(&impostor, &device.key);
    let reply = reply_success(&request, &foreign, authority, now(), [1; 16]).unwrap();
    assert!(is_invalid(&exchange, &reply, &device.csr), "another's certificate");
    assert!(is_invalid(&exchange, &device.request(authority, ClientOptions::default()), &device.csr));
}

#[test]
fn a_cut_request_is_refused() {
    let (authority, device) = shared();
    let message = device.request(authority, ClientOptions::default());
    for cut in truncated(&message) {
        assert!(matches!(open(cut, authority, false), Err(Refusal::BadRequest(_))));
    }
}

/// The outer signature covers the envelope: a request that is opened is the one that was sent.
#[test]
fn a_changed_request_is_never_another_request() {
    let (authority, device) = shared();
    let message = device.request(authority, ClientOptions::default());
    for changed in flipped(&message).step_by(3) {
        if let Ok(request) = open(&changed, authority, false) {
            assert_eq!((request.csr, request.transaction.id.as_str()), (device.csr.clone(), "id-1"));
        }
    }
}

#[test]
fn debug_shows_no_password() {
    let (authority, device) = shared();
    let request = open(&device.request(authority, ClientOptions::default()), authority, false).unwrap();
    assert!(!format!("{request:?}").contains("secret"));
}

#[test]
fn first_requests_prove_the_key_that_they_are_about() {
    let (authority, device) = shared();
    let request = open(&device.request(authority, ClientOptions::default()), authority, false).unwrap();
    assert!(
        device.key.belongs_to(request.csr.spki()) && device.key.belongs_to(request.signer.public_key_spki())
    );
    assert_eq!(device.key.public_spki(), request.csr.spki());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_messages_never_panic(changes in changes()) {
        let (authority, device) = shared();
        let mut message = device.request(authority, ClientOptions::default());
        change(&mut message, changes);
        let _ = open(&message, authority, true);
        let _ = device.exchange(authority).open_reply(&message, &device.csr, &device.key);
    }

    #[test]
    fn arbitrary_bytes_are_bad_requests(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(open(&bytes, &shared().0, true), Err(Refusal::BadRequest(_))));
    }
}
