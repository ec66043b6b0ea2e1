//! Who calls, and for what: the header and the body of a request, opened together.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use domain::{Actor, DeviceName, Mdm, TenantId};
use http::{HeaderMap, request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{
    device_name::NamedDevice,
    error::{ErrorCode, Failure},
    fields::{Scalar, parse},
};
use crate::{api_state::ApiState, credentials, identifiers, json_body, limits::HeldBody};

/// A call by someone who may call, with the fields of its body that this call knows.
pub(super) struct Call<T> {
    pub(super) actor: Actor,
    pub(super) body: T,
}

/// A call about one device.
pub(super) struct DeviceCall<T> {
    pub(super) actor: Actor,
    pub(super) device: DeviceName,
    pub(super) body: T,
}

/// The fields by which a caller says who they are; every call has them.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct Credentials {
    /// An access token. It outranks an API key in the header.
    #[schema(value_type = Option<String>)]
    token: Scalar,
    /// The tenant's id; needed where the API key has several.
    #[schema(value_type = Option<String>)]
    mtcid: Scalar,
}

impl<T: DeserializeOwned> FromRequest<ApiState> for Call<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let (actor, body) = open(request, state).await?;
        Ok(Self { actor, body: parse(body.bytes())? })
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for DeviceCall<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let (actor, body) = open(request, state).await?;
        let device = parse::<NamedDevice>(body.bytes())?.name()?;
        Ok(Self { actor, device, body: parse(body.bytes())? })
    }
}

async fn open(request: Request, state: &ApiState) -> Result<(Actor, HeldBody), Failure> {
    let (Parts { headers, .. }, body): (Parts, Body) = request.into_parts();
    let body = json_body::read(&state.bodies, &headers, body, json_body::BODY_LIMIT).await?;
    let proof = Proof::read(&headers, parse(body.bytes())?)?;
    Ok((proof.actor(&state.mdm).await?, body))
}

/// What a caller shows; not yet judged.
#[derive(PartialEq, Eq)]
struct Proof {
    api_key: String,
    tenant: Option<TenantId>,
}

impl Proof {
    fn read(headers: &HeaderMap, fields: Credentials) -> Result<Self, Failure> {
        let token = fields.token.text("token")?;
        let tenant = fields.mtcid.text("mtcid")?.filter(|id| !id.is_empty());
        if token.is_some_and(|token| !token.is_empty()) {
            // No tokens are issued yet, so that each is one that is over.
            return Err(Failure::new(ErrorCode::TokenInvalid));
        }
        let unauthenticated = Failure::new(ErrorCode::Unauthenticated);
        let api_key = credentials::authorization(headers, "Api-Key").ok_or(unauthenticated.clone())?;
        let tenant =
            tenant.map(|id| identifiers::uuid(&id).map(TenantId).ok_or(unauthenticated)).transpose()?;
        Ok(Self { api_key: api_key.to_owned(), tenant })
    }

    async fn actor(&self, mdm: &Mdm) -> Result<Actor, Failure> {
        Ok(mdm.actor_for_api_key(&self.api_key, self.tenant).await?)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::AUTHORIZATION};

    use super::*;

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
            let proof = read(Some("Api-Key secret"), body).ok().unwrap();
            assert_eq!((proof.api_key.as_str(), proof.tenant), ("secret", tenant), "{body}");
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
        refused(Some("Api-Key secret"), r#"{"token":"abc"}"#, ErrorCode::TokenInvalid);
        refused(None, r#"{"token":"abc"}"#, ErrorCode::TokenInvalid);
    }

    #[test]
    fn a_tenant_that_cannot_be_is_one_that_the_key_has_no_access_to() {
        refused(Some("Api-Key secret"), r#"{"mtcid":"nowhere"}"#, ErrorCode::Unauthenticated);
    }

    #[test]
    fn credentials_of_another_type_are_a_fault_of_the_field() {
        refused(Some("Api-Key secret"), r#"{"mtcid":1}"#, ErrorCode::InvalidField);
        refused(Some("Api-Key secret"), r#"{"token":["abc"]}"#, ErrorCode::InvalidField);
    }
}
