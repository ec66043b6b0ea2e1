//! X.509 certificates, parsed once and kept with the exact bytes that were received.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use crate::asn1::{self, Element, Reader};
use crate::extensions::Extensions;
use crate::name::Name;
use crate::public_key::{PublicKey, SignatureAlgorithm, Strength};
use crate::{Error, Result, hash, oid, pem};

const PEM_LABEL: &str = "CERTIFICATE";

/// A certificate. Cloning it is cheap; two are equal if their bytes are.
///
/// That one could be parsed says nothing of whether it may be believed: see [`crate::chain::judge`].
#[derive(Clone)]
pub struct Certificate {
    der: Arc<[u8]>,
    parts: Arc<Parts>,
}

/// The SHA-256 of a certificate's DER, shown as 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

#[derive(Debug)]
struct Parts {
    to_be_signed: Range<usize>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    algorithm: Range<usize>,
    signature: Range<usize>,
    subject_name: Name,
    not_before: SystemTime,
    not_after: SystemTime,
    extensions: Extensions,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Parses DER.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything that is not exactly one X.509 certificate. Unknown keys, signature
    /// algorithms and extensions are no error here.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Ok(Certificate { der: der.into(), parts: Arc::new(Parts::read(der)?) })
    }

    /// The first certificate of a PEM text.
    ///
    /// # Errors
    /// As [`Certificate::from_der`]; also where there is none.
    pub fn from_pem(text: &str) -> Result<Self> {
        Self::all_from_pem(text)?
            .into_iter()
            .next()
            .ok_or(Error::Malformed("PEM: there is no certificate in it"))
    }

    /// Every certificate of a PEM text, in its order; other blocks are skipped.
    ///
    /// # Errors
    /// As [`Certificate::from_der`].
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>> {
        let blocks = pem::blocks(text)?;
        blocks
            .iter()
            .filter(|block| block.label == PEM_LABEL)
            .map(|block| Self::from_der(&block.der))
            .collect()
    }

    /// The bytes that were received.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The text form.
    pub fn to_pem(&self) -> String {
        pem::encode(PEM_LABEL, &self.der)
    }

    /// The SHA-256 of the whole certificate, by which we pin it.
    pub fn fingerprint(&self) -> Fingerprint {
        self.parts.fingerprint
    }

    /// Whom the certificate is about; its `Display` is RFC 4514.
    pub fn subject(&self) -> &Name {
        &self.parts.subject_name
    }

    /// The subject's first common name (CN).
    pub fn subject_common_name(&self) -> Option<&str> {
        self.subject().common_name()
    }

    /// The subject's first organization (O).
    pub fn subject_organization(&self) -> Option<&str> {
        self.subject().organization()
    }

    /// The subject's first user id (UID, 0.9.2342.19200300.100.1.1): the topic of a push certificate.
    pub fn subject_user_id(&self) -> Option<&str> {
        self.subject().user_id()
    }

    /// The first second in which it is valid.
    pub fn not_before(&self) -> SystemTime {
        self.parts.not_before
    }

    /// The last second in which it is valid.
    pub fn not_after(&self) -> SystemTime {
        self.parts.not_after
    }

    /// The `SubjectPublicKeyInfo`, in DER.
    pub fn public_key_spki(&self) -> &[u8] {
        self.part(&self.parts.spki)
    }

    /// The serial number as it stands there: big-endian, with a leading zero where needed.
    pub fn serial_number(&self) -> &[u8] {
        self.part(&self.parts.serial)
    }

    /// Whether `issuer` made this certificate: its name stands here byte by byte, and its key signed. RSA
    /// (PKCS#1 v1.5, 1024 bits or more) and ECDSA (P-256, P-384, P-521), SHA-1 to SHA-512.
    ///
    /// Asks neither for dates nor whether `issuer` is a CA.
    pub fn is_issued_by(&self, issuer: &Certificate) -> bool {
        self.issuer_der() == issuer.subject_der() && self.is_signed_by(issuer.public_key_spki()).is_ok()
    }

    /// Whether it may prove a client's identity: no extended key usage, or one that says so.
    pub fn allows_client_auth(&self) -> bool {
        self.parts.extensions.allows_extended(oid::CLIENT_AUTH)
    }

    /// Whether it is marked as a CA and its key may sign certificates.
    pub fn is_ca(&self) -> bool {
        self.parts.extensions.may_sign_certificates()
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.parts.extensions
    }

    pub(crate) fn public_key(&self) -> Result<PublicKey<'_>> {
        PublicKey::read(self.public_key_spki())
    }

    /// The whole `Name` of the issuer, header included.
    pub(crate) fn issuer_der(&self) -> &[u8] {
        self.part(&self.parts.issuer)
    }

    /// The whole `Name` of the subject, header included.
    pub(crate) fn subject_der(&self) -> &[u8] {
        self.part(&self.parts.subject)
    }

    fn is_signed_by(&self, spki: &[u8]) -> Result<()> {
        let algorithm =
            SignatureAlgorithm::read(asn1::only(self.part(&self.parts.algorithm), asn1::SEQUENCE)?)?;
        let hash = algorithm.hash.ok_or(Error::Unsupported("signature algorithm"))?;
        let (message, signature) = (self.part(&self.parts.to_be_signed), self.part(&self.parts.signature));
        PublicKey::read(spki)?.verify((algorithm, hash), Strength::Legacy, message, signature)
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        &self.der[range.clone()]
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Certificate({}, {})", self.subject(), self.fingerprint())
    }
}

