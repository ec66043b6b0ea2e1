//! Requests for a certificate (PKCS#10, RFC 2986): read with all suspicion, and written for those who ask
//! others.

use std::fmt;

use crate::asn1::{self, Element, write};
use crate::keys::{self, Signer};
use crate::name::{self, Name};
use crate::public_key::{PublicKey, SignatureAlgorithm, Strength};
use crate::{Error, Hash, Result, ber, hash, oid, pem};

const PEM_LABEL: &str = "CERTIFICATE REQUEST";

/// A request whose own signature fits: its sender holds the key. Nothing else in it is believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Csr {
    der: Vec<u8>,
    spki: Vec<u8>,
    subject: Name,
    challenge_password: Option<String>,
}

impl Csr {
    /// Parses DER (or BER) and verifies the signature that the request makes over itself.
    ///
    /// # Errors
    /// [`Error::Malformed`] or [`Error::Unsupported`] for what cannot be read; [`Error::Signature`] where it
    /// does not fit, or the key is RSA of less than 2048 bits.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let der = ber::to_der(der)?.into_owned();
        let mut request = asn1::only(&der, asn1::SEQUENCE)?.children();
        let info = request.take(asn1::SEQUENCE)?;
        let algorithm = SignatureAlgorithm::read(request.take(asn1::SEQUENCE)?)?;
        let signature = request.take(asn1::BIT_STRING)?.whole_bits()?;
        request.finish()?;

        let mut fields = info.children();
        fields.take(asn1::INTEGER)?;
        let subject = Name::read(fields.take(asn1::SEQUENCE)?)?;
        let spki = fields.take(asn1::SEQUENCE)?.raw.to_vec();
        let challenge_password = match fields.optional(asn1::constructed(0))? {
            Some(attributes) => read_challenge_password(attributes)?,
            None => None,
        };
        fields.finish()?;
        let hash = algorithm.hash.ok_or(Error::Unsupported("signature algorithm"))?;
        PublicKey::read(&spki)?.verify((algorithm, hash), Strength::Today, info.raw, signature)?;
        Ok(Csr { spki, subject, challenge_password, der })
    }

    /// The first request of a PEM text.
    ///
    /// # Errors
    /// As [`Csr::from_der`]; also where there is none.
    pub fn from_pem(text: &str) -> Result<Self> {
        let blocks = pem::blocks(text)?;
        let is_request = |label: &str| label == PEM_LABEL || label == "NEW CERTIFICATE REQUEST";
        let block = blocks.iter().find(|block| is_request(block.label));
        Self::from_der(&block.ok_or(Error::Malformed("PEM: there is no certificate request in it"))?.der)
    }

    /// Asks for a certificate for `key`, with a challenge password where SCEP wants one.
    ///
    /// # Errors
    /// Those of the key.
    pub fn build(subject: &Name, challenge_password: Option<&str>, key: &dyn Signer) -> Result<Self> {
        let attributes = challenge_password.map(challenge_password_attribute).into_iter().collect();
        let info = write::sequence(&[
            &write::unsigned(&[0]),
            &subject.to_der(),
            key.public_spki(),
            &write::sorted(asn1::constructed(0), attributes),
        ]);
        let der = write::sequence(&[
            &info,
            &keys::signature_algorithm(key.kind(), Hash::Sha256),
            &write::bits(&key.sign(Hash::Sha256, &info)?),
        ]);
        Ok(Csr {
            der,
            spki: key.public_spki().to_vec(),
            subject: subject.clone(),
            challenge_password: challenge_password.map(str::to_owned),
        })
    }

    /// The request, in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The text form.
    pub fn to_pem(&self) -> String {
        pem::encode(PEM_LABEL, &self.der)
    }

    /// The SHA-256 of the DER: the same request, sent again, has the same.
    pub fn digest(&self) -> [u8; 32] {
        hash::sha256(&self.der)
    }

    /// The key, as `SubjectPublicKeyInfo` in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The name that the sender would like to have.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The secret by which SCEP recognizes who may ask, whatever string type it came in.
    pub fn challenge_password(&self) -> Option<&str> {
        self.challenge_password.as_deref()
    }
}

impl fmt::Debug for Csr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Csr({})", self.subject)
    }
}

/// The challenge password among the attributes (RFC 2985, 5.4.1). The other attributes ask for what we do not
/// give.
fn read_challenge_password(attributes: Element<'_>) -> Result<Option<String>> {
    let mut found = None;
    for attribute in attributes.children().rest()? {
        let mut parts = attribute.children();
        if parts.object_identifier()? != oid::CHALLENGE_PASSWORD {
            continue;
        }
        let mut values = parts.enter(asn1::SET)?;
        let password = name::string(values.any()?)?;
        values.finish()?;
        if found.replace(password).is_some() {
            return Err(Error::Malformed("request: it has two challenge passwords"));
        }
    }
    Ok(found)
}

fn challenge_password_attribute(password: &str) -> Vec<u8> {
    let tag = if name::is_printable_string(password) { asn1::PRINTABLE_STRING } else { asn1::UTF8_STRING };
    let value = write::element(tag, password.as_bytes());
    write::sequence(&[&write::oid(&oid::CHALLENGE_PASSWORD), &write::set(vec![value])])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keys::PrivateKey;

    #[test]
    fn a_request_survives_its_encoding() {
        for key in [PrivateKey::generate_rsa_2048().unwrap(), PrivateKey::generate_p256().unwrap()] {
            for password in [None, Some("secret"), Some("pässword")] {
                let csr = Csr::build(&Name::new("device").with_organization("o"), password, &key).unwrap();
                let read = Csr::from_der(csr.der()).unwrap();
                assert_eq!(read, csr);
                assert_eq!(read.challenge_password(), password);
                assert_eq!(Csr::from_pem(&csr.to_pem()).unwrap(), csr);
            }
        }
    }

    #[test]
    fn debug_does_not_show_the_password() {
        let key = PrivateKey::generate_p256().unwrap();
        let csr = Csr::build(&Name::new("device"), Some("secret"), &key).unwrap();
        assert_eq!(format!("{csr:?}"), "Csr(CN=device)");
    }

    #[test]
    fn no_byte_may_change() {
        let key = PrivateKey::generate_p256().unwrap();
        let csr = Csr::build(&Name::new("device"), Some("secret"), &key).unwrap();
        for index in 0..csr.der().len() {
            let mut changed = csr.der().to_vec();
            changed[index] ^= 0x01;
            assert!(Csr::from_der(&changed).is_err(), "byte {index}");
            assert!(Csr::from_der(&csr.der()[..index]).is_err());
        }
    }

    #[test]
    fn two_passwords_are_one_too_many() {
        let key = PrivateKey::generate_p256().unwrap();
        let attributes = vec![challenge_password_attribute("a"), challenge_password_attribute("b")];
        let info = write::sequence(&[
            &write::unsigned(&[0]),
            &Name::new("x").to_der(),
            key.public_spki(),
            &write::sorted(asn1::constructed(0), attributes),
        ]);
        let algorithm = keys::signature_algorithm(key.kind(), Hash::Sha256);
        let signature = write::bits(&key.sign(Hash::Sha256, &info).unwrap());
        let der = write::sequence(&[&info, &algorithm, &signature]);
        assert_eq!(Csr::from_der(&der), Err(Error::Malformed("request: it has two challenge passwords")));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Csr::from_der(&bytes).is_err());
        }
    }
}
