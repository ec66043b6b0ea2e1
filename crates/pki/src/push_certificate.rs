//! Apple's MDM push certificate: its topic, its dates, and how one is asked for.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::Certificate;
use crate::csr::Csr;
use crate::extensions::{self, write as extension};
use crate::keys::{PrivateKey, Signer};
use crate::name::{self, Name};
use crate::template::{self, Template};
use crate::{Error, Hash, Result, oid, random};

/// What every topic of MDM begins with.
pub const TOPIC_PREFIX: &str = "com.apple.mgmt.";

/// A push certificate with the key that belongs to it.
#[derive(Debug)]
pub struct PushCertificate {
    certificate: Certificate,
    key: PrivateKey,
    topic: String,
}

impl PushCertificate {
    /// Reads a push certificate: the first of the PEM text (what follows is its chain) and its key.
    ///
    /// # Errors
    /// As [`PushCertificate::new`], and where the texts cannot be read.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self> {
        Self::new(Certificate::from_pem(certificate)?, PrivateKey::from_pem(key)?)
    }

    /// Takes a certificate for a push certificate. It may be expired: that is the caller's to say.
    ///
    /// # Errors
    /// [`Error::Refused`] where its subject has no user id (UID) that is a topic of MDM, or the key is
    /// another's.
    pub fn new(certificate: Certificate, key: PrivateKey) -> Result<Self> {
        let topic = topic_of(&certificate)?.to_owned();
        if !key.belongs_to(certificate.public_key_spki()) {
            return Err(Error::Refused("the key is not that of the push certificate"));
        }
        Ok(PushCertificate { certificate, key, topic })
    }

    /// Makes one that no push server of Apple's would take, for demonstrations and tests: self-signed, a
    /// year.
    ///
    /// # Errors
    /// [`Error::Refused`] for a topic that is none.
    pub fn pretend(topic: &str, now: SystemTime) -> Result<Self> {
        let key = PrivateKey::generate_p256()?;
        let (not_before, not_after) = template::validity(now, 365)?;
        let certificate = Template {
            serial: random::serial()?,
            subject: &Name::new("Pretend push certificate").with_user_id(topic),
            not_before,
            not_after,
            spki: key.public_spki(),
            extensions: vec![
                extension::leaf_constraints(),
                extension::key_usage(extensions::DIGITAL_SIGNATURE),
                extension::extended_key_usage(oid::CLIENT_AUTH),
            ],
        }
        .self_sign(&key)?;
        Self::new(certificate, key)
    }

    /// The topic that devices enroll with, such as `com.apple.mgmt.External.…`; a renewed certificate has the
    /// same.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The last second in which Apple takes it.
    pub fn not_after(&self) -> SystemTime {
        self.certificate.not_after()
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }
}

/// The topic of a push certificate, without its key.
///
/// # Errors
/// [`Error::Refused`] where it has none.
pub fn topic_of(certificate: &Certificate) -> Result<&str> {
    let topic = certificate
        .subject_user_id()
        .ok_or(Error::Refused("not a push certificate: it has no topic (UID)"))?;
    let rest = topic.strip_prefix(TOPIC_PREFIX).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if rest.is_empty() || topic.len() > 255 || !rest.bytes().all(plain) {
        return Err(Error::Refused(
            "not an MDM push certificate: its topic does not begin with com.apple.mgmt.",
        ));
    }
    Ok(topic)
}

/// Makes the key and the request for a new push certificate: RSA of 2048 bits, as Apple asks.
///
/// # Errors
/// [`Error::Refused`] for a name that is empty or too long.
pub fn request(common_name: &str, email_address: &str, country: &str) -> Result<(Csr, PrivateKey)> {
    if common_name.is_empty() || common_name.chars().count() > name::MAX_PART {
        return Err(Error::Refused("a common name has 1 to 64 characters"));
    }
    let key = PrivateKey::generate_rsa_2048()?;
    let mut subject = Name::new(common_name);
    if !email_address.is_empty() {
        subject = subject.with_email_address(email_address);
    }
    if !country.is_empty() {
        subject = subject.with_country(country);
    }
    Ok((Csr::build(&subject, None, &key)?, key))
}

