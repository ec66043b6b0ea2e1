//! Certificate requests.

use pki::{Csr, Name, PrivateKey};

use crate::openssl::Openssl;

/// A request that asks for far more than anybody gets: to be a CA, under other names, with a password.
const GREEDY: &str = "
[req]
prompt = no
distinguished_name = name
attributes = attributes
req_extensions = extensions
[name]
CN = device
O = Example
[attributes]
challengePassword = one-time secret
unstructuredName = whatever
[extensions]
basicConstraints = critical,CA:TRUE
subjectAltName = DNS:mdm.example.org
";

#[test]
fn requests_of_openssl_are_read() {
    let openssl = Openssl::new();
    openssl.write("greedy.cnf", GREEDY.as_bytes());
    for kind in ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256", "ec -pkeyopt ec_paramgen_curve:P-384"] {
        for option in ["-sha256", "-sha512", "-utf8"] {
            openssl.run(&format!(
                "req -new -newkey {kind} -nodes -keyout x.key -config greedy.cnf {option} \
                 -outform DER -out x.csr"
            ));
            let csr = Csr::from_der(&openssl.read("x.csr")).unwrap();
            assert_eq!(csr.challenge_password(), Some("one-time secret"));
            assert_eq!(csr.subject().to_string(), "O=Example,CN=device");
            assert_eq!(csr.digest(), pki::sha256(&openssl.read("x.csr")));
        }
    }
}

#[test]
fn requests_for_weak_keys_are_refused() {
    let openssl = Openssl::new();
    openssl.run("req -new -newkey rsa:1024 -nodes -keyout x.key -subj /CN=weak -outform DER -out x.csr");
    assert!(Csr::from_der(&openssl.read("x.csr")).is_err());
}

#[test]
fn our_requests_are_read_by_openssl() {
    let openssl = Openssl::new();
    for key in [PrivateKey::generate_rsa_2048().unwrap(), PrivateKey::generate_p256().unwrap()] {
        let name = Name::new("device")
            .with_organization("Ünit")
            .with_email_address("a@example.org")
            .with_country("DE");
        let csr = Csr::build(&name, Some("secret"), &key).unwrap();
        openssl.write("x.csr", csr.to_pem().as_bytes());
        let text =
            String::from_utf8(openssl.run("req -in x.csr -verify -noout -text -nameopt utf8")).unwrap();
        for expected in ["challengePassword", "secret", "CN=device", "O=Ünit", "emailAddress=a@example.org"]
        {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}
