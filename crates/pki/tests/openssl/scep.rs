//! SCEP messages, piece by piece: what `openssl` sees in ours, and a client of long ago.

use pki::cms::envelope::Cipher;
use pki::keys::Signer;
use pki::scep::client::{ClientOptions, Exchange, Failure, self_signed};
use pki::scep::{FailInfo, Kind, open, reply_failure, reply_success};
use pki::{Authority, Csr, Hash, Identity, Name, PrivateKey};

use crate::openssl::{DAY, OldSigner, Openssl, now};

fn identity(spki: &[u8]) -> Identity<'_> {
    Identity {
        spki,
        common_name: "enrollment",
        organization: "tenant",
        serial: [7; 16],
        not_before: now() - DAY,
        not_after: now() + 365 * DAY,
    }
}

#[test]
fn our_answer_is_opened_by_openssl() {
    let openssl = Openssl::new();
    let authority = Authority::generate("Device CA", now()).unwrap();
    let key = PrivateKey::generate_rsa_2048().unwrap();
    let signer = self_signed(&key, "device", now()).unwrap();
    let csr = Csr::build(&Name::new("device"), Some("secret"), &key).unwrap();
    let exchange =
        Exchange { ca: authority.certificate(), signer: &signer, transaction_id: "id-1", nonce: [3; 16] };
    openssl.write("ca.pem", authority.certificate().to_pem().as_bytes());
    openssl.write_party("device", &signer, &key);

    for cipher in [Cipher::Aes256, Cipher::Aes128, Cipher::TripleDes] {
        let options = ClientOptions { cipher, digest: Hash::Sha256 };
        let message = exchange.request(Kind::PkcsReq, &csr, &key, options).unwrap();
        let request = open(&message, &authority, false).unwrap();
        let issued = authority.issue(&identity(csr.spki())).unwrap();
        let reply = reply_success(&request, &issued, &authority, now(), [1; 16]).unwrap();
        openssl.write("reply", &reply);
        let verify = "cms -verify -binary -inform DER -in reply -CAfile ca.pem -purpose any -out sealed";
        assert!(openssl.verifies(verify));
        openssl.run(
            "cms -decrypt -binary -inform DER -in sealed -recip device.pem -inkey device.key -out certs",
        );
        let certificates = openssl.run("pkcs7 -inform DER -in certs -print_certs");
        let certificates = String::from_utf8(certificates).unwrap();
        assert_eq!(pki::Certificate::all_from_pem(&certificates).unwrap(), [issued]);
    }
}

#[test]
fn our_refusal_is_verified_by_openssl() {
    let openssl = Openssl::new();
    let authority = Authority::generate("Device CA", now()).unwrap();
    let key = PrivateKey::generate_rsa_2048().unwrap();
    let signer = self_signed(&key, "device", now()).unwrap();
    let csr = Csr::build(&Name::new("device"), None, &key).unwrap();
    let exchange =
        Exchange { ca: authority.certificate(), signer: &signer, transaction_id: "id-1", nonce: [3; 16] };
    let message = exchange.request(Kind::PkcsReq, &csr, &key, ClientOptions::default()).unwrap();
    let request = open(&message, &authority, false).unwrap();
    let reply = reply_failure(&request.transaction, FailInfo::REJECTED, &authority, now(), [1; 16]).unwrap();
    openssl.write("ca.pem", authority.certificate().to_pem().as_bytes());
    openssl.write("reply", &reply);
    let verify = "cms -verify -binary -inform DER -in reply -CAfile ca.pem -purpose any -out content";
    assert!(openssl.verifies(verify));
    assert_eq!(openssl.read("content"), b"");
}

/// SHA-1 and triple DES: the client must be able to read its answer, which is signed with SHA-256 all the
/// same.
#[test]
fn a_client_of_long_ago_gets_its_certificate() {
    let openssl = Openssl::new();
    let authority = Authority::generate("Device CA", now()).unwrap();
    let party = openssl.rsa("device");
    let (key, old_signer) = (openssl.key(&party), OldSigner::new(&openssl, &party));
    openssl.run("req -new -sha1 -key device.key -subj /CN=device -outform DER -out device.csr");
    let csr = Csr::from_der(&openssl.read("device.csr")).unwrap();
    let exchange = Exchange {
        ca: authority.certificate(),
        signer: &party.certificate,
        transaction_id: "old",
        nonce: [3; 16],
    };

    for cipher in [Cipher::TripleDes, Cipher::Des] {
        let options = ClientOptions { cipher, digest: Hash::Sha1 };
        let message = exchange.request(Kind::PkcsReq, &csr, &old_signer, options).unwrap();
        let request = open(&message, &authority, true).unwrap();
        assert_eq!((request.cipher, request.csr.digest()), (cipher, csr.digest()));
        let issued = authority.issue(&identity(request.csr.spki())).unwrap();
        let reply = reply_success(&request, &issued, &authority, now(), [1; 16]).unwrap();
        assert_eq!(pki::cms::verify_attached(&reply).unwrap().hash, Hash::Sha256);
        assert_eq!(exchange.open_reply(&reply, &csr, &key), Ok(issued));
    }
    let options = ClientOptions { cipher: Cipher::Des, digest: Hash::Sha1 };
    let message = exchange.request(Kind::PkcsReq, &csr, &old_signer, options).unwrap();
    let refusal = open(&message, &authority, false).unwrap_err();
    let (transaction, reason) = refusal.answer().unwrap();
    let reply = reply_failure(transaction, reason, &authority, now(), [1; 16]).unwrap();
    assert_eq!(exchange.open_reply(&reply, &csr, &key), Err(Failure::Refused(FailInfo::REJECTED)));
}

#[test]
fn old_signers_are_what_they_say() {
    let openssl = Openssl::new();
    let party = openssl.rsa("device");
    assert_eq!(OldSigner::new(&openssl, &party).public_spki(), openssl.key(&party).public_spki());
}
