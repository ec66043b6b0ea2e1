//! The digests that messages may be signed with.

use aws_lc_rs::digest;

use crate::asn1::{ObjectIdentifier, write};
use crate::{Error, Result, oid};

/// A digest algorithm, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hash {
    /// Only to read what old clients send; see [`crate::keys::Signer`] for who can still sign with it.
    Sha1,
    /// What we sign with.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// SHA-256, the digest behind every fingerprint of ours.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(Hash::Sha256.digest(data).as_ref());
    out
}

impl Hash {
    pub(crate) fn digest(self, data: &[u8]) -> digest::Digest {
        digest::digest(self.algorithm(), data)
    }

    pub(crate) fn from_oid(identifier: &ObjectIdentifier) -> Result<Self> {
        match *identifier {
            oid::SHA1 => Ok(Hash::Sha1),
            oid::SHA256 => Ok(Hash::Sha256),
            oid::SHA384 => Ok(Hash::Sha384),
            oid::SHA512 => Ok(Hash::Sha512),
            _ => Err(Error::Unsupported("digest algorithm")),
        }
    }

    /// `DigestAlgorithmIdentifier`: without parameters, as RFC 5754 asks.
    pub(crate) fn to_der(self) -> Vec<u8> {
        let identifier = match self {
            Hash::Sha1 => oid::SHA1,
            Hash::Sha256 => oid::SHA256,
            Hash::Sha384 => oid::SHA384,
            Hash::Sha512 => oid::SHA512,
        };
        write::algorithm(&identifier, false)
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        }
    }
}