impl Parts {
    fn read(der: &[u8]) -> Result<Self> {
        let place = |inner: &[u8]| asn1::range_within(der, inner);
        let mut certificate = asn1::only(der, asn1::SEQUENCE)?.children();
        let to_be_signed = certificate.take(asn1::SEQUENCE)?;
        let outer_algorithm = certificate.take(asn1::SEQUENCE)?;
        let signature = certificate.take(asn1::BIT_STRING)?.whole_bits()?;
        certificate.finish()?;

        let mut fields = to_be_signed.children();
        fields.optional(asn1::constructed(0))?;
        let serial = fields.take(asn1::INTEGER)?.value;
        let algorithm = fields.take(asn1::SEQUENCE)?;
        let issuer = fields.take(asn1::SEQUENCE)?;
        let (not_before, not_after) = read_validity(fields.enter(asn1::SEQUENCE)?)?;
        let subject = fields.take(asn1::SEQUENCE)?;
        let spki = fields.take(asn1::SEQUENCE)?;
        // RFC 5280, 4.1.1.2: the algorithm that was signed must be the one that is used.
        if algorithm.raw != outer_algorithm.raw {
            return Err(Error::Malformed("certificate: it names two signature algorithms"));
        }
        Ok(Parts {
            to_be_signed: place(to_be_signed.raw),
            serial: place(serial),
            issuer: place(issuer.raw),
            subject: place(subject.raw),
            spki: place(spki.raw),
            algorithm: place(algorithm.raw),
            signature: place(signature),
            subject_name: Name::read(subject)?,
            not_before,
            not_after,
            extensions: read_extensions(fields)?,
            fingerprint: Fingerprint(hash::sha256(der)),
        })
    }
}

fn read_validity(mut validity: Reader<'_>) -> Result<(SystemTime, SystemTime)> {
    let not_before = asn1::time::read(validity.any()?)?;
    let not_after = asn1::time::read(validity.any()?)?;
    validity.finish()?;
    Ok((not_before, not_after))
}

