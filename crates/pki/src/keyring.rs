//! The keys under which secrets are sealed at rest: versioned, so that they can be changed without a flag
//! day.
//!
//! Each version is one master key, of which two keys are derived (HKDF, RFC 5869): one to seal with
//! (AES-256-GCM), one to authenticate with (HMAC-SHA-256). New things use the current version, old ones keep
//! theirs until sealed again.

mod period;

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub use period::PeriodKey;

use crate::{Error, Result, random};

const KEY_LEN: usize = 32;
const VERSION_LEN: usize = 4;

/// A key ring. Its `Debug` shows versions only.
pub struct KeyRing {
    current: u32,
    keys: BTreeMap<u32, Key>,
}

/// One version: the master key, and what is derived of it once.
struct Key {
    master: Zeroizing<[u8; KEY_LEN]>,
    sealing: RandomizedNonceKey,
    authenticating: hmac::Key,
}

impl KeyRing {
    /// A ring with one new key, version 1.
    ///
    /// # Errors
    /// [`Error::Crypto`] where randomness fails.
    pub fn generate() -> Result<Self> {
        let key = Key::new(Zeroizing::new(random::bytes()?))?;
        Ok(KeyRing { current: 1, keys: BTreeMap::from([(1, key)]) })
    }

    /// Reads what [`KeyRing::to_json`] wrote.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything else; also where the current key is not there.
    pub fn from_json(text: &str) -> Result<Self> {
        const MALFORMED: Error = Error::Malformed("key ring");
        let ring: Value = serde_json::from_str(text).map_err(|_| MALFORMED)?;
        let current =
            ring["current"].as_u64().and_then(|version| u32::try_from(version).ok()).ok_or(MALFORMED)?;
        let mut keys = BTreeMap::new();
        for (version, key) in ring["keys"].as_object().ok_or(MALFORMED)? {
            let version = version.parse().map_err(|_| MALFORMED)?;
            let key = Zeroizing::new(STANDARD.decode(key.as_str().ok_or(MALFORMED)?).map_err(|_| MALFORMED)?);
            let master = <[u8; KEY_LEN]>::try_from(key.as_slice()).map_err(|_| MALFORMED)?;
            keys.insert(version, Key::new(Zeroizing::new(master))?);
        }
        if !keys.contains_key(&current) {
            return Err(Error::UnknownKeyVersion(current));
        }
        Ok(KeyRing { current, keys })
    }

    /// The ring as JSON, all keys in the clear: `{"current": 2, "keys": {"1": "<base64>", "2": "<base64>"}}`.
    /// To be kept apart from what is sealed with it.
    pub fn to_json(&self) -> Zeroizing<String> {
        let keys: serde_json::Map<_, _> = self
            .keys
            .iter()
            .map(|(version, key)| {
                (version.to_string(), Value::String(STANDARD.encode(key.master.as_slice())))
            })
            .collect();
        Zeroizing::new(format!("{:#}\n", json!({ "current": self.current, "keys": keys })))
    }

    /// Makes the newest key the current one, a new key if the newest is that already; the old ones stay.
    ///
    /// # Errors
    /// As [`KeyRing::prepare`].
    pub fn rotate(&mut self) -> Result<()> {
        self.prepare()?;
        self.current = self.newest();
        Ok(())
    }

    /// Adds a new key behind the current one, unless there is one: what is sealed with it can be opened before anything is.
    ///
    /// # Errors
    /// [`Error::Crypto`] where randomness fails.
    pub fn prepare(&mut self) -> Result<()> {
        if self.newest() == self.current {
            let version = self.current.checked_add(1).ok_or(Error::Refused("the key ring is full"))?;
            self.keys.insert(version, Key::new(Zeroizing::new(random::bytes()?))?);
        }
        Ok(())
    }

    /// Every version on the ring, oldest first.
    pub fn versions(&self) -> Vec<u32> {
        self.keys.keys().copied().collect()
    }

    /// Whether it opens whatever `other` opens.
    pub fn covers(&self, other: &KeyRing) -> bool {
        let same = |(version, key): (&u32, &Key)| {
            self.keys.get(version).is_some_and(|mine| mine.master == key.master)
        };
        other.keys.iter().all(same)
    }

    fn newest(&self) -> u32 {
        self.keys.keys().last().copied().unwrap_or(self.current)
    }

    /// The version that new things are sealed with.
    pub fn current_version(&self) -> u32 {
        self.current
    }

