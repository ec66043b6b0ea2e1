//! How all of our certificates are put together: every field is ours, nothing comes from a request but the
//! key.

use std::time::{Duration, SystemTime};

use crate::asn1::{self, write};
use crate::certificate::Certificate;
use crate::extensions::write as extension;
use crate::keys::{self, Signer};
use crate::name::Name;
use crate::{Error, Hash, Result};

/// How long before now our own certificates begin to be valid: clocks are wrong by up to a day.
pub(crate) const BACK_DATED: Duration = Duration::from_hours(24);

/// A certificate that is still to be signed.
pub(crate) struct Template<'a> {
    pub(crate) serial: [u8; 16],
    pub(crate) subject: &'a Name,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
    /// The subject's key, as `SubjectPublicKeyInfo` in DER.
    pub(crate) spki: &'a [u8],
    /// Without the key identifiers, which are added.
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl Template<'_> {
    /// Makes a certificate that `issuer` answers for.
    pub(crate) fn issue(self, issuer: &Certificate, key: &dyn Signer) -> Result<Certificate> {
        let authority = issuer.extensions().subject_key_identifier.as_deref();
        self.sign(issuer.subject_der(), authority, key)
    }

    /// Makes a certificate that only answers for itself.
    pub(crate) fn self_sign(self, key: &dyn Signer) -> Result<Certificate> {
        let name = self.subject.to_der();
        self.sign(&name, None, key)
    }

    fn sign(self, issuer: &[u8], authority: Option<&[u8]>, key: &dyn Signer) -> Result<Certificate> {
        if self.serial == [0; 16] || self.not_before >= self.not_after {
            return Err(Error::Refused("a certificate needs a serial number and must end after it begins"));
        }
        let algorithm = keys::signature_algorithm(key.kind(), Hash::Sha256);
        let mut extensions = self.extensions;
        extensions.push(extension::subject_key_identifier(&extension::key_identifier(self.spki)?));
        extensions.extend(authority.map(extension::authority_key_identifier));
        let to_be_signed = write::sequence(&[
            &write::wrap(asn1::constructed(0), &[&write::unsigned(&[2])]),
            &write::unsigned(&self.serial),
            &algorithm,
            issuer,
            &write::sequence(&[&asn1::time::to_der(self.not_before)?, &asn1::time::to_der(self.not_after)?]),
            &self.subject.to_der(),
            self.spki,
            &write::wrap(asn1::constructed(3), &[&write::sequence(&[&extensions.concat()])]),
        ]);
        let signature = key.sign(Hash::Sha256, &to_be_signed)?;
        Certificate::from_der(&write::sequence(&[&to_be_signed, &algorithm, &write::bits(&signature)]))
    }
}

/// The validity of a certificate of ours that is made now: back-dated by a day.
pub(crate) fn validity(now: SystemTime, days: u64) -> Result<(SystemTime, SystemTime)> {
    const OUT_OF_RANGE: Error = Error::Refused("a certificate's time is out of range");
    let begin = now.checked_sub(BACK_DATED).ok_or(OUT_OF_RANGE)?;
    let end = now.checked_add(Duration::from_hours(24 * days)).ok_or(OUT_OF_RANGE)?;
    Ok((begin, end))
}

/// As much of `name` as fits into a common name.
pub(crate) fn clipped(name: &str) -> String {
    name.chars().take(crate::name::MAX_PART).collect()
}
