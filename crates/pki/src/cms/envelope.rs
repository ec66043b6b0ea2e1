//! Messages that only one recipient can open: RSA key transport and a block cipher in CBC mode.
//!
//! Whoever may send us such messages can ask us a million questions about one that he intercepted. So
//! [`open`] rejects implicitly: where the transported key cannot be read, a random one takes its place and
//! everything goes on (RFC 3218, 2.3.2), the padding is checked in constant time, and every failure is
//! [`Error::Decrypt`].

mod cipher;

use zeroize::Zeroizing;

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};

use crate::asn1::{self, Element, Reader, write};
use crate::certificate::Certificate;
use crate::keys::PrivateKey;
use crate::{Error, Result, ber, oid};

pub use cipher::Cipher;

/// What an envelope held.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The content, decrypted. It is authenticated by nothing.
    pub content: Vec<u8>,
    /// How it was encrypted.
    pub cipher: Cipher,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Opened({:?}, {} bytes)", self.cipher, self.content.len())
    }
}

/// Opens an envelope that was sealed for `recipient`, whose private half `key` must be. AES-128, -192 and
/// -256 and triple DES; single DES only where it is allowed.
///
/// # Errors
/// [`Error::Unsupported`] where the message itself names a cipher that we do not want; [`Error::Decrypt`] for
/// everything else, whatever it was.
pub fn open(message: &[u8], key: &PrivateKey, recipient: &Certificate, allow_des: bool) -> Result<Opened> {
    let message = ber::to_der(message).map_err(|_| Error::Decrypt)?;
    let sealed = Sealed::read(&message, recipient).map_err(as_failure)?;
    if sealed.cipher == Cipher::Des && !allow_des {
        return Err(Error::Unsupported("content cipher: single DES is not allowed"));
    }
    let content_key = transported_key(sealed.transported, key, sealed.cipher)?;
    let content = cipher::decrypt(sealed.cipher, &content_key, sealed.iv, sealed.content)?;
    Ok(Opened { content, cipher: sealed.cipher })
}

/// Seals `content` so that only `recipient` can open it.
///
/// # Errors
/// [`Error::Unsupported`] where the recipient's key is not RSA of 2048 bits or more.
pub fn seal(content: &[u8], recipient: &Certificate, cipher: Cipher) -> Result<Vec<u8>> {
    let key = cipher.random_key()?;
    let (iv, encrypted) = cipher::encrypt(cipher, &key, content)?;
    let recipient_info = write::sequence(&[
        &write::unsigned(&[0]),
        &super::issuer_and_serial(recipient),
        &write::algorithm(&oid::RSA, true),
        &write::octets(&transport_key(&key, recipient)?),
    ]);
    let enveloped_data = write::sequence(&[
        &write::unsigned(&[0]),
        &write::set(vec![recipient_info]),
        &write::sequence(&[
            &write::oid(&oid::DATA),
            &write::sequence(&[&write::oid(&cipher.oid()), &write::octets(&iv)]),
            &write::element(asn1::implicit(0), &encrypted),
        ]),
    ]);
    Ok(super::content_info(&oid::ENVELOPED_DATA, &enveloped_data))
}

/// What of an EnvelopedData concerns one recipient.
struct Sealed<'a> {
    transported: &'a [u8],
    cipher: Cipher,
    iv: &'a [u8],
    content: Vec<u8>,
}

impl<'a> Sealed<'a> {
    fn read(message: &'a [u8], recipient: &Certificate) -> Result<Self> {
        let mut fields = super::content(message, oid::ENVELOPED_DATA)?.children();
        fields.take(asn1::INTEGER)?;
        fields.optional(asn1::constructed(0))?;
        let transported = find_recipient(fields.enter(asn1::SET)?, recipient)?;
        let mut encrypted = fields.enter(asn1::SEQUENCE)?;
        encrypted.object_identifier()?;
        let mut algorithm = encrypted.enter(asn1::SEQUENCE)?;
        let cipher = Cipher::from_oid(&algorithm.object_identifier()?)?;
        let iv = algorithm.take(asn1::OCTET_STRING)?.value;
        let content = read_encrypted(encrypted.any()?)?;
        Ok(Sealed { transported, cipher, iv, content })
    }
}

/// The key that was transported to `recipient`; other kinds of recipients are passed over.
fn find_recipient<'a>(mut recipients: Reader<'a>, recipient: &Certificate) -> Result<&'a [u8]> {
    while !recipients.is_empty() {
        let candidate = recipients.any()?;
        if candidate.tag != asn1::SEQUENCE {
            continue;
        }
        let mut fields = candidate.children();
        fields.take(asn1::INTEGER)?;
        if !super::names(fields.any()?, recipient) {
            continue;
        }
        if fields.enter(asn1::SEQUENCE)?.object_identifier()? != oid::RSA {
            return Err(Error::Unsupported("key transport"));
        }
        return Ok(fields.take(asn1::OCTET_STRING)?.value);
    }
    Err(Error::Decrypt)
}

