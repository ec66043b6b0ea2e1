//! `…/devices/purge/async/external`: asks that devices be deleted for ever.

use axum::{
    extract::{FromRequest, Path, Request, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use domain::{Actor, PURGE_LIMIT};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

use super::{
    documents::Refusals,
    error::{ErrorCode, Failure, unless_blocked},
};
use crate::{api_state::ApiState, credentials, identifiers, json_body};

/// What is said of a body that cannot be read.
const SHAPE: &str =
    "The body has to be a JSON object with externalIds and guids, each a list of at most 500 texts.";

/// The devices to delete: at least one id in all.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PurgeRequest {
    /// Ids that administrators gave to devices, or else their GUIDs.
    #[serde(deserialize_with = "few_texts")]
    #[schema(max_items = 500)]
    external_ids: Vec<String>,
    /// GUIDs of devices.
    #[serde(deserialize_with = "few_texts")]
    #[schema(max_items = 500)]
    guids: Vec<String>,
}

/// The request is stored.
struct Accepted;

/// Asks that devices be deleted for ever. Ids that name no device of the customer are skipped.
#[utoipa::path(
    post,
    path = "/device-lifecycle/v1/{customerId}/devices/purge/async/external",
    params(("customerId" = String, Path, description = "`customer_id` of the token")),
    request_body = PurgeRequest,
    security(("Token" = [])),
    responses((status = 202, description = "The request is stored, and will be carried out"), Refusals),
)]
pub(super) async fn purge(
    State(state): State<ApiState>,
    customer: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    // An escaped path that is no UTF-8 is a path that does not exist.
    let Path(customer) = customer.map_err(|_| Failure::new(ErrorCode::UnknownUriPath))?;
    let actor = caller(&state, request.headers(), &customer).await?;
    let purge = PurgeRequest::from_request(request, &state).await?;
    state.mdm.ask_purge(&actor, &purge.external_ids, &purge.guids).await?;
    Ok(Accepted.into_response())
}

/// Who calls, counted; the body is not read yet.
async fn caller(state: &ApiState, headers: &HeaderMap, customer: &str) -> Result<Actor, Failure> {
    let token = credentials::authorization(headers, "Bearer").ok_or(Failure::new(ErrorCode::Forbidden))?;
    unless_blocked(state.mdm.admit_purge(token, &as_issued(customer)).await?)
}

/// A customer id as tokens have it; what is no id stays as it is, and is nobody's.
fn as_issued(customer: &str) -> String {
    identifiers::uuid(customer).map_or(customer.to_owned(), |id| id.hyphenated().to_string())
}

impl PurgeRequest {
    fn parse(body: &[u8]) -> Result<Self, Failure> {
        let object = body.trim_ascii_start().starts_with(b"{");
        let read = object.then(|| serde_json::from_slice(body).ok()).flatten();
        read.ok_or_else(|| Failure::bad_request(SHAPE))
    }
}

impl FromRequest<ApiState> for PurgeRequest {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let body = json_body::read(&state.bodies, &parts.headers, body, json_body::BODY_LIMIT).await?;
        Self::parse(body.bytes())
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let mut response = StatusCode::ACCEPTED.into_response();
        response.headers_mut().remove(CONTENT_TYPE);
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        response
    }
}

/// A list of texts, or null for none; reading stops at the first one too many.
fn few_texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(FewTexts)
}

struct FewTexts;

impl<'de> de::Visitor<'de> for FewTexts {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a list of at most {PURGE_LIMIT} texts")
    }

    fn visit_unit<E>(self) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            if texts.len() == PURGE_LIMIT {
                return Err(de::Error::invalid_length(PURGE_LIMIT + 1, &self));
            }
            texts.push(text);
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    fn parse(body: &str) -> Result<(Vec<String>, Vec<String>), ErrorCode> {
        let read = PurgeRequest::parse(body.as_bytes());
        read.map(|request| (request.external_ids, request.guids)).map_err(|failure| failure.code)
    }

    fn many(count: usize) -> String {
        serde_json::json!({ "externalIds": vec!["x"; count], "guids": vec!["y"; count] }).to_string()
    }

    #[test]
    fn the_published_body_is_read() {
        let id = "010fc047-df30-4851-bff8-a26390cf01a6";
        let body = format!(r#"{{"externalIds": ["{id}"]}}"#);
        assert_eq!(parse(&body), Ok((vec![id.into()], vec![])));
        let body = format!(r#"{{"guids":["{id}"],"externalIds":null,"reason":{{"a":[1]}}}}"#);
        assert_eq!(parse(&body), Ok((vec![], vec![id.into()])));
    }

    #[test]
    fn lists_are_read_up_to_the_limit() {
        let (external_ids, guids) = parse(&many(PURGE_LIMIT)).unwrap();
        assert_eq!((external_ids.len(), guids.len()), (PURGE_LIMIT, PURGE_LIMIT));
        assert_eq!(parse(&many(PURGE_LIMIT + 1)), Err(ErrorCode::BadRequest));
    }

    #[test]
    fn a_body_of_another_shape_is_refused() {
        for body in [
            "",
            "purge",
            "null",
            r#"["id"]"#,
            r#"[["id"],["id"]]"#,
            r#"{"externalIds":"id"}"#,
            r#"{"externalIds":[1]}"#,
            r#"{"externalIds":[null]}"#,
            r#"{"guids":{"a":"b"}}"#,
            r#"{"guids":["a"],"guids":["b"]}"#,
            r#"{"guids":["a"]"#,
        ] {
            assert_eq!(parse(body), Err(ErrorCode::BadRequest), "{body}");
        }
    }

    #[test]
    fn a_customer_is_the_same_in_capitals() {
        let id = "4744defa-1042-4a85-9fff-763ae00c7584";
        assert_eq!(as_issued(&id.to_uppercase()), id);
        assert_eq!(as_issued("4744DEFA10424A859FFF763AE00C7584"), id);
        assert_eq!(as_issued("nobody"), "nobody");
    }

    #[tokio::test]
    async fn the_answer_is_empty_and_says_so() {
        let response = Accepted.into_response();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers()[CONTENT_LENGTH], "0");
        assert_eq!(response.headers().get(CONTENT_TYPE), None);
        assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = PurgeRequest::parse(&body);
        }

        #[test]
        fn texts_like_bodies_are_read_or_refused(body in r#"\{("externalIds"|"guids"|[\[\]{}",:a-f0-9null])*"#) {
            let _ = parse(&body);
        }

        #[test]
        fn ids_come_through_as_they_are(external_ids: Vec<String>, guids: Vec<String>) {
            let body = serde_json::json!({ "externalIds": external_ids, "guids": guids }).to_string();
            prop_assert_eq!(parse(&body), Ok((external_ids, guids)));
        }
    }
}
