//! Private keys: parsed once, used often, never shown.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use aws_lc_rs::{digest, signature};
use zeroize::Zeroizing;

use crate::asn1::write;
use crate::public_key::PublicKey;
use crate::{Error, Hash, Result, oid, pem};

/// The kinds of keys that we hold ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2048 bits or more, with PKCS#1 v1.5.
    Rsa,
    /// ECDSA on P-256.
    P256,
}

/// What can sign. [`PrivateKey`] is the one that we use; a test may let another program sign in its place.
pub trait Signer {
    /// Which algorithm its signatures belong to.
    fn kind(&self) -> KeyKind;

    /// The public half, as `SubjectPublicKeyInfo` in DER.
    fn public_spki(&self) -> &[u8];

    /// Signs `message`, which is hashed here.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a digest that it cannot sign with.
    fn sign(&self, hash: Hash, message: &[u8]) -> Result<Vec<u8>>;
}

/// A private key. Its `Debug` shows the kind only.
pub enum PrivateKey {
    /// Signs, and decrypts what was sealed for it.
    Rsa(Box<RsaKey>),
    /// Signs.
    P256(Box<P256Key>),
}

/// An RSA private key, parsed for signing and for decrypting.
pub struct RsaKey {
    signing: rsa::KeyPair,
    decrypting: Pkcs1PrivateDecryptingKey,
    spki: Vec<u8>,
}

/// An ECDSA private key on P-256.
pub struct P256Key {
    signing: EcdsaKeyPair,
    spki: Vec<u8>,
}

impl PrivateKey {
    /// A new RSA key of 2048 bits: what devices use. Takes some 50 ms.
    ///
    /// # Errors
    /// [`Error::Crypto`], as the other generators, where randomness fails.
    pub fn generate_rsa_2048() -> Result<Self> {
        Self::rsa(rsa::KeyPair::generate(KeySize::Rsa2048)?)
    }

    /// A new RSA key of 3072 bits: what a CA of twenty years uses. Takes some 200 ms.
    ///
    /// # Errors
    /// As [`PrivateKey::generate_rsa_2048`].
    pub fn generate_rsa_3072() -> Result<Self> {
        Self::rsa(rsa::KeyPair::generate(KeySize::Rsa3072)?)
    }

