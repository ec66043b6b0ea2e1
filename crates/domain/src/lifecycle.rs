//! The lifecycle API's two doors: an application logs in, and comes back with its token. Whoever has proven who it is
//! is counted at once, before anything is done for it.

use std::time::Duration;

use crate::{Actor, Application, ApplicationId, Error, LimitedRequest, Mdm, Result, Role, Subject, secrets};

mod keys;
mod tokens;

pub use keys::TokenKeyState;
pub(crate) use keys::TokenKeys;
pub use tokens::{AUDIENCE, Claims, TOKEN_LIFETIME};

/// What comes of a request that is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limited<T> {
    /// It may go on.
    Free(T),
    /// It is one too many. The next one passes once this time is over, if nothing else comes until then; whole
    /// milliseconds.
    Blocked(Duration),
}

impl Mdm {
    /// A token for an application that knows its secret. Only such a login is counted.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an unknown or revoked application and for a wrong secret; the same for each.
    pub async fn login_application(&self, id: ApplicationId, secret: &str) -> Result<Limited<String>> {
        let application = self.directory.application(id).await?.ok_or(Error::Unauthenticated)?;
        let right = aws_lc_rs::constant_time::verify_slices_are_equal(
            &secrets::hash(secret),
            &application.secret_hash,
        );
        if right.is_err() || application.revoked_at.is_some() {
            return Err(Error::Unauthenticated);
        }
        if let Some(wait) = self.limit(application.tenant, id, LimitedRequest::Login).await? {
            return Ok(Limited::Blocked(wait));
        }
        let now = self.clock.now();
        let key = self.installation.token_keys().signing(now);
        let key = key.ok_or_else(|| Error::internal("there is no key to sign tokens with"))?;
        tokens::sign(&Claims::new(application.tenant, id, now), &key).map(Limited::Free)
    }

    /// Who asks for a purge with `token`, in the name of `customer`. Only a good token is counted; the request's body
    /// need not have been read yet.
    ///
    /// The algorithm is fixed, expiry is judged by the server's clock, and a revoked application's tokens stop at once.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], whatever is wrong with the token.
    pub async fn admit_purge(&self, token: &str, customer: &str) -> Result<Limited<Actor>> {
        let claims = self.token_claims(token).await?.ok_or(Error::Unauthenticated)?;
        if claims.customer_id.to_string() != customer.to_lowercase() {
            return Err(Error::Unauthenticated);
        }
        let application = self.directory.application(claims.client_id).await?;
        let Some(Application { revoked_at: None, tenant, id, .. }) = application else {
            return Err(Error::Unauthenticated);
        };
        if tenant != claims.customer_id {
            return Err(Error::Unauthenticated);
        }
        Ok(match self.limit(tenant, id, LimitedRequest::Purge).await? {
            Some(wait) => Limited::Blocked(wait),
            None => Limited::Free(Actor { tenant, subject: Subject::Application(id), role: Role::Operator }),
        })
    }

    async fn token_claims(&self, token: &str) -> Result<Option<Claims>> {
        let Some(kid) = tokens::key_id(token) else { return Ok(None) };
        let key = self.token_key(&kid).await?;
        Ok(key.and_then(|key| tokens::read(token, &key, self.clock.now())))
    }
}
