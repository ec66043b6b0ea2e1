//! What a caller shows, and what it turns out to be worth.
//!
//! Wrong keys and tokens count for the address that they come from; beyond its measure they are answered 429. Good ones
//! are always heard: 256 random bits are not guessed, and one program with an old key must not shut out its neighbours.

use domain::{Actor, Error, Forbidden, Session, ShownToken, TenantId};
use http::HeaderMap;

use super::Credentials;
use crate::{
    api_state::ApiState,
    credentials,
    device_api::{
        error::{ErrorCode, Failure},
        token_status::{self, TokenStatus},
    },
    identifiers,
    peer::Origin,
};

/// What a caller shows; not yet judged.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) shown: Shown,
    pub(super) tenant: Option<TenantId>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Token(String),
    ApiKey(String),
}

/// Someone who may call.
pub(super) enum Known {
    ByToken(Box<Session>),
    ByApiKey(Actor),
}

impl Known {
    pub(super) fn actor(self) -> Actor {
        match self {
            Self::ByToken(session) => session.actor,
            Self::ByApiKey(actor) => actor,
        }
    }
}

impl Proof {
    /// The token counts before the key.
    pub(super) fn read(headers: &HeaderMap, fields: Credentials) -> Result<Self, Failure> {
        let token = fields.token.text("token")?.filter(|token| !token.is_empty());
        let tenant = fields.mtcid.text("mtcid")?.filter(|id| !id.is_empty());
        let unauthenticated = Failure::new(ErrorCode::Unauthenticated);
        let shown = match token {
            Some(token) => Shown::Token(token),
            None => {
                let key = credentials::authorization(headers, "Api-Key").ok_or(unauthenticated.clone())?;
                Shown::ApiKey(key.to_owned())
            }
        };
        let tenant =
            tenant.map(|id| identifiers::uuid(&id).map(TenantId).ok_or(unauthenticated)).transpose()?;
        Ok(Self { shown, tenant })
    }

    pub(super) async fn judge(&self, state: &ApiState, origin: Origin) -> Result<Known, Failure> {
        match &self.shown {
            Shown::Token(token) => match state.mdm.session(token, self.tenant).await? {
                ShownToken::Live(session) => {
                    token_status::note(session.expires_soon.then_some(TokenStatus::ExpiresSoon));
                    Ok(Known::ByToken(session))
                }
                ShownToken::Expired => Err(Failure::new(ErrorCode::TokenInvalid)),
                ShownToken::Unknown => Err(wrong(state, origin, ErrorCode::TokenInvalid)),
            },
            Shown::ApiKey(key) => match state.mdm.actor_for_api_key(key, self.tenant).await {
                Ok(actor) => Ok(Known::ByApiKey(actor)),
                Err(Error::Unauthenticated) => Err(wrong(state, origin, ErrorCode::Unauthenticated)),
                Err(Error::Forbidden(Forbidden::Tenant)) => Err(Failure::new(ErrorCode::Unauthenticated)),
                Err(other) => Err(other.into()),
            },
        }
    }
}

/// Counts something wrong for its address; one too many is told to wait.
fn wrong(state: &ApiState, origin: Origin, code: ErrorCode) -> Failure {
    let now = state.mdm.now();
    match state.throttle.wait(origin, now) {
        Some(wait) => Failure::slowed_down(wait),
        None => {
            state.throttle.count(origin, now);
            Failure::new(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::AUTHORIZATION};

    use super::{super::super::fields::parse, *};

    fn read(authorization: Option<&str>, body: &str) -> Result<Proof, ErrorCode> {
        let header = |value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        let headers = authorization.into_iter().map(header).collect();
        let fields = parse(body.as_bytes()).unwrap();
        Proof::read(&headers, fields).map_err(|failure| failure.code)
    }

    #[track_caller]
    fn refused(authorization: Option<&str>, body: &str, code: ErrorCode) {
        assert_eq!(read(authorization, body).err(), Some(code), "{authorization:?} {body}");
    }

    #[test]
    fn a_key_with_or_without_a_tenant_is_shown_to_the_domain() {
        let tenant = identifiers::uuid("e60cf0e25e63430694441870c27a8b42").map(TenantId);
        for (body, tenant) in [
            ("{}", None),
            (r#"{"mtcid":null,"token":null}"#, None),
            (r#"{"mtcid":"","token":""}"#, None),
            (r#"{"mtcid":"e60cf0e2-5e63-4306-9444-1870c27a8b42"}"#, tenant),
        ] {
            let proof = read(Some("Api-Key secret"), body).unwrap();
            assert_eq!(proof, Proof { shown: Shown::ApiKey("secret".into()), tenant }, "{body}");
        }
    }

    #[test]
    fn without_a_key_nobody_comes_in() {
        for authorization in [None, Some("Bearer secret"), Some("Api-Key "), Some("secret")] {
            refused(authorization, "{}", ErrorCode::Unauthenticated);
        }
    }

    #[test]
    fn a_token_outranks_the_key() {
        for authorization in [Some("Api-Key secret"), None] {
            let proof = read(authorization, r#"{"token":"abc"}"#).unwrap();
            assert_eq!(proof.shown, Shown::Token("abc".into()));
        }
    }

    #[test]
    fn a_tenant_that_cannot_be_is_one_that_the_caller_has_no_access_to() {
        refused(Some("Api-Key secret"), r#"{"mtcid":"nowhere"}"#, ErrorCode::Unauthenticated);
        refused(None, r#"{"mtcid":"nowhere","token":"abc"}"#, ErrorCode::Unauthenticated);
    }

    #[test]
    fn credentials_of_another_type_are_a_fault_of_the_field() {
        refused(Some("Api-Key secret"), r#"{"mtcid":1}"#, ErrorCode::InvalidField);
        refused(Some("Api-Key secret"), r#"{"token":["abc"]}"#, ErrorCode::InvalidField);
    }
}