    /// A new P-256 key, at once.
    ///
    /// # Errors
    /// As [`PrivateKey::generate_rsa_2048`].
    pub fn generate_p256() -> Result<Self> {
        Self::p256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?)
    }

    /// Reads an unencrypted PKCS#8 document: RSA of 2048 to 8192 bits, or P-256.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for everything else.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self> {
        if let Ok(key) = rsa::KeyPair::from_pkcs8(der) {
            return Self::rsa(key);
        }
        match EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der) {
            Ok(key) => Self::p256(key),
            Err(_) => Err(Error::Unsupported("private key: neither RSA of 2048 bits or more nor P-256")),
        }
    }

    /// Reads the first private key of a PEM text, in any of its three usual forms (PKCS#8, PKCS#1, SEC 1).
    ///
    /// # Errors
    /// As [`PrivateKey::from_pkcs8`]; one that is protected by a passphrase is refused.
    pub fn from_pem(text: &str) -> Result<Self> {
        for block in pem::blocks(text)? {
            let der = Zeroizing::new(block.der);
            match block.label {
                "PRIVATE KEY" => return Self::from_pkcs8(&der),
                "RSA PRIVATE KEY" => return Self::from_pkcs8(&as_pkcs8(&rsa_algorithm(), &der)),
                "EC PRIVATE KEY" => return Self::from_pkcs8(&as_pkcs8(&p256_algorithm(), &der)),
                _ => {}
            }
        }
        Err(Error::Malformed("PEM: there is no private key in it"))
    }

    /// The key as an unencrypted PKCS#8 document, to be kept somewhere safe; wiped when dropped.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the library fails.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(match self {
            PrivateKey::Rsa(key) => AsDer::<Pkcs8V1Der<'_>>::as_der(&key.signing)?.as_ref().to_vec(),
            PrivateKey::P256(key) => key.signing.to_pkcs8v1()?.as_ref().to_vec(),
        }))
    }

    /// As [`PrivateKey::to_pkcs8`], in text form.
    ///
    /// # Errors
    /// As [`PrivateKey::to_pkcs8`].
    pub fn to_pem(&self) -> Result<Zeroizing<String>> {
        Ok(Zeroizing::new(pem::encode("PRIVATE KEY", &self.to_pkcs8()?)))
    }

    /// Whether this is the private half of a public key, given as `SubjectPublicKeyInfo` in DER.
    pub fn belongs_to(&self, spki: &[u8]) -> bool {
        match (PublicKey::read(spki), PublicKey::read(self.public_spki())) {
            (Ok(theirs), Ok(ours)) => theirs == ours,
            _ => false,
        }
    }

    pub(crate) fn decrypting(&self) -> Result<&Pkcs1PrivateDecryptingKey> {
        match self {
            PrivateKey::Rsa(key) => Ok(&key.decrypting),
            PrivateKey::P256(_) => Err(Error::Unsupported("decryption with an elliptic curve")),
        }
    }

    fn rsa(signing: rsa::KeyPair) -> Result<Self> {
        let pkcs8 = Zeroizing::new(AsDer::<Pkcs8V1Der<'_>>::as_der(&signing)?.as_ref().to_vec());
        let decrypting = PrivateDecryptingKey::from_pkcs8(&pkcs8).map_err(|_| Error::Crypto)?;
        let spki = signing.public_key().as_der()?.as_ref().to_vec();
        let decrypting = Pkcs1PrivateDecryptingKey::new(decrypting)?;
        Ok(PrivateKey::Rsa(Box::new(RsaKey { signing, decrypting, spki })))
    }

    fn p256(signing: EcdsaKeyPair) -> Result<Self> {
        let spki = signing.public_key().as_der()?.as_ref().to_vec();
        Ok(PrivateKey::P256(Box::new(P256Key { signing, spki })))
    }
}

impl Signer for PrivateKey {
    fn kind(&self) -> KeyKind {
        match self {
            PrivateKey::Rsa(_) => KeyKind::Rsa,
            PrivateKey::P256(_) => KeyKind::P256,
        }
    }

    fn public_spki(&self) -> &[u8] {
        match self {
            PrivateKey::Rsa(key) => &key.spki,
            PrivateKey::P256(key) => &key.spki,
        }
    }

    /// SHA-1 only with P-256: the cryptographic library no longer makes RSA signatures with it.
    fn sign(&self, hash: Hash, message: &[u8]) -> Result<Vec<u8>> {
        match self {
            PrivateKey::Rsa(key) => key.sign(hash, message),
            PrivateKey::P256(key) => key.sign(hash, message),
        }
    }
}

impl RsaKey {
    fn sign(&self, hash: Hash, message: &[u8]) -> Result<Vec<u8>> {
        let encoding = match hash {
            Hash::Sha1 => return Err(Error::Unsupported("digest for signing with RSA")),
            Hash::Sha256 => &signature::RSA_PKCS1_SHA256,
            Hash::Sha384 => &signature::RSA_PKCS1_SHA384,
            Hash::Sha512 => &signature::RSA_PKCS1_SHA512,
        };
        let mut out = vec![0; self.signing.public_modulus_len()];
        self.signing.sign(encoding, &SystemRandom::new(), message, &mut out)?;
        Ok(out)
    }
}

