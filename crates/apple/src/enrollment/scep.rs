//! The SCEP payload, by which a device gets its identity (Apple's
//! `mdm/profiles/com.apple.security.scep.yaml`).

use plist::{Dictionary, Value};
use std::fmt;

use super::{CONTENT, MAX_TEXT, url};
use crate::fields::{Fields, Malformed, put};

const KEY_SIZES: [u32; 3] = [1024, 2048, 4096];
/// Signing (1) and encryption (4): the key signs messages and unwraps the issued certificate.
const KEY_USAGE: i64 = 5;
const MAX_SUBJECT: usize = 32;

/// How a device asks for its certificate. Its `Debug` does not show the challenge.
#[derive(Clone, PartialEq, Eq)]
pub struct ScepPayload {
    /// `URL` of the SCEP server; plain http will do.
    pub url: String,
    /// `Name`: sent with `GetCACert`, to choose between several CAs.
    pub name: String,
    /// `Challenge`: the one-time secret that goes into the request.
    pub challenge: String,
    /// `CAFingerprint`: SHA-1 of the CA's certificate in DER. The length tells devices the hash; they know
    /// SHA-1 and MD5 only (Apple's `SecSCEP.h`).
    pub ca_fingerprint: [u8; 20],
    /// `Subject`: attribute (`CN`, `O`, or an OID in dots) and value, one for each part of the name. A wish:
    /// the CA decides.
    pub subject: Vec<(String, String)>,
    /// `Keysize`: 1024, 2048 or 4096 bits, of RSA.
    pub key_size: u32,
    /// `Retries`: how often to ask again while the answer is PENDING.
    pub retries: u32,
    /// `RetryDelay` in seconds.
    pub retry_delay: u32,
}

impl Default for ScepPayload {
    /// 2048 bits, three retries ten seconds apart; the rest is to be filled in.
    fn default() -> ScepPayload {
        ScepPayload {
            url: String::new(),
            name: String::new(),
            challenge: String::new(),
            ca_fingerprint: [0; 20],
            subject: Vec::new(),
            key_size: 2048,
            retries: 3,
            retry_delay: 10,
        }
    }
}

impl ScepPayload {
    pub(super) const PAYLOAD_TYPE: &'static str = "com.apple.security.scep";

    pub(super) fn write(&self, payload: &mut Dictionary) {
        let mut content = Dictionary::new();
        put(&mut content, "URL", Some(self.url.as_str()));
        put(&mut content, "Name", Some(self.name.as_str()));
        put(&mut content, "Challenge", Some(self.challenge.as_str()));
        put(&mut content, "CAFingerprint", Some(Value::Data(self.ca_fingerprint.to_vec())));
        put(&mut content, "Subject", Some(self.write_subject()));
        put(&mut content, "Keysize", Some(self.key_size));
        put(&mut content, "Key Type", Some("RSA"));
        put(&mut content, "Key Usage", Some(KEY_USAGE));
        put(&mut content, "Retries", Some(self.retries));
        put(&mut content, "RetryDelay", Some(self.retry_delay));
        put(payload, CONTENT, Some(content));
    }

    pub(super) fn read(payload: Fields<'_>) -> Result<ScepPayload, Malformed> {
        let content = payload.required_dictionary(CONTENT)?;
        let url = content.required_text("URL", MAX_TEXT)?;
        if !url::is_for_scep(&url) {
            return Err(Malformed::Invalid { key: "URL", rule: "is not a URL of HTTP" });
        }
        if content.text("Key Type", MAX_TEXT)?.is_some_and(|kind| kind != "RSA") {
            return Err(Malformed::Invalid { key: "Key Type", rule: "is not RSA" });
        }
        if content.integer("Key Usage")? != Some(KEY_USAGE) {
            return Err(Malformed::Invalid { key: "Key Usage", rule: "is not signing and encryption" });
        }
        let fingerprint = content.required_data("CAFingerprint", 20..=20)?;
        let key_size = number(content, "Keysize")?.unwrap_or(1024);
        if !KEY_SIZES.contains(&key_size) {
            return Err(Malformed::Invalid { key: "Keysize", rule: "is not 1024, 2048 or 4096" });
        }
        Ok(ScepPayload {
            url,
            name: content.text("Name", MAX_TEXT)?.unwrap_or_default(),
            challenge: content.required_text("Challenge", MAX_TEXT)?,
            ca_fingerprint: <[u8; 20]>::try_from(fingerprint)
                .map_err(|_| Malformed::Invalid { key: "CAFingerprint", rule: "is not a SHA-1" })?,
            subject: read_subject(content.array("Subject")?.unwrap_or_default())?,
            key_size,
            retries: number(content, "Retries")?.unwrap_or(3),
            retry_delay: number(content, "RetryDelay")?.unwrap_or(10),
        })
    }