/// What follows the key: two unique ids that nobody uses, then the extensions.
fn read_extensions(mut fields: Reader<'_>) -> Result<Extensions> {
    for unique_id in [1, 2] {
        fields.optional(asn1::implicit(unique_id))?;
    }
    let extensions = match fields.optional(asn1::constructed(3))? {
        Some(Element { value, .. }) => Extensions::read(asn1::only(value, asn1::SEQUENCE)?)?,
        None => Extensions::default(),
    };
    fields.finish()?;
    Ok(extensions)
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// Exactly 64 hexadecimal digits, in either case.
    fn from_str(text: &str) -> Result<Self> {
        let mut fingerprint = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::Malformed("fingerprint"));
        }
        for (byte, digits) in fingerprint.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default();
            *byte = u8::try_from(digit(digits[0]) * 16 + digit(digits[1])).unwrap_or_default();
        }
        Ok(Fingerprint(fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::{authority, change, changes, flipped, issue, now, p256_stranger, truncated};
    use crate::server_tls::TlsAuthority;

    #[test]
    fn a_certificate_survives_its_text_form() {
        let (_, one) = p256_stranger();
        let (_, two) = p256_stranger();
        let text = format!("{}{}", one.to_pem(), two.to_pem());
        assert_eq!(Certificate::from_pem(&text).unwrap(), one);
        assert_eq!(Certificate::all_from_pem(&text).unwrap(), [one, two]);
        assert!(Certificate::from_pem("").is_err());
    }

    #[test]
    fn a_fingerprint_survives_its_text_form() {
        let (_, certificate) = p256_stranger();
        let fingerprint = certificate.fingerprint();
        let text = fingerprint.to_string();
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(text.to_uppercase().parse(), Ok(fingerprint));
        for wrong in ["", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "g"), &"é".repeat(32)] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_namesake_is_not_the_issuer() {
        let (one, other) =
            (TlsAuthority::generate("same", now()).unwrap(), TlsAuthority::generate("same", now()).unwrap());
        let (leaf, _) = one.issue_signer("leaf", now()).unwrap();
        assert!(leaf.is_issued_by(one.certificate()));
        assert!(!leaf.is_issued_by(other.certificate()));
        assert!(!one.certificate().is_issued_by(&leaf));
    }

    #[test]
    fn another_name_is_not_the_issuer() {
        let authority = TlsAuthority::generate("one", now()).unwrap();
        let (leaf, _) = authority.issue_signer("leaf", now()).unwrap();
        let pkcs8 = authority.key().to_pkcs8().unwrap();
        let same_key = crate::keys::PrivateKey::from_pkcs8(&pkcs8).unwrap();
        let other_name = crate::scep::client::self_signed(&same_key, "other", now()).unwrap();
        assert!(!leaf.is_issued_by(&other_name));
    }

    #[test]
    fn no_byte_may_change() {
        let authority = TlsAuthority::generate("one", now()).unwrap();
        let (leaf, _) = authority.issue_signer("leaf", now()).unwrap();
        for changed in flipped(leaf.der()) {
            let believed =
                Certificate::from_der(&changed).is_ok_and(|it| it.is_issued_by(authority.certificate()));
            assert!(!believed);
        }
        assert!(truncated(leaf.der()).all(|cut| Certificate::from_der(cut).is_err()));
    }

    #[test]
    fn what_a_certificate_says_is_read() {
        let authority = authority();
        let (key, _) = p256_stranger();
        let leaf = issue(&authority, &key);
        assert_eq!(leaf.subject_common_name(), Some("enrollment"));
        assert_eq!(leaf.subject_organization(), Some("tenant"));
        assert_eq!(leaf.subject_user_id(), None);
        assert_eq!(leaf.subject().to_string(), "O=tenant,CN=enrollment");
        assert_eq!(leaf.serial_number(), [7; 16]);
        assert!(leaf.allows_client_auth() && !leaf.is_ca());
        assert!(authority.certificate().is_ca());
        assert!(format!("{leaf:?}").starts_with("Certificate(O=tenant,CN=enrollment, "));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Certificate::from_der(&bytes).is_err());
        }

        #[test]
        fn changed_certificates_never_panic(changes in changes()) {
            let (_, certificate) = p256_stranger();
            let mut der = certificate.der().to_vec();
            change(&mut der, changes);
            if let Ok(changed) = Certificate::from_der(&der) {
                let _ = (changed.is_issued_by(&certificate), format!("{changed:?}"));
            }
        }
    }
}
