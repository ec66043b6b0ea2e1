//! Who pushes a notification to us: Google signs a token for it (OpenID Connect), which is judged here.

use std::time::SystemTime;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::Clock;
use super::certificates::Certificates;
use super::error::Error;
use super::settings::{BadSettings, GoogleSettings, address};
use super::transport::Transport;

/// The longest `Authorization` that is read, in bytes.
const MAX_HEADER: usize = 8192;
/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 60;
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// Why a push is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not from Google, or not for us: answer 401 (of HTTP; no device hears of it).
    #[error("the push is not from Google, or not for us: {0}")]
    NotGenuine(&'static str),
    /// Google's keys cannot be had now: answer 503, and the push comes again.
    #[error("whether the push is from Google cannot be told now: {0}")]
    Unknown(Error),
}

/// Judges the tokens of pushes.
pub struct PushTokens {
    transport: Transport,
    certificates: Certificates,
    clock: Clock,
}

/// What a token of Google's claims.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    aud: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    exp: u64,
    #[serde(default)]
    iat: u64,
}

impl PushTokens {
    /// Takes what is signed by the keys that the settings name.
    pub fn new(settings: &GoogleSettings, clock: Clock) -> Result<Self, BadSettings> {
        let url = address("certificates_url", &settings.certificates_url)?;
        Ok(Self { transport: Transport::new(settings)?, certificates: Certificates::new(url), clock })
    }

    /// Judges the `Authorization` header of a push that is for `audience`: the e-mail address of the service
    /// account in whose name Google signed it, which is the caller's to judge.
    pub async fn sender(&self, authorization: &str, audience: &str) -> Result<String, Refused> {
        let now = (self.clock)();
        let token = Some(authorization).filter(|it| it.len() <= MAX_HEADER).and_then(bearer);
        let token = token.ok_or(Refused::NotGenuine("no bearer token"))?;
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refused::NotGenuine("no JWT"))?;
        if header.alg != Algorithm::RS256 {
            return Err(Refused::NotGenuine("not signed with RS256"));
        }
        let id = header.kid.ok_or(Refused::NotGenuine("no key id"))?;
        let key = self.certificates.key(&id, &self.transport, now).await.map_err(Refused::Unknown)?;
        let key = key.ok_or(Refused::NotGenuine("signed with an unknown key"))?;
        let claims = claims(token, &key)?;
        match claims.fault(audience, now) {
            Some(fault) => Err(Refused::NotGenuine(fault)),
            None => Ok(claims.email),
        }
    }
}

impl Claims {
    fn fault(&self, audience: &str, now: SystemTime) -> Option<&'static str> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        match self {
            it if !ISSUERS.contains(&it.iss.as_str()) => Some("another issuer"),
            it if it.aud != audience => Some("another audience"),
            it if !it.email_verified => Some("an e-mail that is not verified"),
            it if it.exp.saturating_add(LEEWAY) <= now => Some("expired"),
            it if it.iat > now.saturating_add(LEEWAY) => Some("from the future"),
            _ => None,
        }
    }
}

/// The algorithm is ours to choose, never the token's; time, issuer and audience are judged afterwards.
fn claims(token: &str, key: &DecodingKey) -> Result<Claims, Refused> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Claims>(token, key, &validation);
    decoded.map(|data| data.claims).map_err(|_| Refused::NotGenuine("the signature or the claims are wrong"))
}

/// RFC 6750, 2.1; the scheme in any case.
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
