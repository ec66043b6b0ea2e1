//! The device CA: it says who a device is, and its certificate is what SCEP messages are sealed for.

use std::time::SystemTime;

use crate::certificate::Certificate;
use crate::extensions::{self, write as extension};
use crate::keys::{PrivateKey, Signer};
use crate::name::{self, Name};
use crate::template::{self, Template};
use crate::{Error, Result, oid, random};

/// Twenty years: as long as any device that trusts it will live.
const VALID_DAYS: u64 = 20 * 365 + 5;

/// The device CA, which is its own SCEP registration authority: one RSA certificate and its key.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    key: PrivateKey,
}

/// What we say of a device in its certificate; all of it comes from us, nothing from the request but the key.
#[derive(Debug, Clone)]
pub struct Identity<'a> {
    /// The device's key, as `SubjectPublicKeyInfo` in DER: [`crate::csr::Csr::spki`] of a verified request.
    pub spki: &'a [u8],
    /// At most 64 characters.
    pub common_name: &'a str,
    /// At most 64 characters.
    pub organization: &'a str,
    /// Big-endian, read as a positive number; not zero, and unique for the CA.
    pub serial: [u8; 16],
    /// The caller dates it back, for devices whose clocks are behind.
    pub not_before: SystemTime,
    /// Must come after `not_before`.
    pub not_after: SystemTime,
}

impl Authority {
    /// Makes a new CA: RSA of 3072 bits, twenty years, back-dated by a day. Takes some 200 ms.
    ///
    /// # Errors
    /// [`Error::Crypto`] where randomness fails.
    pub fn generate(name: &str, now: SystemTime) -> Result<Self> {
        Self::with_key(name, PrivateKey::generate_rsa_3072()?, now)
    }

    /// As [`Authority::generate`], with a key that is there already.
    ///
    /// # Errors
    /// [`Error::Refused`] where the key is not RSA.
    pub fn with_key(name: &str, key: PrivateKey, now: SystemTime) -> Result<Self> {
        let usage = extensions::KEY_CERT_SIGN
            | extensions::CRL_SIGN
            | extensions::DIGITAL_SIGNATURE
            | extensions::KEY_ENCIPHERMENT;
        let (not_before, not_after) = template::validity(now, VALID_DAYS)?;
        let certificate = Template {
            serial: random::serial()?,
            subject: &Name::new(&template::clipped(name)),
            not_before,
            not_after,
            spki: key.public_spki(),
            extensions: vec![extension::authority_constraints(0), extension::key_usage(usage)],
        }
        .self_sign(&key)?;
        Self::load(certificate, key)
    }

    /// Takes up a CA that was made before, or elsewhere.
    ///
    /// # Errors
    /// [`Error::Refused`] where the key is not the certificate's, the certificate is no CA, or the key is not
    /// RSA (which SCEP's envelopes need).
    pub fn load(certificate: Certificate, key: PrivateKey) -> Result<Self> {
        if !matches!(key, PrivateKey::Rsa(_)) {
            return Err(Error::Refused("the device CA needs an RSA key: SCEP messages are sealed for it"));
        }
        if !key.belongs_to(certificate.public_key_spki()) {
            return Err(Error::Refused("the key is not that of the CA certificate"));
        }
        if !certificate.is_ca() {
            return Err(Error::Refused("the certificate is not a CA that may sign certificates"));
        }
        Ok(Authority { certificate, key })
    }

