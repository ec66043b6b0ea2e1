//! How the server issues certificates, properly or not.

use std::time::Duration;

use pki::scep::{self, FailInfo};
use pki::{Authority, Certificate, Csr, Identity, PrivateKey, Signer as _};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
    SubjectPublicKeyInfo,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::desk::now;

const DAY: Duration = Duration::from_hours(24);

/// What is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issue {
    Proper,
    /// A certificate for a key that nobody asked about.
    ForAnotherKey,
    /// CA:TRUE.
    AnAuthority,
    /// Good for servers only.
    AServer,
    /// Over since yesterday.
    Expired,
    /// From a CA that is not the one of `GetCACert`, but signed by it.
    FromAnotherCa,
    /// `failInfo`.
    Refusal,
    /// The whole answer is signed and sealed by another CA.
    ByAnotherCa,
    /// An answer to another nonce.
    ReplayOf([u8; 16]),
}

/// Answers one `PKIOperation`.
pub fn reply(message: &[u8], authority: &Authority, issue: Issue) -> Vec<u8> {
    let mut request = scep::open(message, authority, false).unwrap();
    assert!(request.csr.challenge_password().is_some_and(|challenge| challenge.starts_with("challenge-")));
    let another = || Authority::generate("Another CA", now()).unwrap();
    let nonce = pki::random::bytes().unwrap();
    if let Issue::ReplayOf(nonce) = issue {
        request.transaction.sender_nonce = nonce.to_vec();
    }
    if issue == Issue::Refusal {
        let transaction = &request.transaction;
        return scep::reply_failure(transaction, FailInfo::REJECTED, authority, now(), nonce).unwrap();
    }
    let certificate = match issue {
        Issue::ForAnotherKey => {
            proper(authority, PrivateKey::generate_rsa_2048().unwrap().public_spki(), now() + DAY)
        }
        Issue::AnAuthority | Issue::AServer => improper(authority, &request.csr, issue),
        Issue::Expired => proper(authority, request.csr.spki(), now() - DAY / 2),
        Issue::FromAnotherCa => proper(&another(), request.csr.spki(), now() + DAY),
        _ => proper(authority, request.csr.spki(), now() + DAY),
    };
    let stranger = (issue == Issue::ByAnotherCa).then(another);
    let answering = stranger.as_ref().unwrap_or(authority);
    scep::reply_success(&request, &certificate, answering, now(), nonce).unwrap()
}

fn proper(authority: &Authority, spki: &[u8], not_after: std::time::SystemTime) -> Certificate {
    let identity = Identity {
        spki,
        common_name: "device",
        organization: "Example",
        serial: pki::random::serial().unwrap(),
        not_before: now() - DAY,
        not_after,
    };
    authority.issue(&identity).unwrap()
}

fn improper(authority: &Authority, csr: &Csr, issue: Issue) -> Certificate {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(authority.key().to_pkcs8().unwrap().to_vec()));
    let key = KeyPair::from_der_and_sign_algo(&key, &PKCS_RSA_SHA256).unwrap();
    let ca = CertificateDer::from(authority.certificate().der().to_vec());
    let issuer = Issuer::from_ca_cert_der(&ca, key).unwrap();
    let mut params = CertificateParams::default();
    if issue == Issue::AnAuthority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    } else {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    }
    let spki = SubjectPublicKeyInfo::from_der(csr.spki()).unwrap();
    Certificate::from_der(params.signed_by(&spki, &issuer).unwrap().der()).unwrap()
}