    /// The version that something was sealed with, to find what a rotation left behind.
    ///
    /// # Errors
    /// [`Error::Malformed`] where it is too short to have one.
    pub fn version_of(sealed: &[u8]) -> Result<u32> {
        let (version, _) =
            sealed.split_first_chunk::<VERSION_LEN>().ok_or(Error::Malformed("sealed value"))?;
        Ok(u32::from_be_bytes(*version))
    }

    /// Encrypts `plaintext`; only the same `context` (say, the table, column and row) opens it again.
    /// The form is: version (4 bytes, big-endian), nonce (12), ciphertext, tag (16).
    ///
    /// # Errors
    /// [`Error::Crypto`] where the library fails.
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Result<Vec<u8>> {
        let key = self.key(self.current)?;
        let mut data = plaintext.to_vec();
        let nonce = key.sealing.seal_in_place_append_tag(Aad::from(context), &mut data)?;
        Ok([&self.current.to_be_bytes()[..], nonce.as_ref(), &data].concat())
    }

    /// Decrypts what [`KeyRing::seal`] made in the same context.
    ///
    /// # Errors
    /// [`Error::UnknownKeyVersion`] where the key is not on the ring; [`Error::Decrypt`] where anything was
    /// changed, or the context is another one.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let key = self.key(Self::version_of(sealed)?)?;
        let (nonce, data) =
            sealed[VERSION_LEN..].split_first_chunk::<NONCE_LEN>().ok_or(Error::Malformed("sealed value"))?;
        let mut data = data.to_vec();
        let nonce = Nonce::from(nonce);
        let plain =
            key.sealing.open_in_place(nonce, Aad::from(context), &mut data).map_err(|_| Error::Decrypt)?;
        let length = plain.len();
        data.truncate(length);
        Ok(data)
    }

    /// An authentication code for `data` in this context, with the current key: to hand something out and
    /// know it again.
    ///
    /// # Errors
    /// [`Error::Crypto`] where the library fails.
    pub fn mac(&self, context: &str, data: &[u8]) -> Result<[u8; 32]> {
        let mut code = [0; 32];
        code.copy_from_slice(self.key(self.current)?.authenticate(context, data).as_ref());
        Ok(code)
    }

    /// Whether a code was made by [`KeyRing::mac`] in the same context, with any key on the ring. Takes the
    /// same time wherever the code is wrong.
    pub fn verify_mac(&self, context: &str, data: &[u8], code: &[u8]) -> bool {
        let fits = |key: &Key| {
            let expected = key.authenticate(context, data);
            aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref(), code).is_ok()
        };
        self.keys.values().any(fits)
    }

    fn key(&self, version: u32) -> Result<&Key> {
        self.keys.get(&version).ok_or(Error::UnknownKeyVersion(version))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyRing(current {}, versions {:?})", self.current, self.keys.keys())
    }
}

impl Key {
    fn new(master: Zeroizing<[u8; KEY_LEN]>) -> Result<Self> {
        let derived = hkdf::Salt::new(hkdf::HKDF_SHA256, b"remuda key ring").extract(master.as_slice());
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, expand(&derived, b"seal")?.as_slice())?;
        let authenticating = hmac::Key::new(hmac::HMAC_SHA256, expand(&derived, b"authenticate")?.as_slice());
        Ok(Key { master, sealing, authenticating })
    }

    /// The length of the context comes first, so that no two pairs of context and data look alike.
    fn authenticate(&self, context: &str, data: &[u8]) -> hmac::Tag {
        let mut code = hmac::Context::with_key(&self.authenticating);
        code.update(&(context.len() as u64).to_be_bytes());
        code.update(context.as_bytes());
        code.update(data);
        code.sign()
    }
}

