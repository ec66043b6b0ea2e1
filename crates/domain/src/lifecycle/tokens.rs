//! Tokens of the lifecycle API: JWTs of fifteen minutes, for one audience, by one algorithm.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::keys::TokenKey;
use crate::{ApplicationId, Error, Result, TenantId, Timestamp};

/// The audience of a lifecycle token.
pub const AUDIENCE: &str = "DEVICE_LIFECYCLE_API";

/// How long a token is good.
pub const TOKEN_LIFETIME: Duration = Duration::from_mins(15);

/// How far ahead the clock of the node that signed may be.
const SKEW: i64 = 60;

/// What a token says; exactly the published claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose devices may be deleted.
    pub customer_id: TenantId,
    /// When it was made, seconds since 1970.
    pub iat: i64,
    /// Until when it is good, seconds since 1970.
    pub exp: i64,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The application that logged in.
    pub client_id: ApplicationId,
}

impl Claims {
    /// What a token says that an application gets now.
    pub(super) fn new(customer_id: TenantId, client_id: ApplicationId, now: Timestamp) -> Self {
        let iat = now.seconds();
        let exp = iat + i64::try_from(TOKEN_LIFETIME.as_secs()).unwrap_or(0);
        Self { customer_id, iat, exp, aud: AUDIENCE.into(), client_id }
    }
}

/// The token that says `claims`.
pub(super) fn sign(claims: &Claims, key: &TokenKey) -> Result<String> {
    let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&key.secret)).map_err(Error::internal)
}

/// The id of the key by which a token claims to be signed.
pub(super) fn key_id(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).ok()?.kid
}

/// What a token says that is signed by `key`, with the one algorithm that we use, and good at `now`.
pub(super) fn read(token: &str, key: &TokenKey, now: Timestamp) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "aud"]);
    let secret = DecodingKey::from_secret(&key.secret);
    let claims = jsonwebtoken::decode::<Claims>(token, &secret, &validation).ok()?.claims;
    let now = now.seconds();
    (claims.iat <= now + SKEW && now < claims.exp).then_some(claims)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp(1_734_456_531_900);

    fn key() -> TokenKey {
        TokenKey { id: "k1".into(), secret: (0..32).collect(), from: Timestamp(0) }
    }

    fn claims() -> Claims {
        Claims::new(TenantId(Uuid::from_u128(1)), ApplicationId(Uuid::from_u128(2)), NOW)
    }

    /// Signs whatever it is told with whatever algorithm, by the right key.
    fn forged(algorithm: Algorithm, claims: &Value) -> String {
        let header = Header { kid: Some("k1".into()), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&key().secret)).unwrap()
    }

    fn with(change: impl FnOnce(&mut Value)) -> Option<Claims> {
        let mut claims = serde_json::to_value(claims()).unwrap();
        change(&mut claims);
        read(&forged(Algorithm::HS256, &claims), &key(), NOW)
    }

    #[test]
    fn a_token_says_the_published_claims_and_nothing_else() {
        let published = json!({
            "customer_id": "00000000-0000-0000-0000-000000000001",
            "iat": 1_734_456_531,
            "exp": 1_734_457_431,
            "aud": "DEVICE_LIFECYCLE_API",
            "client_id": "00000000-0000-0000-0000-000000000002",
        });
        assert_eq!(serde_json::to_value(claims()).unwrap(), published);
        let token = sign(&claims(), &key()).unwrap();
        assert_eq!((key_id(&token).as_deref(), read(&token, &key(), NOW)), (Some("k1"), Some(claims())));
    }

    #[test]
    fn a_token_is_good_for_fifteen_minutes() {
        let token = sign(&claims(), &key()).unwrap();
        let good_at = |seconds| read(&token, &key(), Timestamp((claims().iat + seconds) * 1000)).is_some();
        assert_eq!([0, 899, 900].map(good_at), [true, true, false]);
        assert!(good_at(-60), "the other node's clock is ahead");
        assert!(!good_at(-61));
    }

    #[test]
    fn another_algorithm_is_refused_even_with_the_right_key() {
        let claims = serde_json::to_value(claims()).unwrap();
        assert!(read(&forged(Algorithm::HS256, &claims), &key(), NOW).is_some());
        for algorithm in [Algorithm::HS384, Algorithm::HS512] {
            assert_eq!(read(&forged(algorithm, &claims), &key(), NOW), None, "{algorithm:?}");
        }
    }

    #[test]
    fn another_key_and_another_audience_are_refused() {
        let token = sign(&claims(), &key()).unwrap();
        assert_eq!(read(&token, &TokenKey { secret: vec![7; 32], ..key() }, NOW), None);
        assert!(with(|_| ()).is_some());
        for audience in [json!("DEVICE_API"), json!(""), json!([]), json!(null), json!(["DEVICE_API"])] {
            assert_eq!(with(|claims| claims["aud"] = audience.clone()), None, "{audience}");
        }
    }

    #[test]
    fn a_token_without_one_of_its_claims_is_refused() {
        for claim in ["customer_id", "iat", "exp", "aud", "client_id"] {
            assert_eq!(with(|claims| drop(claims.as_object_mut().unwrap().remove(claim))), None, "{claim}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_none(text in r"[A-Za-z0-9_.=-]{0,80}|.{0,40}") {
            prop_assert_eq!(read(&text, &key(), NOW), None);
            let _ = key_id(&text);
        }

        #[test]
        fn a_token_with_one_changed_letter_is_refused(at in 0..10_000usize, letter in "[A-Za-z0-9_-]") {
            let token = sign(&claims(), &key()).unwrap();
            let at = at % token.len();
            let mut changed = token.clone();
            changed.replace_range(at..=at, &letter);
            // The last letter of a part may hold bits that no byte takes.
            prop_assert!(changed == token || read(&changed, &key(), NOW).is_none_or(|it| it == claims()));
        }
    }
}
