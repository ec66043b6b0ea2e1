//! Tokens of the lifecycle API: JWTs of fifteen minutes, for one audience.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::{Actor, Application, ApplicationId, Error, Mdm, Result, Role, Subject, TenantId, secrets};

mod keys;

pub(crate) use keys::TokenKeys;

/// The audience of a lifecycle token.
pub const AUDIENCE: &str = "DEVICE_LIFECYCLE_API";

/// How long a token is good.
pub const TOKEN_LIFETIME: Duration = Duration::from_mins(15);

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

impl Mdm {
    /// A token for an application that knows its secret.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an unknown or revoked application and for a wrong secret; the same for each.
    pub async fn login_application(&self, id: ApplicationId, secret: &str) -> Result<String> {
        let application = self.directory.application(id).await?.ok_or(Error::Unauthenticated)?;
        let right = aws_lc_rs::constant_time::verify_slices_are_equal(
            &secrets::hash(secret),
            &application.secret_hash,
        );
        if right.is_err() || application.revoked_at.is_some() {
            return Err(Error::Unauthenticated);
        }
        let iat = self.clock.now().seconds();
        let claims = Claims {
            customer_id: application.tenant,
            iat,
            exp: iat + i64::try_from(TOKEN_LIFETIME.as_secs()).unwrap_or(0),
            aud: AUDIENCE.into(),
            client_id: application.id,
        };
        let key = self.installation.token_keys().signing(self.clock.now());
        let key = key.ok_or_else(|| Error::internal("there is no key to sign tokens with"))?;
        let header = Header { kid: Some(key.id), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&key.secret))
            .map_err(Error::internal)
    }

    /// Who calls with `token` for `customer`.
    ///
    /// The algorithm is fixed, expiry is judged by the server's clock, and a revoked application's tokens stop at once.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], whatever is wrong.
    pub async fn actor_for_token(&self, token: &str, customer: &str) -> Result<Actor> {
        let claims = self.token_claims(token).ok_or(Error::Unauthenticated)?;
        if claims.customer_id.to_string() != customer.to_lowercase() {
            return Err(Error::Unauthenticated);
        }
        let application = self.directory.application(claims.client_id).await?;
        match application {
            Some(Application { revoked_at: None, tenant, id, .. }) if tenant == claims.customer_id => {
                Ok(Actor { tenant, subject: Subject::Application(id), role: Role::Operator })
            }
            _ => Err(Error::Unauthenticated),
        }
    }

    fn token_claims(&self, token: &str) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.installation.token_keys().named(&kid)?.secret;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        let token =
            jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&key), &validation).ok()?;
        let now = self.clock.now().seconds();
        let claims = token.claims;
        (claims.iat <= now && now < claims.exp).then_some(claims)
    }
}
