//! Signed messages, detached and attached.

use pki::cms::{Attribute, Signing, verify_attached, verify_detached};
use pki::{Hash, ObjectIdentifier, TlsAuthority};

use crate::openssl::{OldSigner, Openssl, Party, now};

const CONTENT: &[u8] = b"<?xml version=\"1.0\"?><plist><dict/></plist>\n";

fn sign(openssl: &Openssl, party: &Party, options: &str) -> Vec<u8> {
    openssl.write("content", CONTENT);
    let name = party.name;
    openssl.run(&format!(
        "cms -sign -binary -in content -signer {name}.pem -inkey {name}.key \
         -outform DER -out signed {options}"
    ));
    openssl.read("signed")
}

fn verify_all_ways(openssl: &Openssl, party: &Party, digests: &[(&str, Hash)]) {
    for (digest, hash) in digests {
        for form in ["", "-noattr", "-keyid", "-nosmimecap"] {
            let message = sign(openssl, party, &format!("-md {digest} {form}"));
            let signed = verify_detached(&message, CONTENT).unwrap();
            assert_eq!((&signed.signer, signed.hash), (&party.certificate, *hash), "{digest} {form}");
            assert_eq!(signed.signing_time.is_some(), form != "-noattr");
            assert!(verify_detached(&message, &CONTENT[1..]).is_err());

            let message = sign(openssl, party, &format!("-md {digest} -nodetach {form}"));
            assert_eq!(verify_attached(&message).unwrap().content, CONTENT);
            let streamed = sign(openssl, party, &format!("-md {digest} -nodetach -stream {form}"));
            assert_ne!(streamed.len(), message.len());
            assert_eq!(verify_attached(&streamed).unwrap().content, CONTENT);
        }
    }
}

const MODERN: [(&str, Hash); 3] =
    [("sha256", Hash::Sha256), ("sha384", Hash::Sha384), ("sha512", Hash::Sha512)];

#[test]
fn rsa_signatures_are_verified() {
    let openssl = Openssl::new();
    let party = openssl.rsa("device");
    verify_all_ways(&openssl, &party, &[&[("sha1", Hash::Sha1)][..], &MODERN].concat());
}

#[test]
fn p256_signatures_are_verified() {
    let openssl = Openssl::new();
    let party = openssl.ec("device", "P-256");
    verify_all_ways(&openssl, &party, &[&[("sha1", Hash::Sha1)][..], &MODERN].concat());
}

#[test]
fn p384_and_p521_signatures_are_verified() {
    let openssl = Openssl::new();
    let party = openssl.ec("tablet", "P-384");
    verify_all_ways(&openssl, &party, &MODERN);
    let party = openssl.ec("phone", "P-521");
    verify_all_ways(&openssl, &party, &MODERN);
}

#[test]
fn factory_signatures_of_1024_bits_are_verified() {
    let openssl = Openssl::new();
    openssl.run("req -x509 -newkey rsa:1024 -sha1 -nodes -keyout old.key -out old.pem -subj /CN=old");
    let certificate = pki::Certificate::from_pem(&openssl.read_text("old.pem")).unwrap();
    assert!(certificate.is_issued_by(&certificate));
    let message = sign(&openssl, &Party { name: "old", certificate }, "-md sha1");
    assert!(verify_detached(&message, CONTENT).is_ok());
}

#[test]
fn a_large_streamed_message_is_verified() {
    let openssl = Openssl::new();
    let party = openssl.rsa("device");
    let content: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
    openssl.write("large", &content);
    let command =
        "cms -sign -binary -nodetach -stream -in large -signer device.pem -inkey device.key -outform DER";
    openssl.run(&format!("{command} -out signed"));
    let signed = verify_attached(&openssl.read("signed")).unwrap();
    assert_eq!((signed.content.len(), &signed.signer), (content.len(), &party.certificate));
    assert!(signed.content == content);
}

#[test]
fn pkcs7_of_old_is_verified() {
    let openssl = Openssl::new();
    let party = openssl.rsa("device");
    openssl.write("content", CONTENT);
    let command =
        "smime -sign -binary -nodetach -in content -signer device.pem -inkey device.key -outform DER";
    openssl.run(&format!("{command} -md sha1 -out signed"));
    assert_eq!(verify_attached(&openssl.read("signed")).unwrap().signer, party.certificate);
}

#[test]
fn our_signatures_are_verified_by_openssl() {
    let openssl = Openssl::new();
    let authority = TlsAuthority::generate("Remuda TLS", now()).unwrap();
    let (certificate, key) = authority.issue_signer("profiles", now()).unwrap();
    openssl.write("root.pem", authority.certificate().to_pem().as_bytes());
    openssl.write("content", CONTENT);
    let chain = [authority.certificate().clone()];
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let signing = || Signing::new(&certificate, &key).with_chain(&chain).with_hash(hash).at(now());
        openssl.write("signed", &signing().attached(CONTENT).unwrap());
        let verify = "cms -verify -binary -inform DER -in signed -CAfile root.pem -purpose any -out verified";
        assert!(openssl.verifies(verify), "{hash:?}");
        assert_eq!(openssl.read("verified"), CONTENT);
        openssl.write("signed", &signing().detached(CONTENT).unwrap());
        assert!(openssl.verifies(&format!("{verify} -content content")), "{hash:?}");
    }
}

#[test]
fn our_rsa_signatures_are_verified_by_openssl() {
    let openssl = Openssl::new();
    let party = openssl.rsa("device");
    let key = openssl.key(&party);
    let attribute = Attribute::printable(ObjectIdentifier::new_unwrap("2.16.840.1.113733.1.9.7"), "id");
    let signing = Signing::new(&party.certificate, &key).at(now()).with_attributes([attribute]);
    openssl.write("signed", &signing.attached(CONTENT).unwrap());
    openssl.run("cms -verify -binary -noverify -inform DER -in signed -out verified");
    assert_eq!(openssl.read("verified"), CONTENT);
    let printed = openssl.run("cms -cmsout -print -noout -inform DER -in signed");
    assert!(String::from_utf8_lossy(&printed).contains("PRINTABLESTRING:id"));

    let old = OldSigner::new(&openssl, &party);
    let signing = Signing::new(&party.certificate, &old).with_hash(Hash::Sha1);
    openssl.write("signed", &signing.attached(CONTENT).unwrap());
    openssl.run("cms -verify -binary -noverify -inform DER -in signed -out verified");
}
