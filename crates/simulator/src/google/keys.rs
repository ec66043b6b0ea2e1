//! RSA keys: of the service account, whose signatures are verified, and of Google, who signs pushes.

use std::io;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A key of 2048 bits with its name.
pub(super) struct Key {
    pair: RsaKeyPair,
    pub(super) id: String,
}

impl Key {
    pub(super) fn generate() -> io::Result<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
        let public = pair.public_key().as_ref();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, public);
        let id = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { pair, id })
    }

    /// PKCS#8 in PEM, as in a service account's file.
    fn pem(&self) -> io::Result<String> {
        let der: Pkcs8V1Der<'static> = self.pair.as_der().map_err(io::Error::other)?;
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
    }

    /// The public half, as RFC 7517 writes it.
    pub(super) fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero())})
    }

    /// Signs `claims` (RFC 7519) with RS256; empty if the library cannot.
    pub(super) fn jwt(&self, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "kid": self.id, "typ": "JWT"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let done = self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        done.map_or_else(|_| String::new(), |()| format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature)))
    }

    /// The claims of a JWT that this key has signed; an error says what is wrong with it.
    pub(super) fn verify(&self, jwt: &str) -> Result<Value, &'static str> {
        let (signed, signature) = jwt.rsplit_once('.').ok_or("not a JWT")?;
        let (header, claims) = signed.split_once('.').ok_or("not a JWT")?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "not base64url");
        let object = |part: &str| serde_json::from_slice::<Value>(&bytes(part)?).map_err(|_| "not JSON");
        let header = object(header)?;
        if header["alg"] != "RS256" || header["typ"] != "JWT" || header["kid"] != self.id.as_str() {
            return Err("a header that is not as it should be");
        }
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref())
            .verify(signed.as_bytes(), &bytes(signature)?)
            .map_err(|_| "a wrong signature")?;
        object(claims)
    }
}

/// A service account's file with a fresh key, for tests that talk to nobody.
pub fn service_account(project_id: &str, token_uri: &str) -> io::Result<String> {
    account_file(&Key::generate()?, project_id, token_uri)
}

pub(super) fn account_email(project_id: &str) -> String {
    format!("remuda@{project_id}.iam.gserviceaccount.com")
}

pub(super) fn account_file(key: &Key, project_id: &str, token_uri: &str) -> io::Result<String> {
    let file = json!({
        "type": "service_account",
        "project_id": project_id,
        "private_key_id": key.id,
        "private_key": key.pem()?,
        "client_email": account_email(project_id),
        "client_id": "100000000000000000001",
        "token_uri": token_uri,
    });
    Ok(format!("{file:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_signs_it_verifies_and_no_other() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let jwt = key.jwt(&json!({"a": 1}));
        assert_eq!(key.verify(&jwt), Ok(json!({"a": 1})));
        assert!(other.verify(&jwt).is_err());
        let forged =
            jwt.replace(&URL_SAFE_NO_PAD.encode(r#"{"a":1}"#), &URL_SAFE_NO_PAD.encode(r#"{"a":2}"#));
        assert_eq!(key.verify(&forged), Err("a wrong signature"));
    }
}
