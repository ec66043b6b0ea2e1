//! Who calls, and for what: the header and the body of a request, opened together.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use domain::{Actor, DeviceName, Session};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{
    device_name::NamedDevice,
    error::{ErrorCode, Failure},
    fields::{Scalar, parse},
    messages::Expected,
};
use crate::{api_state::ApiState, json_body, limits::HeldBody, peer::Origin};
use proof::{Known, Proof};

mod proof;

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

/// A call that only an access token can make.
pub(super) struct TokenCall<T> {
    pub(super) session: Box<Session>,
    pub(super) origin: Origin,
    pub(super) body: T,
}

/// A call whose whole body stands in the query, as `json`: for what a browser opens.
pub(super) struct LinkCall<T> {
    pub(super) actor: Actor,
    pub(super) body: T,
}

/// A call by someone who has no credentials yet.
pub(super) struct OpenCall<T> {
    pub(super) origin: Origin,
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
        let opened = Opened::by_body(request, state).await?;
        Ok(Self { body: parse(opened.body.bytes())?, actor: opened.known.actor() })
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for DeviceCall<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let opened = Opened::by_body(request, state).await?;
        let device = parse::<NamedDevice>(opened.body.bytes())?.name()?;
        Ok(Self { device, body: parse(opened.body.bytes())?, actor: opened.known.actor() })
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for TokenCall<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let Opened { origin, known, body } = Opened::by_body(request, state).await?;
        let Known::ByToken(session) = known else { return Err(Failure::new(ErrorCode::AccessTokenNeeded)) };
        Ok(Self { session, origin, body: parse(body.bytes())? })
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for LinkCall<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let (parts, _): (Parts, Body) = request.into_parts();
        let text = json_of(parts.uri.query().unwrap_or_default())?;
        let known = judge(&parts, &text, state).await?;
        Ok(Self { body: parse(&text)?, actor: known.actor() })
    }
}

impl<T: DeserializeOwned> FromRequest<ApiState> for OpenCall<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let (parts, body) = read(request, state).await?;
        Ok(Self { origin: state.trust.origin(&parts), body: parse(body.bytes())? })
    }
}

/// A request that was read, from someone who may call.
struct Opened {
    origin: Origin,
    known: Known,
    body: HeldBody,
}

impl Opened {
    async fn by_body(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let (parts, body) = read(request, state).await?;
        let known = judge(&parts, body.bytes(), state).await?;
        Ok(Self { origin: state.trust.origin(&parts), known, body })
    }
}

async fn read(request: Request, state: &ApiState) -> Result<(Parts, HeldBody), Failure> {
    let (parts, body): (Parts, Body) = request.into_parts();
    let body = json_body::read(&state.bodies, &parts.headers, body, json_body::BODY_LIMIT).await?;
    Ok((parts, body))
}

async fn judge(parts: &Parts, body: &[u8], state: &ApiState) -> Result<Known, Failure> {
    let proof = Proof::read(&parts.headers, parse(body)?)?;
    proof.judge(state, state.trust.origin(parts)).await
}

/// What `json` holds in a query; as in a form, `+` is a blank there.
fn json_of(query: &str) -> Result<Vec<u8>, Failure> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(name, _)| *name == "json").map(|(_, value)| value).next();
    let value = value.ok_or(Failure::invalid("json", Expected::Object))?;
    Ok(percent_decode_str(&value.replace('+', " ")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_query_is_read_as_browsers_send_it() {
        for query in [
            "json=%7B%22token%22%3A%22a%20b%22%7D",
            "x=1&json=%7b%22token%22:%22a+b%22%7d",
            r#"json={"token":"a%20b"}&json={}"#,
        ] {
            assert_eq!(json_of(query).unwrap(), br#"{"token":"a b"}"#, "{query}");
        }
        for query in ["", "json", "JSON={}", "x=json={}"] {
            assert_eq!(json_of(query).unwrap_err().field, Some("json"), "{query}");
        }
    }
}
