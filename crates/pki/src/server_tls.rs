//! A TLS CA of our own, for servers that have no certificate from anybody else, and for signing profiles.

use std::time::SystemTime;

use crate::certificate::Certificate;
use crate::extensions::{self, write as extension};
use crate::keys::{PrivateKey, Signer};
use crate::name::Name;
use crate::template::{self, Template};
use crate::{Error, Result, oid, random};

/// Ten years.
const AUTHORITY_DAYS: u64 = 10 * 365 + 2;

/// With the day before now 397 days: Apple's devices accept 398 from public CAs, and browsers may come to ask
/// the same of private ones.
const LEAF_DAYS: u64 = 396;

/// A CA on P-256 for our own servers. Devices trust it because the enrollment profile carries it.
#[derive(Debug)]
pub struct TlsAuthority {
    certificate: Certificate,
    key: PrivateKey,
}

impl TlsAuthority {
    /// Makes a new CA: P-256, ten years, back-dated by a day.
    ///
    /// # Errors
    /// [`Error::Crypto`] where randomness fails.
    pub fn generate(name: &str, now: SystemTime) -> Result<Self> {
        let key = PrivateKey::generate_p256()?;
        let (not_before, not_after) = template::validity(now, AUTHORITY_DAYS)?;
        let usage = extensions::KEY_CERT_SIGN | extensions::CRL_SIGN;
        let certificate = Template {
            serial: random::serial()?,
            subject: &Name::new(&template::clipped(name)),
            not_before,
            not_after,
            spki: key.public_spki(),
            extensions: vec![extension::authority_constraints(0), extension::key_usage(usage)],
        }
        .self_sign(&key)?;
        Ok(TlsAuthority { certificate, key })
    }

    /// Takes up a CA that was made before.
    ///
    /// # Errors
    /// [`Error::Refused`] where the key is not the certificate's, or the certificate is no CA.
    pub fn load(certificate: Certificate, key: PrivateKey) -> Result<Self> {
        if !key.belongs_to(certificate.public_key_spki()) {
            return Err(Error::Refused("the key is not that of the CA certificate"));
        }
        if !certificate.is_ca() {
            return Err(Error::Refused("the certificate is not a CA that may sign certificates"));
        }
        Ok(TlsAuthority { certificate, key })
    }

    /// The root that clients have to trust.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The CA's key, to be stored.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Makes a certificate and its key for a server that is reached under `names` (DNS names or IP
    /// addresses): P-256, 397 days of which one is past.
    ///
    /// # Errors
    /// [`Error::Refused`] for no name, or one that is neither.
    pub fn issue_server(&self, names: &[String], now: SystemTime) -> Result<(Certificate, PrivateKey)> {
        let alternatives = extension::subject_alt_name(names)?;
        let purpose = extension::extended_key_usage(oid::SERVER_AUTH);
        let common_name = names.first().map_or("", String::as_str);
        self.issue(common_name, vec![purpose, alternatives], now)
    }

    /// Makes a certificate and its key to sign profiles with, so that devices show them as verified: P-256,
    /// 397 days of which one is past.
    ///
    /// # Errors
    /// [`Error::Crypto`] where randomness fails.
    pub fn issue_signer(&self, name: &str, now: SystemTime) -> Result<(Certificate, PrivateKey)> {
        self.issue(name, vec![], now)
    }

    fn issue(&self, name: &str, purpose: Vec<Vec<u8>>, now: SystemTime) -> Result<(Certificate, PrivateKey)> {
        let key = PrivateKey::generate_p256()?;
        let (not_before, not_after) = template::validity(now, LEAF_DAYS)?;
        let mut extensions =
            vec![extension::leaf_constraints(), extension::key_usage(extensions::DIGITAL_SIGNATURE)];
        extensions.extend(purpose);
        let certificate = Template {
            serial: random::serial()?,
            subject: &Name::new(&template::clipped(name)),
            not_before,
            not_after,
            spki: key.public_spki(),
            extensions,
        }
        .issue(&self.certificate, &self.key)?;
        Ok((certificate, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{DAY, now, p256_stranger};

    #[test]
    fn a_server_certificate_is_for_servers_only() {
        let authority = TlsAuthority::generate("TLS CA", now()).unwrap();
        let names = ["mdm.example.org".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let (certificate, key) = authority.issue_server(&names, now()).unwrap();
        assert!(key.belongs_to(certificate.public_key_spki()));
        assert!(certificate.is_issued_by(authority.certificate()));
        assert!(certificate.extensions().allows_extended(oid::SERVER_AUTH));
        assert!(!certificate.allows_client_auth() && !certificate.is_ca());
        assert_eq!(certificate.subject_common_name(), Some("mdm.example.org"));
        assert_eq!(certificate.not_before(), now() - DAY);
        assert_eq!(certificate.not_after(), now() + 396 * DAY);
    }

    #[test]
    fn a_server_needs_names() {
        let authority = TlsAuthority::generate("TLS CA", now()).unwrap();
        assert!(authority.issue_server(&[], now()).is_err());
        assert!(authority.issue_server(&["not a name".to_owned()], now()).is_err());
    }

    #[test]
    fn a_ca_survives_being_stored() {
        let authority = TlsAuthority::generate(&"long ".repeat(30), now()).unwrap();
        let key = PrivateKey::from_pkcs8(&authority.key().to_pkcs8().unwrap()).unwrap();
        let again = TlsAuthority::load(authority.certificate().clone(), key).unwrap();
        let (certificate, _) = again.issue_signer("profiles", now()).unwrap();
        assert!(certificate.is_issued_by(authority.certificate()));

        let (other, leaf) = p256_stranger();
        assert!(TlsAuthority::load(authority.certificate().clone(), other).is_err());
        let (key, _) = p256_stranger();
        assert!(TlsAuthority::load(leaf, key).is_err());
    }
}