fn expand(derived: &hkdf::Prk, purpose: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    derived.expand(&[purpose], hkdf::HKDF_SHA256)?.fill(key.as_mut_slice())?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_sealed_is_opened_in_its_context_only() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal("device/1", b"secret").unwrap();
        assert_eq!(sealed.len(), 4 + 12 + 6 + 16);
        assert_eq!(ring.open("device/1", &sealed).unwrap(), b"secret");
        assert_eq!(ring.open("device/2", &sealed), Err(Error::Decrypt));
        assert_ne!(ring.seal("device/1", b"secret").unwrap(), sealed);
    }

    #[test]
    fn no_byte_may_change() {
        let ring = KeyRing::generate().unwrap();
        let sealed = ring.seal("c", b"secret").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(ring.open("c", &changed).is_err(), "byte {index}");
            assert!(ring.open("c", &sealed[..index]).is_err());
        }
    }

    #[test]
    fn old_versions_stay_readable_after_a_rotation() {
        let mut ring = KeyRing::generate().unwrap();
        let (old, old_code) = (ring.seal("c", b"old").unwrap(), ring.mac("c", b"x").unwrap());
        ring.rotate().unwrap();
        let new = ring.seal("c", b"new").unwrap();
        assert_eq!((KeyRing::version_of(&old), KeyRing::version_of(&new)), (Ok(1), Ok(2)));
        assert_eq!(ring.open("c", &old).unwrap(), b"old");
        assert!(ring.verify_mac("c", b"x", &old_code));
        assert_ne!(ring.mac("c", b"x").unwrap(), old_code);
        assert_eq!(ring.current_version(), 2);
    }

    #[test]
    fn a_prepared_key_opens_before_anything_is_sealed_with_it() {
        let mut ring = KeyRing::generate().unwrap();
        ring.prepare().unwrap();
        ring.prepare().unwrap();
        assert_eq!((ring.current_version(), ring.versions()), (1, vec![1, 2]));
        let elsewhere = KeyRing::from_json(&ring.to_json()).unwrap();
        ring.rotate().unwrap();
        assert_eq!((ring.current_version(), ring.versions()), (2, vec![1, 2]));
        assert_eq!(elsewhere.open("c", &ring.seal("c", b"x").unwrap()).unwrap(), b"x");
        ring.rotate().unwrap();
        assert_eq!(ring.versions(), [1, 2, 3]);
        assert!(ring.covers(&elsewhere) && !elsewhere.covers(&ring));
        assert!(!KeyRing::generate().unwrap().covers(&elsewhere));
    }

    #[test]
    fn a_missing_version_is_named() {
        let old = KeyRing::generate().unwrap();
        let mut ring = KeyRing::generate().unwrap();
        ring.rotate().unwrap();
        let sealed = ring.seal("c", b"x").unwrap();
        assert_eq!(old.open("c", &sealed), Err(Error::UnknownKeyVersion(2)));
        assert_eq!(Error::UnknownKeyVersion(2).to_string(), "key version 2 is not on the key ring");
    }

    #[test]
    fn a_ring_survives_its_json() {
        let mut ring = KeyRing::generate().unwrap();
        ring.rotate().unwrap();
        let sealed = ring.seal("c", b"x").unwrap();
        let again = KeyRing::from_json(&ring.to_json()).unwrap();
        assert_eq!(again.open("c", &sealed).unwrap(), b"x");
        assert_eq!(again.mac("c", b"x"), ring.mac("c", b"x"));
    }

    #[test]
    fn broken_json_is_refused() {
        let short = STANDARD.encode([0; 31]);
        let whole = STANDARD.encode([0; 32]);
        for text in [
            "".to_owned(),
            "[]".to_owned(),
            r#"{"current":1}"#.to_owned(),
            format!(r#"{{"current":1,"keys":{{"1":"{short}"}}}}"#),
            format!(r#"{{"current":1,"keys":{{"x":"{whole}"}}}}"#),
            format!(r#"{{"current":-1,"keys":{{"1":"{whole}"}}}}"#),
            format!(r#"{{"current":2,"keys":{{"1":"{whole}"}}}}"#),
        ] {
            assert!(KeyRing::from_json(&text).is_err(), "{text}");
        }
        assert!(KeyRing::from_json(&format!(r#"{{"current":1,"keys":{{"1":"{whole}"}}}}"#)).is_ok());
    }

    #[test]
    fn codes_belong_to_their_context_and_data() {
        let ring = KeyRing::generate().unwrap();
        let code = ring.mac("ab", b"c").unwrap();
        assert!(ring.verify_mac("ab", b"c", &code));
        assert!(!ring.verify_mac("a", b"bc", &code));
        assert!(!ring.verify_mac("ab", b"d", &code));
        assert!(!ring.verify_mac("ab", b"c", &code[..31]));
        assert!(!ring.verify_mac("ab", b"c", b""));
    }

    #[test]
    fn debug_shows_versions_only() {
        let ring = KeyRing::generate().unwrap();
        assert_eq!(format!("{ring:?}"), "KeyRing(current 1, versions [1])");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(KeyRing::generate().unwrap().open("c", &bytes).is_err());
        }
    }
}
