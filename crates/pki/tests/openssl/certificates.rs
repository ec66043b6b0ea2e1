//! Certificates that we issue, and those that others issue.

use pki::keys::Signer;
use pki::{Authority, Certificate, Identity, PrivateKey, PushCertificate, TlsAuthority, Verdict, judge};

use crate::openssl::{DAY, Openssl, now};

fn issue(authority: &Authority, key: &PrivateKey) -> Certificate {
    let identity = Identity {
        spki: key.public_spki(),
        common_name: "0190b0c4-enrollment",
        organization: "tenant ünit",
        serial: [0xfe; 16],
        not_before: now() - DAY,
        not_after: now() + 365 * DAY,
    };
    authority.issue(&identity).unwrap()
}

#[test]
fn a_device_certificate_is_verified_by_openssl() {
    let openssl = Openssl::new();
    let authority = Authority::generate("Remuda Device CA", now()).unwrap();
    openssl.write("root.pem", authority.certificate().to_pem().as_bytes());
    for key in [PrivateKey::generate_rsa_2048().unwrap(), PrivateKey::generate_p256().unwrap()] {
        let leaf = issue(&authority, &key);
        openssl.write("leaf.pem", leaf.to_pem().as_bytes());
        assert!(openssl.verifies("verify -x509_strict -CAfile root.pem -purpose sslclient leaf.pem"));
        assert!(!openssl.verifies("verify -x509_strict -CAfile root.pem -purpose sslserver leaf.pem"));
        let text = String::from_utf8(openssl.run("x509 -noout -text -in leaf.pem")).unwrap();
        for expected in [
            "CA:FALSE",
            "Digital Signature, Key Encipherment",
            "TLS Web Client Authentication",
            "X509v3 Authority Key Identifier",
            "X509v3 Subject Key Identifier",
            "fe:fe:fe:fe",
            "CN = 0190b0c4-enrollment",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}

#[test]
fn our_ca_may_be_what_it_is_used_for() {
    let openssl = Openssl::new();
    let authority = Authority::generate("Remuda Device CA", now()).unwrap();
    openssl.write("root.pem", authority.certificate().to_pem().as_bytes());
    let text = String::from_utf8(openssl.run("x509 -noout -text -in root.pem")).unwrap();
    for expected in ["CA:TRUE, pathlen:0", "Digital Signature, Key Encipherment, Certificate Sign, CRL Sign"]
    {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(openssl.verifies("verify -x509_strict -CAfile root.pem root.pem"));
}

#[test]
fn a_server_certificate_is_verified_by_openssl() {
    let openssl = Openssl::new();
    let authority = TlsAuthority::generate("Remuda TLS CA", now()).unwrap();
    let names = ["mdm.example.org".to_owned(), "192.0.2.7".to_owned(), "2001:db8::7".to_owned()];
    let (leaf, key) = authority.issue_server(&names, now()).unwrap();
    openssl.write("root.pem", authority.certificate().to_pem().as_bytes());
    openssl.write_party("leaf", &leaf, &key);
    let verify = "verify -x509_strict -CAfile root.pem -purpose sslserver leaf.pem";
    for name in ["-verify_hostname mdm.example.org", "-verify_ip 192.0.2.7", "-verify_ip 2001:db8::7"] {
        assert!(openssl.verifies(&verify.replace("leaf.pem", &format!("{name} leaf.pem"))), "{name}");
    }
    let other = verify.replace("leaf.pem", "-verify_hostname other.example.org leaf.pem");
    assert!(!openssl.verifies(&other));
}

#[test]
fn the_keys_of_openssl_are_read_in_every_form() {
    let openssl = Openssl::new();
    let rsa = openssl.rsa("rsa");
    let ec = openssl.ec("ec", "P-256");
    openssl.run("rsa -in rsa.key -traditional -out rsa-old.key");
    openssl.run("ec -in ec.key -out ec-old.key");
    for (file, party) in [("rsa.key", &rsa), ("rsa-old.key", &rsa), ("ec.key", &ec), ("ec-old.key", &ec)] {
        let key = PrivateKey::from_pem(&openssl.read_text(file)).unwrap();
        assert!(key.belongs_to(party.certificate.public_key_spki()), "{file}");
    }
    openssl.run("rsa -in rsa.key -aes128 -passout pass:secret -out protected.key");
    assert!(matches!(
        PrivateKey::from_pem(&openssl.read_text("protected.key")),
        Err(pki::Error::Unsupported(_))
    ));
}

#[test]
fn our_keys_are_read_by_openssl() {
    let openssl = Openssl::new();
    for key in [PrivateKey::generate_rsa_2048().unwrap(), PrivateKey::generate_p256().unwrap()] {
        openssl.write("ours.key", key.to_pem().unwrap().as_bytes());
        assert_eq!(openssl.run("pkey -in ours.key -pubout -outform DER"), key.public_spki());
    }
}

/// Every signature that a foreign CA may make, on every curve.
#[test]
fn foreign_cas_are_judged() {
    let openssl = Openssl::new();
    openssl.write("leaf.ext", b"basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n");
    openssl.run("req -new -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf");
    let cas = [
        (openssl.rsa("rsa"), &["sha1", "sha256", "sha384", "sha512"][..]),
        (openssl.ec("p256", "P-256"), &["sha1", "sha256", "sha384", "sha512"]),
        (openssl.ec("p384", "P-384"), &["sha256", "sha384", "sha512"]),
        (openssl.ec("p521", "P-521"), &["sha1", "sha256", "sha384", "sha512"]),
    ];
    let anchors: Vec<_> = cas.iter().map(|(ca, _)| ca.certificate.clone()).collect();
    for (ca, digests) in &cas {
        for digest in *digests {
            let name = ca.name;
            openssl.run(&format!(
                "x509 -req -in leaf.csr -CA {name}.pem -CAkey {name}.key -{digest} -days 9 \
                 -extfile leaf.ext -out leaf.pem"
            ));
            let leaf = Certificate::from_pem(&openssl.read_text("leaf.pem")).unwrap();
            let anchor = ca.certificate.fingerprint();
            let at = leaf.not_before() + DAY;
            assert_eq!(judge(&leaf, &anchors, at, DAY), Verdict::Trusted { anchor }, "{name} {digest}");
            assert!(leaf.allows_client_auth());
        }
    }
}

#[test]
fn a_push_certificate_of_openssl_has_its_topic() {
    let openssl = Openssl::new();
    let subject = "/UID=com.apple.mgmt.External.1234/CN=APSP:1234/C=US";
    openssl.run(&format!("req -x509 -newkey rsa:2048 -nodes -keyout push.key -out push.pem -subj {subject}"));
    let push =
        PushCertificate::from_pem(&openssl.read_text("push.pem"), &openssl.read_text("push.key")).unwrap();
    assert_eq!(push.topic(), "com.apple.mgmt.External.1234");
}

#[test]
fn the_vendor_signature_is_verified_by_openssl() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let openssl = Openssl::new();
    let vendor = openssl.rsa("vendor");
    let (csr, _) = pki::push_certificate::request("Push", "it@example.org", "DE").unwrap();
    let chain = [vendor.certificate.clone()];
    let file = pki::push_certificate::vendor_request(&csr, &chain, &openssl.key(&vendor)).unwrap();
    let plist = String::from_utf8(STANDARD.decode(file).unwrap()).unwrap();
    let (_, after) = plist.split_once("<key>PushCertSignature</key>\n\t<string>").unwrap();
    openssl.write("signature", &STANDARD.decode(after.split_once('<').unwrap().0).unwrap());
    openssl.write("csr", csr.der());
    openssl.run("x509 -in vendor.pem -noout -pubkey -out vendor.pub");
    openssl.run("dgst -sha256 -verify vendor.pub -signature signature csr");
}
