//! The envelope that every answer of this API comes in.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    error::Failure,
    language::Language,
    messages,
    token_status::{self, TokenStatus},
};

/// An answer: how the call went, and then what was asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Envelope<T> {
    /// Null, or the machine word for what went wrong.
    #[schema(example = json!(null))]
    errorcode: Option<&'static str>,
    /// Null, or a sentence about it in the language of `Accept-Language` (`en`, `de`).
    #[schema(example = json!(null))]
    errormessage: Option<String>,
    /// Whether the call succeeded.
    success: bool,
    /// Null while the access token is good, or where there is none; `ExpiresSoon` in the last quarter of its life.
    #[schema(example = json!(null))]
    tokenstatus: Option<TokenStatus>,
    #[serde(flatten)]
    content: T,
}

/// Nothing beside how the call went.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct Nothing {}

impl<T> Envelope<T> {
    /// A call that succeeded, with what it answers.
    pub(super) fn success(content: T) -> Self {
        let tokenstatus = token_status::current();
        Self { errorcode: None, errormessage: None, success: true, tokenstatus, content }
    }
}

impl Envelope<Nothing> {
    /// A call that failed.
    pub(super) fn failure(failure: &Failure, language: Language) -> Self {
        Self {
            errorcode: Some(failure.code.word()),
            errormessage: Some(messages::message(failure, language)),
            success: false,
            tokenstatus: failure.code.token_status().or(token_status::current()),
            content: Nothing {},
        }
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::error::ErrorCode, *};

    #[test]
    fn a_success_is_the_published_envelope() {
        let json = serde_json::to_string(&Envelope::success(Nothing {})).unwrap();
        assert_eq!(json, r#"{"errorcode":null,"errormessage":null,"success":true,"tokenstatus":null}"#);
    }

    #[test]
    fn a_failure_says_what_went_wrong() {
        let failure = Failure::new(ErrorCode::DeviceNotFound);
        let json = serde_json::to_string(&Envelope::failure(&failure, Language::German)).unwrap();
        assert_eq!(
            json,
            r#"{"errorcode":"DEVICE_NOT_FOUND","errormessage":"Dieses Gerät gibt es nicht.","success":false,"tokenstatus":null}"#
        );
    }

    #[test]
    fn a_token_that_is_over_is_said_to_be() {
        let failure = Failure::new(ErrorCode::TokenInvalid);
        let json = serde_json::to_value(Envelope::failure(&failure, Language::English)).unwrap();
        assert_eq!(json["tokenstatus"], "Expired");
    }

    #[tokio::test]
    async fn a_token_that_will_soon_be_over_is_said_to_be_with_every_answer() {
        let answers = token_status::in_a_call(async {
            token_status::note(Some(TokenStatus::ExpiresSoon));
            let failure = Failure::new(ErrorCode::DeviceNotFound);
            let failed = serde_json::to_value(Envelope::failure(&failure, Language::English)).unwrap();
            [failed, serde_json::to_value(Envelope::success(Nothing {})).unwrap()]
        });
        for answer in answers.await {
            assert_eq!(answer["tokenstatus"], "ExpiresSoon");
        }
    }

    #[test]
    fn what_happened_inside_stays_inside() {
        let failure = Failure::from(domain::Error::internal("the password of the database is hunter2"));
        let json = serde_json::to_string(&Envelope::failure(&failure, Language::English)).unwrap();
        assert!(!json.contains("hunter2"), "{json}");
    }
}
