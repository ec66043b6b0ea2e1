//! A key for a short time, the same for everyone who has the ring.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};

use super::KeyRing;
use crate::{Error, Result};

/// Seals what is worth nothing once its time is over. Derived, never kept.
pub struct PeriodKey(RandomizedNonceKey);

impl KeyRing {
    /// The key for `purpose` in the period of this number. Secrets at rest are sealed with others, so that no number of
    /// messages wears those out.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the library fails.
    pub fn period_key(&self, purpose: &str, period: u64) -> Result<PeriodKey> {
        let key = self.mac(&format!("period/{purpose}"), &period.to_be_bytes())?;
        Ok(PeriodKey(RandomizedNonceKey::new(&AES_256_GCM, &key)?))
    }
}

impl PeriodKey {
    /// Encrypts `plaintext`: nonce (12 bytes), ciphertext, tag (16).
    ///
    /// # Errors
    /// [`Error::Crypto`] where the library fails.
    pub fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        let mut data = plaintext.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::empty(), &mut data)?;
        Ok([&nonce.as_ref()[..], &data].concat())
    }

    /// Decrypts what [`PeriodKey::seal`] made with the same key.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is too short, [`Error::Decrypt`] for anything else that this key did not seal.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let (nonce, data) =
            sealed.split_first_chunk::<NONCE_LEN>().ok_or(Error::Malformed("sealed value"))?;
        let mut data = data.to_vec();
        let plain = self.0.open_in_place(Nonce::from(nonce), Aad::empty(), &mut data);
        let length = plain.map_err(|_| Error::Decrypt)?.len();
        data.truncate(length);
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_the_ring_has_the_key_of_a_purpose_and_a_period() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.period_key("tls", 7).unwrap().seal(b"secret").unwrap();
        let elsewhere = KeyRing::from_json(&ring.to_json()).unwrap();
        let open = |ring: &KeyRing, purpose, period| ring.period_key(purpose, period).unwrap().open(&sealed);
        assert_eq!(open(&elsewhere, "tls", 7).unwrap(), b"secret");
        for (purpose, period) in [("tls", 8), ("other", 7)] {
            assert_eq!(open(&ring, purpose, period), Err(Error::Decrypt));
        }
        assert_eq!(open(&KeyRing::generate().unwrap(), "tls", 7), Err(Error::Decrypt));
    }

    #[test]
    fn no_byte_may_change() {
        let key = KeyRing::generate().unwrap().period_key("tls", 7).unwrap();
        let sealed = key.seal(b"secret").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(key.open(&changed).is_err() && key.open(&sealed[..index]).is_err(), "byte {index}");
        }
    }
}
