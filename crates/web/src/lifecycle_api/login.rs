//! `POST /v1/login`: a token for an application that knows its secret.

use axum::{Json, extract::State};
use domain::{ApplicationId, Error};
use http::{HeaderMap, request::Parts};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    documents::Refusals,
    error::{ErrorCode, Failure, unless_blocked},
};
use crate::{api_state::ApiState, credentials, identifiers};

/// A token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Token {
    /// A JWT, good for fifteen minutes.
    token: String,
}

/// Answers a token to an application that knows its secret.
#[utoipa::path(
    post,
    path = "/v1/login",
    security(("Application" = [])),
    responses((status = 200, description = "The token", body = Token), Refusals),
)]
pub(super) async fn login(State(state): State<ApiState>, parts: Parts) -> Result<Json<Token>, Failure> {
    let (origin, now) = (state.trust.origin(&parts), state.mdm.now());
    if let Some(wait) = state.throttle.wait(origin, now) {
        return Err(Failure::blocked(wait));
    }
    let (id, secret) = application(&parts.headers).ok_or(Failure::new(ErrorCode::Forbidden))?;
    let login = state.mdm.login_application(id, &secret).await;
    if matches!(login, Err(Error::Unauthenticated)) {
        state.throttle.count(origin, now);
        tracing::info!(%origin, application = %id, "a login with a wrong secret");
    }
    unless_blocked(login?).map(|token| Json(Token { token }))
}

/// Application ID and secret; an ID of another form is as good as an unknown one.
fn application(headers: &HeaderMap) -> Option<(ApplicationId, String)> {
    let (id, secret) = credentials::basic(headers)?;
    Some((ApplicationId(identifiers::uuid(&id)?), secret))
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use http::{HeaderValue, header::AUTHORIZATION};

    use super::*;

    fn read(user_and_password: &str) -> Option<(String, String)> {
        let value = format!("Basic {}", STANDARD.encode(user_and_password));
        let headers = [(AUTHORIZATION, HeaderValue::from_str(&value).unwrap())].into_iter().collect();
        application(&headers).map(|(id, secret)| (id.to_string(), secret))
    }

    #[test]
    fn id_and_secret_are_read() {
        let id = "df3e7a9a-585e-475a-87d5-aa1e83c0cbf1";
        assert_eq!(read(&format!("{id}:se:cret")), Some((id.into(), "se:cret".into())));
        assert_eq!(read(&format!("{}:s", id.to_uppercase())), Some((id.into(), "s".into())));
    }

    #[test]
    fn an_id_of_another_form_is_nobodys() {
        for credentials in
            ["admin:secret", ":secret", "df3e7a9a:secret", "df3e7a9a-585e-475a-87d5-aa1e83c0cbf1"]
        {
            assert_eq!(read(credentials), None, "{credentials}");
        }
    }

    #[test]
    fn the_answer_is_the_published_one() {
        let json = serde_json::to_string(&Token { token: "a.b.c".into() }).unwrap();
        assert_eq!(json, r#"{"token":"a.b.c"}"#);
    }
}
