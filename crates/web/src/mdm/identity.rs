//! Who sent a request: the certificate whose key its sender was seen to hold. Whether that certificate may be
//! believed is for [`domain`] to judge.
//!
//! There are two proofs. The connection's: the TLS client certificate, or behind a trusted proxy the one in
//! its certificate header. And the message's: `Mdm-Signature`, a detached CMS signature over the body as it
//! came. Which count:
//!
//! - One of them is enough, but a signature that is there must fit, whatever the connection has proven.
//! - If there are both, they must name the same certificate, or two with the same subject, which is the same
//!   enrollment in the middle of its renewal: the device signs with its new identity while the connection was
//!   opened with the old one. The signature's certificate is then the sender's, being the later proof.
//!   Anything else is one device on another's connection, and refused.
//! - A trusted proxy ends the TLS of those behind it, so that a certificate on its own connection is its own
//!   and none of theirs. It counts only where there is nothing else: then the proxy passes TLS through.
//! - The certificate header of anybody else is ignored; a proxy that hands it on has to strip what clients
//!   send.
//!
//! The signing time that a signature claims is not looked at, since clocks of devices are wrong.

use http::{HeaderMap, HeaderName, request::Parts};
use pki::{Certificate, cms};

use super::client_certificate;
use crate::base64_text;
use crate::peer::{PeerCertificate, ProxyTrust};

const MDM_SIGNATURE: HeaderName = HeaderName::from_static("mdm-signature");

/// The longest header that is read here, in bytes. A signature with a chain of three certificates has some
/// 6,000.
const MAX_HEADER: usize = 16 << 10;

/// Why nobody is known to have sent a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unidentified {
    #[error("it has neither a client certificate nor an Mdm-Signature")]
    Unsigned,
    #[error("the header {0} is there twice")]
    Twice(HeaderName),
    #[error("the header {0} is longer than {MAX_HEADER} bytes")]
    TooLong(HeaderName),
    #[error("the header {0} is no text")]
    NoText(HeaderName),
    #[error("the Mdm-Signature is no base64")]
    NoBase64,
    #[error("the Mdm-Signature: {0}")]
    Signature(pki::Error),
    #[error("the client certificate: {0}")]
    ClientCertificate(pki::Error),
    #[error("the Mdm-Signature is another device's than the client certificate")]
    TwoSenders,
}

/// What a request's head has to show for its sender.
#[derive(Debug)]
pub(super) struct Proofs {
    connection: Option<Certificate>,
    signature: Option<Vec<u8>>,
}

impl Proofs {
    /// Gathers them before the body is read; something that could never become a proof is refused at once.
    pub(super) fn of(
        parts: &Parts,
        trust: &ProxyTrust,
        certificate_header: Option<&HeaderName>,
    ) -> Result<Self, Unidentified> {
        let signature = signature(&parts.headers)?;
        let connection = if trust.is_proxy(parts) {
            match (forwarded_certificate(&parts.headers, certificate_header)?, &signature) {
                (None, None) => tls_certificate(parts)?,
                (forwarded, _) => forwarded,
            }
        } else {
            tls_certificate(parts)?
        };
        if connection.is_none() && signature.is_none() {
            return Err(Unidentified::Unsigned);
        }
        Ok(Self { connection, signature })
    }

    /// The sender of `body`, which is what arrived, before anything parsed it.
    pub(super) fn sender(self, body: &[u8]) -> Result<Certificate, Unidentified> {
        let signer = match &self.signature {
            Some(signature) => {
                Some(cms::verify_detached(signature, body).map_err(Unidentified::Signature)?.signer)
            }
            None => None,
        };
        match (self.connection, signer) {
            (Some(connection), Some(signer)) if !same_device(&connection, &signer) => {
                Err(Unidentified::TwoSenders)
            }
            (_, Some(signer)) => Ok(signer),
            (Some(connection), None) => Ok(connection),
            (None, None) => Err(Unidentified::Unsigned),
        }
    }
}

fn same_device(one: &Certificate, other: &Certificate) -> bool {
    one == other || one.subject() == other.subject()
}

fn signature(headers: &HeaderMap) -> Result<Option<Vec<u8>>, Unidentified> {
    let Some(text) = single(headers, &MDM_SIGNATURE)? else { return Ok(None) };
    base64_text::decode(text).map(Some).ok_or(Unidentified::NoBase64)
}

fn tls_certificate(parts: &Parts) -> Result<Option<Certificate>, Unidentified> {
    let Some(PeerCertificate(der)) = parts.extensions.get() else { return Ok(None) };
    Certificate::from_der(der).map(Some).map_err(Unidentified::ClientCertificate)
}