/// Signs a request as an MDM vendor: the file that Apple's push certificate portal takes, which is the Base64
/// of a plist with `PushCertRequestCSR`, `PushCertCertificateChain` and `PushCertSignature`.
///
/// `vendor_chain` begins with the vendor's own certificate and ends with Apple's root.
///
/// # Errors
/// [`Error::Refused`] where the chain is empty or the key is not that of its first certificate;
/// [`Error::Unsupported`] where the key is not RSA.
pub fn vendor_request(csr: &Csr, vendor_chain: &[Certificate], vendor_key: &PrivateKey) -> Result<Vec<u8>> {
    let vendor = vendor_chain.first().ok_or(Error::Refused("the vendor's certificate chain is empty"))?;
    if !vendor_key.belongs_to(vendor.public_key_spki()) {
        return Err(Error::Refused("the key is not that of the vendor's certificate"));
    }
    if !matches!(vendor_key, PrivateKey::Rsa(_)) {
        return Err(Error::Unsupported("vendor key: Apple takes RSA only"));
    }
    let signature = vendor_key.sign(Hash::Sha256, csr.der())?;
    let chain: String = vendor_chain.iter().map(Certificate::to_pem).collect();
    let plist = plist(&[
        ("PushCertCertificateChain", &chain),
        ("PushCertRequestCSR", &STANDARD.encode(csr.der())),
        ("PushCertSignature", &STANDARD.encode(signature)),
    ]);
    Ok(STANDARD.encode(plist).into_bytes())
}

fn plist(entries: &[(&str, &str)]) -> String {
    let mut xml = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" ",
        "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n",
        "<plist version=\"1.0\">\n<dict>\n",
    ));
    for (key, value) in entries {
        xml.push_str(&format!("\t<key>{}</key>\n\t<string>{}</string>\n", escaped(key), escaped(value)));
    }
    xml.push_str("</dict>\n</plist>\n");
    xml
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{now, p256_stranger, rsa_stranger};

    const TOPIC: &str = "com.apple.mgmt.External.0a1b";

    #[test]
    fn a_pretend_certificate_has_its_topic() {
        let pretend = PushCertificate::pretend(TOPIC, now()).unwrap();
        assert_eq!(pretend.topic(), TOPIC);
        let (certificate, key) = (pretend.certificate().to_pem(), pretend.key().to_pem().unwrap());
        let again = PushCertificate::from_pem(&certificate, &key).unwrap();
        assert_eq!((again.topic(), again.not_after()), (TOPIC, pretend.not_after()));
    }

    #[test]
    fn topics_that_are_none_are_refused() {
        for topic in ["", "com.example.app", "com.apple.mgmt.", "com.apple.mgmt.a b", "com.apple.mgmt.é"] {
            assert!(PushCertificate::pretend(topic, now()).is_err(), "{topic}");
        }
        let (key, no_topic) = p256_stranger();
        assert!(PushCertificate::new(no_topic, key).is_err());
    }

    #[test]
    fn the_key_of_another_is_refused() {
        let pretend = PushCertificate::pretend(TOPIC, now()).unwrap();
        let (other, _) = p256_stranger();
        assert!(PushCertificate::new(pretend.certificate().clone(), other).is_err());
    }

    #[test]
    fn a_vendor_signs_the_bytes_of_the_request() {
        let (csr, _) = request("Push & more", "it@example.org", "DE").unwrap();
        let (vendor_key, vendor) = rsa_stranger();
        let file = vendor_request(&csr, std::slice::from_ref(&vendor), &vendor_key).unwrap();
        let plist = String::from_utf8(STANDARD.decode(file).unwrap()).unwrap();
        let value = |key: &str| {
            let (_, after) = plist.split_once(&format!("<key>{key}</key>\n\t<string>")).unwrap();
            after.split_once("</string>").unwrap().0.to_owned()
        };
        assert_eq!(STANDARD.decode(value("PushCertRequestCSR")).unwrap(), csr.der());
        assert_eq!(value("PushCertCertificateChain"), vendor.to_pem());
        let signature = STANDARD.decode(value("PushCertSignature")).unwrap();
        assert_eq!(signature, vendor_key.sign(Hash::Sha256, csr.der()).unwrap());
    }

    #[test]
    fn a_vendor_needs_its_own_rsa_key() {
        let (csr, _) = request("Push", "", "").unwrap();
        let ((one, vendor), (other, _)) = (rsa_stranger(), rsa_stranger());
        assert!(vendor_request(&csr, std::slice::from_ref(&vendor), &other).is_err());
        assert!(vendor_request(&csr, &[], &one).is_err());
        let (p256, p256_vendor) = p256_stranger();
        assert!(vendor_request(&csr, &[p256_vendor], &p256).is_err());
        assert!(request("", "", "").is_err());
    }

    #[test]
    fn plist_text_is_escaped() {
        assert!(plist(&[("a", "<&>")]).contains("<string>&lt;&amp;&gt;</string>"));
    }
}