    fn write_subject(&self) -> Value {
        let part = |(attribute, value): &(String, String)| {
            let pair = vec![Value::from(attribute.as_str()), Value::from(value.as_str())];
            Value::Array(vec![Value::Array(pair)])
        };
        Value::Array(self.subject.iter().map(part).collect())
    }
}

impl fmt::Debug for ScepPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScepPayload")
            .field("url", &self.url)
            .field("name", &self.name)
            .field("subject", &self.subject)
            .field("key_size", &self.key_size)
            .finish_non_exhaustive()
    }
}

fn number(fields: Fields<'_>, key: &'static str) -> Result<Option<u32>, Malformed> {
    let number = fields.integer(key)?.map(u32::try_from).transpose();
    number.map_err(|_| Malformed::Invalid { key, rule: "is out of bounds" })
}

fn read_subject(parts: &[Value]) -> Result<Vec<(String, String)>, Malformed> {
    let part = |part: &Value| {
        let [pair] = part.as_array()?.as_slice() else { return None };
        let [attribute, value] = pair.as_array()?.as_slice() else { return None };
        Some((attribute.as_string()?.to_owned(), value.as_string()?.to_owned()))
    };
    let subject = parts.iter().take(MAX_SUBJECT).map(part).collect::<Option<Vec<_>>>();
    subject
        .filter(|subject| subject.len() == parts.len())
        .ok_or(Malformed::WrongType { key: "Subject", expected: "array of arrays of pairs" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_payload() -> Dictionary {
        let mut payload = Dictionary::new();
        let scep = ScepPayload {
            url: "https://h/scep".into(),
            challenge: "c".into(),
            subject: vec![("CN".into(), "x".into())],
            ..ScepPayload::default()
        };
        scep.write(&mut payload);
        payload
    }

    fn with(key: &str, value: impl Into<Value>) -> Result<ScepPayload, Malformed> {
        let mut payload = a_payload();
        let content = payload.get_mut(CONTENT).and_then(Value::as_dictionary_mut).unwrap();
        content.insert(key.into(), value.into());
        ScepPayload::read(Fields(&payload))
    }

    #[test]
    fn a_fingerprint_is_a_sha_1() {
        assert!(with("CAFingerprint", Value::Data(vec![1; 20])).is_ok());
        for length in [0, 16, 32] {
            assert!(with("CAFingerprint", Value::Data(vec![1; length])).is_err(), "{length}");
        }
        assert_eq!(
            with("CAFingerprint", "x"),
            Err(Malformed::WrongType { key: "CAFingerprint", expected: "data" })
        );
    }

    #[test]
    fn keys_are_rsa_of_a_known_size() {
        assert_eq!(with("Keysize", 4096).unwrap().key_size, 4096);
        assert!(with("Keysize", 3072).is_err() && with("Keysize", -1).is_err());
        assert!(with("Key Type", "EC").is_err());
        assert!(with("Key Usage", 1).is_err());
    }

    #[test]
    fn a_subject_is_pairs_in_arrays_in_an_array() {
        let pair = |items: &[&str]| Value::Array(items.iter().map(|item| Value::from(*item)).collect());
        let nested = |value| Value::Array(vec![Value::Array(vec![value])]);
        assert_eq!(
            with("Subject", nested(pair(&["O", "y"]))).unwrap().subject,
            [("O".to_owned(), "y".to_owned())]
        );
        for wrong in
            [nested(pair(&["O"])), nested(pair(&["O", "y", "z"])), Value::Array(vec![pair(&["O", "y"])])]
        {
            assert!(with("Subject", wrong).is_err());
        }
        assert!(with("Subject", Value::Array(vec![Value::from(1); 40])).is_err());
    }
}
