//! Messages that only one recipient can open: RSA key transport and a block cipher in CBC mode.
//!
//! Whoever may send us such messages can ask us a million questions about one that he intercepted. So [`open`] rejects
//! implicitly: where the transported key cannot be read, a random one takes its place and everything goes on
//! (RFC 3218, 2.3.2), the padding is checked in constant time, and every failure is [`Error::Decrypt`].

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

/// Opens an envelope that was sealed for `recipient`, whose private half `key` must be. AES-128, -192 and -256 and
/// triple DES; single DES only where it is allowed.
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