/// The encrypted content, which is whole in DER and may come in pieces from BER.
fn read_encrypted(content: Element<'_>) -> Result<Vec<u8>> {
    const WHOLE: u8 = asn1::implicit(0);
    const IN_PIECES: u8 = asn1::constructed(0);
    match content.tag {
        WHOLE => Ok(content.value.to_vec()),
        IN_PIECES => {
            let mut whole = Vec::with_capacity(content.value.len());
            let mut pieces = content.children();
            while !pieces.is_empty() {
                whole.extend_from_slice(pieces.take(asn1::OCTET_STRING)?.value);
            }
            Ok(whole)
        }
        _ => Err(Error::Decrypt),
    }
}

/// The content key, or a random one that nobody can tell from it until the content turns out to be nonsense.
fn transported_key(encrypted: &[u8], key: &PrivateKey, cipher: Cipher) -> Result<Zeroizing<Vec<u8>>> {
    let key = key.decrypting()?;
    let mut content_key = cipher.random_key()?;
    let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
    if let Ok(transported) = key.decrypt(encrypted, &mut plain)
        && transported.len() == content_key.len()
    {
        content_key.copy_from_slice(transported);
    }
    Ok(content_key)
}

fn transport_key(content_key: &[u8], recipient: &Certificate) -> Result<Vec<u8>> {
    const UNSUPPORTED: Error = Error::Unsupported("recipient: its key is not RSA of 2048 bits or more");
    let key = PublicEncryptingKey::from_der(recipient.public_key_spki()).map_err(|_| UNSUPPORTED)?;
    let key = Pkcs1PublicEncryptingKey::new(key)?;
    let mut encrypted = vec![0; key.ciphertext_size()];
    Ok(key.encrypt(content_key, &mut encrypted)?.to_vec())
}

fn as_failure(error: Error) -> Error {
    if matches!(error, Error::Unsupported(_)) { error } else { Error::Decrypt }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::{
        change, changes, flipped, p256_stranger, rsa_stranger, streamed_envelope, truncated,
    };

    const ALL: [Cipher; 5] = [Cipher::Des, Cipher::TripleDes, Cipher::Aes128, Cipher::Aes192, Cipher::Aes256];

    #[test]
    fn what_is_sealed_is_opened_with_every_cipher() {
        let (key, certificate) = rsa_stranger();
        for cipher in ALL {
            let message = seal(&[7; 40], &certificate, cipher).unwrap();
            for message in [streamed_envelope(&message), message] {
                let opened = open(&message, &key, &certificate, true).unwrap();
                assert_eq!(opened, Opened { content: vec![7; 40], cipher });
            }
        }
    }

    #[test]
    fn single_des_is_only_opened_where_it_is_allowed() {
        let (key, certificate) = rsa_stranger();
        let message = seal(b"content", &certificate, Cipher::Des).unwrap();
        assert!(matches!(open(&message, &key, &certificate, false), Err(Error::Unsupported(_))));
    }

    #[test]
    fn a_message_for_another_is_not_opened() {
        let ((key, certificate), (other_key, other)) = (rsa_stranger(), rsa_stranger());
        let message = seal(b"content", &other, Cipher::Aes256).unwrap();
        assert_eq!(open(&message, &key, &certificate, true), Err(Error::Decrypt));
        assert_eq!(open(&message, &key, &other, true), Err(Error::Decrypt));
        assert!(open(&message, &other_key, &other, true).is_ok());
    }

    #[test]
    fn every_failure_looks_the_same() {
        let (key, certificate) = rsa_stranger();
        let message = seal(&[7; 100], &certificate, Cipher::TripleDes).unwrap();
        for changed in flipped(&message) {
            match open(&changed, &key, &certificate, true) {
                Ok(_) | Err(Error::Decrypt | Error::Unsupported(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert!(truncated(&message).all(|cut| open(cut, &key, &certificate, true) == Err(Error::Decrypt)));
    }

    #[test]
    fn a_transported_key_of_the_wrong_length_fails_like_wrong_padding() {
        let (key, certificate) = rsa_stranger();
        for transported in [&[7; 8][..], &[7; 33], &[]] {
            let encrypted = transport_key(transported, &certificate).unwrap();
            let random = transported_key(&encrypted, &key, Cipher::Aes256).unwrap();
            assert_eq!(random.len(), 32);
            assert_ne!(random, transported_key(&encrypted, &key, Cipher::Aes256).unwrap());
        }
        let nonsense = transported_key(&[7; 256], &key, Cipher::Aes256).unwrap();
        assert_eq!(nonsense.len(), 32);
    }

    #[test]
    fn elliptic_curves_neither_seal_nor_open() {
        let (key, certificate) = p256_stranger();
        assert!(seal(b"x", &certificate, Cipher::Aes256).is_err());
        let (_, rsa) = rsa_stranger();
        let message = seal(b"x", &rsa, Cipher::Aes256).unwrap();
        assert!(open(&message, &key, &rsa, true).is_err());
    }

    #[test]
    fn debug_does_not_show_the_content() {
        let opened = Opened { content: b"secret".to_vec(), cipher: Cipher::Aes256 };
        assert_eq!(format!("{opened:?}"), "Opened(Aes256, 6 bytes)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn changed_messages_never_panic(changes in changes()) {
            static STRANGER: std::sync::OnceLock<(PrivateKey, Certificate)> = std::sync::OnceLock::new();
            let (key, certificate) = STRANGER.get_or_init(rsa_stranger);
            let mut message = seal(b"content", certificate, Cipher::Aes128).unwrap();
            change(&mut message, changes);
            let _ = open(&message, key, certificate, false);
        }
    }
}