impl P256Key {
    /// ECDSA signs a number of 256 bits, made of the leftmost bits of a longer digest, or of a shorter one as
    /// it is (SEC 1, 4.1.3): so the one algorithm that the library offers serves all digests.
    fn sign(&self, hash: Hash, message: &[u8]) -> Result<Vec<u8>> {
        const SIZE: usize = 32;
        let hashed = hash.digest(message);
        let hashed = &hashed.as_ref()[..hashed.as_ref().len().min(SIZE)];
        let mut number = [0; SIZE];
        number[SIZE - hashed.len()..].copy_from_slice(hashed);
        let number = digest::Digest::import_less_safe(&number, &digest::SHA256)?;
        Ok(self.signing.sign_digest(&number)?.as_ref().to_vec())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey({:?})", self.kind())
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RsaKey")
    }
}

impl fmt::Debug for P256Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("P256Key")
    }
}

/// The `AlgorithmIdentifier` of a signature.
pub(crate) fn signature_algorithm(kind: KeyKind, hash: Hash) -> Vec<u8> {
    let identifier = match (kind, hash) {
        (KeyKind::Rsa, Hash::Sha1) => oid::SHA1_WITH_RSA,
        (KeyKind::Rsa, Hash::Sha256) => oid::SHA256_WITH_RSA,
        (KeyKind::Rsa, Hash::Sha384) => oid::SHA384_WITH_RSA,
        (KeyKind::Rsa, Hash::Sha512) => oid::SHA512_WITH_RSA,
        (KeyKind::P256, Hash::Sha1) => oid::ECDSA_SHA1,
        (KeyKind::P256, Hash::Sha256) => oid::ECDSA_SHA256,
        (KeyKind::P256, Hash::Sha384) => oid::ECDSA_SHA384,
        (KeyKind::P256, Hash::Sha512) => oid::ECDSA_SHA512,
    };
    write::algorithm(&identifier, kind == KeyKind::Rsa)
}

/// Wraps a key of an older form into PKCS#8 (RFC 5208, section 5).
fn as_pkcs8(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    let inside = Zeroizing::new(write::octets(key));
    Zeroizing::new(write::sequence(&[&write::unsigned(&[0]), algorithm, &inside]))
}

fn rsa_algorithm() -> Vec<u8> {
    write::algorithm(&oid::RSA, true)
}

fn p256_algorithm() -> Vec<u8> {
    write::sequence(&[&write::oid(&oid::EC), &write::oid(&oid::P256)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1;
    use crate::public_key::{SignatureAlgorithm, Strength};

    fn verify(key: &PrivateKey, hash: Hash) -> Result<()> {
        let algorithm = signature_algorithm(key.kind(), hash);
        let algorithm = SignatureAlgorithm::read(asn1::only(&algorithm, asn1::SEQUENCE)?)?;
        let signature = key.sign(hash, b"message")?;
        PublicKey::read(key.public_spki())?.verify((algorithm, hash), Strength::Today, b"message", &signature)
    }

    #[test]
    fn p256_signs_with_every_digest() {
        let key = PrivateKey::generate_p256().unwrap();
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            verify(&key, hash).unwrap();
        }
    }

    #[test]
    fn rsa_signs_with_every_digest_but_sha1() {
        let key = PrivateKey::generate_rsa_2048().unwrap();
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            verify(&key, hash).unwrap();
        }
        assert_eq!(verify(&key, Hash::Sha1), Err(Error::Unsupported("digest for signing with RSA")));
    }

    #[test]
    fn keys_survive_their_documents() {
        for key in [PrivateKey::generate_rsa_2048().unwrap(), PrivateKey::generate_p256().unwrap()] {
            let again = PrivateKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
            assert!(again.belongs_to(key.public_spki()));
            let again = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
            assert!(again.belongs_to(key.public_spki()));
            assert!(!again.belongs_to(PrivateKey::generate_p256().unwrap().public_spki()));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let key = PrivateKey::generate_p256().unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(P256)");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(PrivateKey::from_pkcs8(b"").is_err());
        assert!(PrivateKey::from_pem("").is_err());
    }
}
