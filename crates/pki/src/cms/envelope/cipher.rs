//! The block ciphers that envelopes use, each in CBC mode with the padding of RFC 5652, 6.3.

#![allow(deprecated, reason = "old clients send DES, and must be able to read their answers")]

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DES_EDE3_FOR_LEGACY_USE_ONLY, DES_FOR_LEGACY_USE_ONLY,
    DecryptingKey, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use crate::asn1::ObjectIdentifier;
use crate::{Error, Result, oid};

/// A content cipher, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cipher {
    /// Single DES: broken, and here only for clients that know nothing else, where an operator allows it.
    Des,
    /// Triple DES with three keys: what old clients send.
    TripleDes,
    /// AES-128.
    Aes128,
    /// AES-192.
    Aes192,
    /// AES-256.
    Aes256,
}

impl Cipher {
    pub(super) fn from_oid(identifier: &ObjectIdentifier) -> Result<Self> {
        match *identifier {
            oid::DES => Ok(Cipher::Des),
            oid::TRIPLE_DES => Ok(Cipher::TripleDes),
            oid::AES128 => Ok(Cipher::Aes128),
            oid::AES192 => Ok(Cipher::Aes192),
            oid::AES256 => Ok(Cipher::Aes256),
            _ => Err(Error::Unsupported("content cipher")),
        }
    }

    pub(super) fn oid(self) -> ObjectIdentifier {
        match self {
            Cipher::Des => oid::DES,
            Cipher::TripleDes => oid::TRIPLE_DES,
            Cipher::Aes128 => oid::AES128,
            Cipher::Aes192 => oid::AES192,
            Cipher::Aes256 => oid::AES256,
        }
    }

    pub(super) fn random_key(self) -> Result<Zeroizing<Vec<u8>>> {
        let size = match self {
            Cipher::Des => 8,
            Cipher::Aes128 => 16,
            Cipher::TripleDes | Cipher::Aes192 => 24,
            Cipher::Aes256 => 32,
        };
        let mut key = Zeroizing::new(vec![0; size]);
        aws_lc_rs::rand::fill(&mut key)?;
        Ok(key)
    }

    fn algorithm(self) -> &'static Algorithm {
        match self {
            Cipher::Des => &DES_FOR_LEGACY_USE_ONLY,
            Cipher::TripleDes => &DES_EDE3_FOR_LEGACY_USE_ONLY,
            Cipher::Aes128 => &AES_128,
            Cipher::Aes192 => &AES_192,
            Cipher::Aes256 => &AES_256,
        }
    }

    fn context(self, iv: &[u8]) -> Result<DecryptionContext> {
        match self {
            Cipher::Des | Cipher::TripleDes => FixedLength::try_from(iv).map(DecryptionContext::Iv64),
            _ => FixedLength::try_from(iv).map(DecryptionContext::Iv128),
        }
        .map_err(|_| Error::Decrypt)
    }
}

/// Encrypts; the initialization vector and what came of it.
pub(super) fn encrypt(cipher: Cipher, key: &[u8], content: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(cipher.algorithm(), key)?)?;
    let mut data = content.to_vec();
    let context = key.encrypt(&mut data)?;
    let iv: &[u8] = (&context).try_into()?;
    Ok((iv.to_vec(), data))
}

/// Decrypts and takes the padding off, each failure like every other.
pub(super) fn decrypt(cipher: Cipher, key: &[u8], iv: &[u8], mut data: Vec<u8>) -> Result<Vec<u8>> {
    let key = UnboundCipherKey::new(cipher.algorithm(), key).and_then(DecryptingKey::cbc);
    let key = key.map_err(|_| Error::Decrypt)?;
    key.decrypt(&mut data, cipher.context(iv)?).map_err(|_| Error::Decrypt)?;
    let length = unpadded_length(&data, cipher.algorithm().block_len()).ok_or(Error::Decrypt)?;
    data.truncate(length);
    Ok(data)
}

/// The length without padding. Looks at all of the last block, whatever is in it: which byte was wrong must
/// not show in the time that it takes.
fn unpadded_length(data: &[u8], block: usize) -> Option<usize> {
    let start = data.len().checked_sub(block)?;
    let padding = usize::from(*data.last()?);
    let mut wrong = usize::from(padding == 0) | usize::from(padding > block);
    for (index, byte) in data[start..].iter().enumerate() {
        let is_padding = usize::from(index + padding >= block);
        wrong |= is_padding & usize::from(usize::from(*byte) != padding);
    }
    if wrong == 0 { data.len().checked_sub(padding) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Cipher; 5] = [Cipher::Des, Cipher::TripleDes, Cipher::Aes128, Cipher::Aes192, Cipher::Aes256];

    #[test]
    fn every_cipher_gives_back_what_it_was_given() {
        for cipher in ALL {
            for length in [0, 1, 7, 8, 15, 16, 17, 1000] {
                let (content, key) = (vec![7; length], cipher.random_key().unwrap());
                let (iv, data) = encrypt(cipher, &key, &content).unwrap();
                assert_eq!(decrypt(cipher, &key, &iv, data).unwrap(), content, "{cipher:?} {length}");
            }
        }
    }

    /// The library refuses such keys; whoever is asked to decrypt must not see that this was the reason.
    #[test]
    fn weak_keys_are_failures_like_others() {
        for (cipher, key) in
            [(Cipher::Des, vec![1; 8]), (Cipher::TripleDes, vec![7; 24]), (Cipher::Aes128, vec![])]
        {
            assert_eq!(decrypt(cipher, &key, &[0; 8], vec![0; 8]), Err(Error::Decrypt));
        }
    }

    #[test]
    fn wrong_lengths_are_failures_like_others() {
        for cipher in ALL {
            let key = cipher.random_key().unwrap();
            let block = cipher.algorithm().block_len();
            for (iv, data) in
                [(block, 0), (block, block - 1), (block, block + 1), (0, block), (block + 1, block)]
            {
                assert_eq!(decrypt(cipher, &key, &vec![0; iv], vec![0; data]), Err(Error::Decrypt));
            }
        }
    }

    #[test]
    fn only_right_padding_is_taken_off() {
        assert_eq!(unpadded_length(&[9, 9, 2, 2], 4), Some(2));
        assert_eq!(unpadded_length(&[4, 4, 4, 4], 4), Some(0));
        for wrong in [[9, 9, 9, 0], [9, 9, 1, 2], [5, 5, 5, 5], [9, 9, 9, 255]] {
            assert_eq!(unpadded_length(&wrong, 4), None, "{wrong:?}");
        }
        assert_eq!(unpadded_length(&[1], 4), None);
    }
}
