//! Public keys as certificates carry them, and the check of what was signed with their private half.

use aws_lc_rs::signature::{self as algorithms, UnparsedPublicKey, VerificationAlgorithm};

use crate::asn1::{self, ObjectIdentifier};
use crate::{Error, Hash, Result, oid};

/// How the point of an uncompressed public key begins (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 0x04;

/// A public key that can be checked against: RSA, or ECDSA on one of the NIST curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublicKey<'a> {
    /// `RSAPublicKey`, in DER.
    Rsa(&'a [u8]),
    /// A curve and the point on it.
    Ec(Curve, &'a [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

/// How short an RSA key may be. Elliptic curves are always long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// 2048 bits: for all that we issue certificates for.
    Today,
    /// 1024 bits, for what others issued: Apple's factory certificates have no more.
    Legacy,
}

/// What an algorithm identifier says of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignatureAlgorithm {
    rsa: bool,
    /// `None` where only the kind of key is named, as CMS allows.
    pub(crate) hash: Option<Hash>,
}

impl SignatureAlgorithm {
    /// Reads an `AlgorithmIdentifier`; its parameters are NULL or absent in all that we know.
    pub(crate) fn read(algorithm: asn1::Element<'_>) -> Result<Self> {
        let (rsa, hash) = match algorithm.children().object_identifier()? {
            oid::RSA => (true, None),
            oid::SHA1_WITH_RSA => (true, Some(Hash::Sha1)),
            oid::SHA256_WITH_RSA => (true, Some(Hash::Sha256)),
            oid::SHA384_WITH_RSA => (true, Some(Hash::Sha384)),
            oid::SHA512_WITH_RSA => (true, Some(Hash::Sha512)),
            oid::EC => (false, None),
            oid::ECDSA_SHA1 => (false, Some(Hash::Sha1)),
            oid::ECDSA_SHA256 => (false, Some(Hash::Sha256)),
            oid::ECDSA_SHA384 => (false, Some(Hash::Sha384)),
            oid::ECDSA_SHA512 => (false, Some(Hash::Sha512)),
            _ => return Err(Error::Unsupported("signature algorithm")),
        };
        Ok(SignatureAlgorithm { rsa, hash })
    }
}

impl<'a> PublicKey<'a> {
    /// Reads a `SubjectPublicKeyInfo`, in DER.
    pub(crate) fn read(spki: &'a [u8]) -> Result<Self> {
        let mut info = asn1::only(spki, asn1::SEQUENCE)?.children();
        let mut algorithm = info.enter(asn1::SEQUENCE)?;
        let bits = info.take(asn1::BIT_STRING)?.whole_bits()?;
        info.finish()?;
        match algorithm.object_identifier()? {
            oid::RSA => Ok(PublicKey::Rsa(bits)),
            oid::EC => {
                let curve = Curve::from_oid(&algorithm.object_identifier()?)?;
                // The same point has several spellings; RFC 5480 asks for this one.
                if bits.first() != Some(&UNCOMPRESSED) {
                    return Err(Error::Unsupported("elliptic curve point that is not uncompressed"));
                }
                Ok(PublicKey::Ec(curve, bits))
            }
            _ => Err(Error::Unsupported("public key")),
        }
    }

    pub(crate) fn is_rsa(&self) -> bool {
        matches!(self, PublicKey::Rsa(_))
    }

    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// [`Error::Signature`] where it does not fit, the key is too short or its kind is not the algorithm's.
    pub(crate) fn verify(
        &self,
        (algorithm, hash): (SignatureAlgorithm, Hash),
        strength: Strength,
        message: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        if algorithm.rsa != self.is_rsa() {
            return Err(Error::Signature);
        }
        let (verification, key): (&dyn VerificationAlgorithm, _) = match *self {
            PublicKey::Rsa(key) => (rsa_verification(hash, strength)?, key),
            PublicKey::Ec(curve, point) => (ecdsa_verification(curve, hash)?, point),
        };
        UnparsedPublicKey::new(verification, key).verify(message, signature).map_err(|_| Error::Signature)
    }
}

impl Curve {
    fn from_oid(identifier: &ObjectIdentifier) -> Result<Self> {
        match *identifier {
            oid::P256 => Ok(Curve::P256),
            oid::P384 => Ok(Curve::P384),
            oid::P521 => Ok(Curve::P521),
            _ => Err(Error::Unsupported("elliptic curve")),
        }
    }
}

fn rsa_verification(hash: Hash, strength: Strength) -> Result<&'static algorithms::RsaParameters> {
    Ok(match (hash, strength) {
        (Hash::Sha1, Strength::Legacy) => &algorithms::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Hash::Sha1, Strength::Today) => &algorithms::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Hash::Sha256, Strength::Legacy) => &algorithms::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (Hash::Sha256, Strength::Today) => &algorithms::RSA_PKCS1_2048_8192_SHA256,
        (Hash::Sha384, _) => &algorithms::RSA_PKCS1_2048_8192_SHA384,
        (Hash::Sha512, Strength::Legacy) => &algorithms::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (Hash::Sha512, Strength::Today) => &algorithms::RSA_PKCS1_2048_8192_SHA512,
    })
}

fn ecdsa_verification(curve: Curve, hash: Hash) -> Result<&'static algorithms::EcdsaVerificationAlgorithm> {
    Ok(match (curve, hash) {
        (Curve::P256, Hash::Sha1) => &algorithms::ECDSA_P256_SHA1_ASN1,
        (Curve::P256, Hash::Sha256) => &algorithms::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &algorithms::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &algorithms::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha1) => return Err(Error::Unsupported("digest for this curve")),
        (Curve::P384, Hash::Sha256) => &algorithms::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &algorithms::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &algorithms::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha1) => &algorithms::ECDSA_P521_SHA1_ASN1,
        (Curve::P521, Hash::Sha256) => &algorithms::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &algorithms::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &algorithms::ECDSA_P521_SHA512_ASN1,
    })
}
