//! Sealed messages.

use pki::cms::envelope::{self, Cipher};

use crate::openssl::Openssl;

const CONTENT: &[u8] = b"a secret of some length, longer than a block";

const CIPHERS: [(&str, Cipher); 4] = [
    ("-aes-128-cbc", Cipher::Aes128),
    ("-aes-192-cbc", Cipher::Aes192),
    ("-aes-256-cbc", Cipher::Aes256),
    ("-des3", Cipher::TripleDes),
];

/// Single DES is in the legacy provider of OpenSSL 3.
const DES: (&str, Cipher) = ("-des-cbc -provider legacy -provider default", Cipher::Des);

#[test]
fn what_openssl_seals_is_opened() {
    let openssl = Openssl::new();
    let party = openssl.rsa("server");
    let key = openssl.key(&party);
    openssl.write("content", CONTENT);
    for (option, cipher) in CIPHERS.into_iter().chain([DES]) {
        for form in ["", "-stream", "-keyid"] {
            let command = "cms -encrypt -binary -in content -outform DER -out sealed -recip server.pem";
            openssl.run(&format!("{command} {option} {form}"));
            let opened = envelope::open(&openssl.read("sealed"), &key, &party.certificate, true);
            let opened = opened.unwrap_or_else(|error| panic!("{option} {form}: {error}"));
            assert_eq!((opened.content.as_slice(), opened.cipher), (CONTENT, cipher), "{option} {form}");
        }
    }
}

#[test]
fn one_of_several_recipients_opens_its_message() {
    let openssl = Openssl::new();
    let (one, other) = (openssl.rsa("one"), openssl.rsa("other"));
    let third = openssl.rsa("third");
    openssl.write("content", CONTENT);
    openssl.run("cms -encrypt -binary -in content -outform DER -out sealed -aes256 one.pem other.pem");
    let sealed = openssl.read("sealed");
    for party in [&one, &other] {
        let opened = envelope::open(&sealed, &openssl.key(party), &party.certificate, false).unwrap();
        assert_eq!(opened.content, CONTENT);
    }
    let wrong = envelope::open(&sealed, &openssl.key(&third), &third.certificate, false);
    assert_eq!(wrong, Err(pki::Error::Decrypt));
}

#[test]
fn what_we_seal_is_opened_by_openssl() {
    let openssl = Openssl::new();
    let party = openssl.rsa("device");
    for (option, cipher) in CIPHERS.into_iter().chain([DES]) {
        openssl.write("sealed", &envelope::seal(CONTENT, &party.certificate, cipher).unwrap());
        let providers = option.split_once(' ').map_or("", |(_, providers)| providers);
        openssl.run(&format!(
            "cms -decrypt -binary -inform DER -in sealed -recip device.pem -inkey device.key \
             -out opened {providers}"
        ));
        assert_eq!(openssl.read("opened"), CONTENT, "{cipher:?}");
    }
}

#[test]
fn an_envelope_in_smime_of_old_is_opened() {
    let openssl = Openssl::new();
    let party = openssl.rsa("server");
    openssl.write("content", CONTENT);
    openssl.run("smime -encrypt -binary -des3 -in content -outform DER -out sealed server.pem");
    let opened = envelope::open(&openssl.read("sealed"), &openssl.key(&party), &party.certificate, false);
    assert_eq!(opened.unwrap().content, CONTENT);
}