    /// The CA's certificate: what SCEP's `GetCACert` answers, and what device certificates are judged by.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The CA's key, to be stored and to sign and open SCEP messages with; it serves nothing else.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Makes a device certificate: never a CA, for TLS clients and signed requests only.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name that is empty or too long, a serial number of zero, or dates the wrong
    /// way round; [`Error::Malformed`] or [`Error::Unsupported`] for a key that nobody could verify with.
    pub fn issue(&self, identity: &Identity<'_>) -> Result<Certificate> {
        check_length(identity.common_name)?;
        check_length(identity.organization)?;
        crate::public_key::PublicKey::read(identity.spki)?;
        let usage = extensions::DIGITAL_SIGNATURE | extensions::KEY_ENCIPHERMENT;
        Template {
            serial: identity.serial,
            subject: &Name::new(identity.common_name).with_organization(identity.organization),
            not_before: identity.not_before,
            not_after: identity.not_after,
            spki: identity.spki,
            extensions: vec![
                extension::leaf_constraints(),
                extension::key_usage(usage),
                extension::extended_key_usage(oid::CLIENT_AUTH),
            ],
        }
        .issue(&self.certificate, &self.key)
    }
}

fn check_length(part: &str) -> Result<()> {
    if part.is_empty() || part.chars().count() > name::MAX_PART {
        return Err(Error::Refused("a common name and an organization have 1 to 64 characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{DAY, authority, now, p256_stranger, rsa_stranger};

    fn identity(spki: &[u8]) -> Identity<'_> {
        Identity {
            spki,
            common_name: "enrollment",
            organization: "tenant",
            serial: [0xff; 16],
            not_before: now() - DAY,
            not_after: now() + DAY,
        }
    }

    #[test]
    fn a_ca_lives_for_twenty_years_from_yesterday() {
        let authority = Authority::generate("Device CA", now()).unwrap();
        let certificate = authority.certificate();
        assert_eq!(certificate.not_before(), now() - DAY);
        assert!(certificate.not_after() > now() + 20 * 365 * DAY);
        assert!(certificate.is_ca() && certificate.is_issued_by(certificate));
    }

    #[test]
    fn a_ca_survives_being_stored() {
        let authority = authority();
        let key = PrivateKey::from_pkcs8(&authority.key().to_pkcs8().unwrap()).unwrap();
        let again =
            Authority::load(Certificate::from_der(authority.certificate().der()).unwrap(), key).unwrap();
        let (device, _) = p256_stranger();
        let leaf = again.issue(&identity(device.public_spki())).unwrap();
        assert!(leaf.is_issued_by(authority.certificate()));
    }

    #[test]
    fn what_is_no_device_ca_is_not_loaded() {
        let authority = authority();
        let (other_key, leaf) = rsa_stranger();
        assert!(Authority::load(authority.certificate().clone(), other_key).is_err(), "another's key");
        let (p256_key, p256_leaf) = p256_stranger();
        assert!(Authority::load(p256_leaf, p256_key).is_err(), "no RSA");
        let leaf_key = rsa_stranger();
        assert!(Authority::load(leaf_key.1, leaf_key.0).is_err(), "no CA");
        assert!(!leaf.is_ca());
        assert!(Authority::with_key("Device CA", PrivateKey::generate_p256().unwrap(), now()).is_err());
    }

    #[test]
    fn serial_numbers_are_positive() {
        let authority = authority();
        let (device, _) = p256_stranger();
        let leaf = authority.issue(&identity(device.public_spki())).unwrap();
        assert_eq!(leaf.serial_number()[..2], [0, 0xff]);
        let zero = Identity { serial: [0; 16], ..identity(device.public_spki()) };
        assert!(authority.issue(&zero).is_err());
    }

    #[test]
    fn nonsense_is_not_certified() {
        let authority = authority();
        let (device, _) = p256_stranger();
        let (spki, long) = (device.public_spki(), "x".repeat(65));
        for wrong in [
            Identity { common_name: "", ..identity(spki) },
            Identity { common_name: &long, ..identity(spki) },
            Identity { organization: &long, ..identity(spki) },
            Identity { not_after: now() - 2 * DAY, ..identity(spki) },
            Identity { spki: b"", ..identity(spki) },
        ] {
            assert!(authority.issue(&wrong).is_err(), "{wrong:?}");
        }
    }
}