fn forwarded_certificate(
    headers: &HeaderMap,
    name: Option<&HeaderName>,
) -> Result<Option<Certificate>, Unidentified> {
    let Some(name) = name else { return Ok(None) };
    let Some(value) = single(headers, name)? else { return Ok(None) };
    client_certificate::decode(value).map_err(Unidentified::ClientCertificate)
}

/// A header that must not be there twice: which one counts would be anybody's guess.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Unidentified> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Unidentified::Twice(name.clone()));
    }
    if value.len() > MAX_HEADER {
        return Err(Unidentified::TooLong(name.clone()));
    }
    value.to_str().map(Some).map_err(|_| Unidentified::NoText(name.clone()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::peer::PeerAddress;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use http::Request;
    use pki::{PrivateKey, cms::Signing, scep::client::self_signed};
    use proptest::{prelude::*, sample::Index};
    use std::time::{Duration, SystemTime};

    const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
    const BODY: &[u8] = b"<plist>exactly this</plist>\n";
    const PROXY: &str = "10.0.0.1:4000";
    const STRANGER: &str = "192.0.2.1:4000";

    /// A key and a certificate for it.
    pub(crate) struct Device {
        pub(crate) certificate: Certificate,
        key: PrivateKey,
    }

    impl Device {
        pub(crate) fn signature(&self, body: &[u8]) -> String {
            STANDARD.encode(Signing::new(&self.certificate, &self.key).detached(body).unwrap())
        }

        fn forwarded(&self) -> String {
            format!(":{}:", STANDARD.encode(self.certificate.der()))
        }
    }

    pub(crate) fn device(name: &str) -> Device {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let key = PrivateKey::generate_p256().unwrap();
        Device { certificate: self_signed(&key, name, now).unwrap(), key }
    }

    /// A request in the making.
    struct Sent(Parts);

    impl Sent {
        fn by(peer: &str) -> Self {
            let (mut parts, ()) = Request::new(()).into_parts();
            parts.extensions.insert(PeerAddress(peer.parse().unwrap()));
            Self(parts)
        }

        fn over_tls(mut self, device: &Device) -> Self {
            self.0.extensions.insert(PeerCertificate(device.certificate.der().to_vec()));
            self
        }

        fn with(mut self, name: HeaderName, value: &str) -> Self {
            self.0.headers.append(name, value.parse().unwrap());
            self
        }

        fn signed(self, device: &Device) -> Self {
            self.with(MDM_SIGNATURE, &device.signature(BODY))
        }

        fn sender(&self) -> Result<Certificate, Unidentified> {
            let trust = ProxyTrust::new(vec!["10.0.0.0/8".parse().unwrap()]);
            Proofs::of(&self.0, &trust, Some(&CLIENT_CERT))?.sender(BODY)
        }
    }

    #[test]
    fn each_proof_alone_is_enough() {
        let a = device("a");
        let sender = Ok(a.certificate.clone());
        assert_eq!(Sent::by(STRANGER).over_tls(&a).sender(), sender);
        assert_eq!(Sent::by(STRANGER).signed(&a).sender(), sender);
        assert_eq!(Sent::by(PROXY).with(CLIENT_CERT, &a.forwarded()).sender(), sender);
        assert_eq!(Sent::by(STRANGER).sender(), Err(Unidentified::Unsigned));
        assert_eq!(Sent::by(PROXY).with(CLIENT_CERT, "").sender(), Err(Unidentified::Unsigned));
    }

    #[test]
    fn an_rsa_key_signs_as_well_as_an_elliptic_one() {
        let key = PrivateKey::generate_rsa_2048().unwrap();
        let certificate =
            self_signed(&key, "a", SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30)).unwrap();
        let sender = Sent::by(STRANGER).signed(&Device { certificate: certificate.clone(), key }).sender();
        assert_eq!(sender, Ok(certificate));
    }

    #[test]
    fn a_certificate_header_is_believed_from_a_trusted_proxy_only() {
        let (a, b) = (device("a"), device("b"));
        let forged = || Sent::by(STRANGER).with(CLIENT_CERT, &a.forwarded());
        assert_eq!(forged().sender(), Err(Unidentified::Unsigned));
        assert_eq!(forged().signed(&b).sender(), Ok(b.certificate.clone()));
        assert_eq!(forged().over_tls(&b).sender(), Ok(b.certificate));
    }

    #[test]
    fn without_a_setting_no_header_is_a_certificate() {
        let sent = Sent::by(PROXY).with(CLIENT_CERT, &device("a").forwarded());
        let trust = ProxyTrust::new(vec!["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(Proofs::of(&sent.0, &trust, None).unwrap_err(), Unidentified::Unsigned);
    }

    #[test]
    fn a_signature_over_another_body_is_refused_on_any_connection() {
        let a = device("a");
        let other = a.signature(b"<plist>exactly this</plist>");
        let expected = Err(Unidentified::Signature(pki::Error::Signature));
        assert_eq!(Sent::by(STRANGER).with(MDM_SIGNATURE, &other).sender(), expected);
        assert_eq!(Sent::by(STRANGER).over_tls(&a).with(MDM_SIGNATURE, &other).sender(), expected);
    }

    #[test]
    fn both_proofs_must_be_of_one_device() {
        let (a, renewed, b) = (device("a"), device("a"), device("b"));
        assert_eq!(Sent::by(STRANGER).over_tls(&a).signed(&a).sender(), Ok(a.certificate.clone()));
        assert_eq!(
            Sent::by(STRANGER).over_tls(&a).signed(&renewed).sender(),
            Ok(renewed.certificate.clone())
        );
        assert_eq!(Sent::by(STRANGER).over_tls(&a).signed(&b).sender(), Err(Unidentified::TwoSenders));
        let behind = Sent::by(PROXY).with(CLIENT_CERT, &a.forwarded()).signed(&b);
        assert_eq!(behind.sender(), Err(Unidentified::TwoSenders));
    }

    #[test]
    fn a_proxys_own_certificate_is_not_its_clients() {
        let (proxy, a) = (device("proxy"), device("a"));
        let behind = || Sent::by(PROXY).over_tls(&proxy);
        assert_eq!(behind().with(CLIENT_CERT, &a.forwarded()).sender(), Ok(a.certificate.clone()));
        assert_eq!(behind().signed(&a).sender(), Ok(a.certificate.clone()));
        assert_eq!(Sent::by(PROXY).over_tls(&a).sender(), Ok(a.certificate), "TLS that is passed through");
    }

    #[test]
    fn a_header_that_is_there_twice_is_nobodys() {
        let (a, b) = (device("a"), device("b"));
        let twice = Sent::by(STRANGER).signed(&a).signed(&b).sender();
        assert_eq!(twice, Err(Unidentified::Twice(MDM_SIGNATURE)));
        let twice =
            Sent::by(PROXY).with(CLIENT_CERT, &a.forwarded()).with(CLIENT_CERT, &b.forwarded()).sender();
        assert_eq!(twice, Err(Unidentified::Twice(CLIENT_CERT)));
    }

    #[test]
    fn broken_headers_are_refused_before_the_body_is_read() {
        let refused = |sent: Sent| Proofs::of(&sent.0, &ProxyTrust::default(), None).unwrap_err();
        assert_eq!(refused(Sent::by(STRANGER).with(MDM_SIGNATURE, "***")), Unidentified::NoBase64);
        let long = "A".repeat(MAX_HEADER + 1);
        assert_eq!(
            refused(Sent::by(STRANGER).with(MDM_SIGNATURE, &long)),
            Unidentified::TooLong(MDM_SIGNATURE)
        );
        let mut sent = Sent::by(STRANGER);
        sent.0.extensions.insert(PeerCertificate(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]));
        assert!(matches!(refused(sent), Unidentified::ClientCertificate(_)));
    }

    #[test]
    fn every_truncation_of_a_signature_is_refused() {
        let whole = STANDARD.decode(device("a").signature(BODY)).unwrap();
        for length in 0..whole.len() {
            let cut = STANDARD.encode(&whole[..length]);
            let sender = Sent::by(STRANGER).with(MDM_SIGNATURE, &cut).sender();
            assert!(matches!(sender, Err(Unidentified::Signature(_))), "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_signature_header_is_refused(value in "[ -~]{0,300}") {
            prop_assert!(Sent::by(STRANGER).with(MDM_SIGNATURE, &value).sender().is_err());
        }

        #[test]
        fn a_changed_signature_never_names_another_device(at in any::<Index>(), bit in 0..8u8) {
            let a = device("a");
            let mut bytes = STANDARD.decode(a.signature(BODY)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(sender) = Sent::by(STRANGER).with(MDM_SIGNATURE, &STANDARD.encode(&bytes)).sender() {
                prop_assert_eq!(sender.public_key_spki(), a.certificate.public_key_spki());
            }
        }
    }
}
